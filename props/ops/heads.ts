/** Laws of attention's products, head by head. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attentionContext, attentionScores, matmul, transpose, zeros } from '../../lib/index.ts';
import { forSizes, onEveryDevice, same } from '../laws/everywhere.ts';

const everywhere = onEveryDevice(test);

/** [b, t, h, d] → [b, h, t, d]. */
const apart = (x: Parameters<typeof transpose>[0]) => transpose(x, [0, 2, 1, 3]);

everywhere('the scores of every head are the product of its queries and its keys', (device) =>
  forSizes('b i j h d', async ({ b, i, j, h, d }, real) => {
    const [q, k] = [real(b, i, h, d), real(b, j, h, d)];
    await same(device, () => [attentionScores(q, k), matmul(apart(q), apart(k), { transposeB: true })]);
  }),
);

everywhere('the context of every head is the product of its probabilities and its values, and lies beside the other heads', (device) =>
  forSizes('b i j h d', async ({ b, i, j, h, d }, real) => {
    const [p, v] = [real(b, h, i, j), real(b, j, h, d)];
    await same(device, () => [attentionContext(p, v), apart(matmul(p, apart(v)))]);
    await same(device, () => [attentionContext(transpose(p), v, { transpose: true }), attentionContext(p, v)]);
  }),
);

test('sizes that do not fit are refused with what came', () => {
  assert.throws(() => attentionScores(zeros([2, 3, 4, 5]), zeros([2, 3, 1, 5])), /queries \[b, i, h, d\] and keys \[b, j, h, d\], got \[2 3 4 5\] and \[2 3 1 5\]/);
  assert.throws(() => attentionContext(zeros([2, 4, 3, 6]), zeros([2, 3, 4, 5])), /probabilities \[b, h, i, j\] and values \[b, j, h, d\], got \[2 4 3 6\] and \[2 3 4 5\]/);
});

test.run();
