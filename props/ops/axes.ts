/** Laws of axes that come and go: reshape, broadcastTo, and the sums that transpose them. */
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import { broadcastTo, mul, reshape, sum, zeros } from '../../lib/index.ts';
import { sumTo } from '../../lib/ops/axes.ts';
import { onEveryDevice, forSizes, same } from '../laws/everywhere.ts';

const everywhere = onEveryDevice(test);

everywhere('reshape there and back is the identity, and one size may be worked out', (device) =>
  forSizes('m n k', async ({ m, n, k }, real) => {
    const x = real(m, n, k);
    await same(device, () => [reshape(reshape(x, [k, m * n]), [m, n, k]), x], 0);
    await same(device, () => [reshape(x, [-1, k]), reshape(x, [m * n, k])], 0);
  }),
);

everywhere('broadcastTo and sumTo are transposes: ⟨broadcastTo(x), y⟩ = ⟨x, sumTo(y)⟩', (device) =>
  forSizes('b m n k', async ({ b, m, n, k }, real) => {
    for (const small of [[k], [n, 1], [m, 1, k], [1, n, 1], [1, 1, 1], []]) {
      const [x, y] = [real(...small), real(b, m, n, k)];
      await same(device, () => [sum(mul(broadcastTo(x, y.shape), y)), sum(mul(x, sumTo(y, x.shape)))], 5e-3);
    }
  }),
);

everywhere('repeating in two steps is repeating in one', (device) =>
  forSizes('b m n', async ({ b, m, n }, real) => {
    const x = real(m, 1);
    await same(device, () => [broadcastTo(broadcastTo(x, [m, n]), [b, m, n]), broadcastTo(x, [b, m, n])], 0);
  }),
);

test('what does not stretch, or does not hold as many numbers, is refused with both shapes', () => {
  assert.throws(() => broadcastTo(zeros([2, 3]), [2, 4]), /\[2 3\].*\[2 4\]/);
  assert.throws(() => broadcastTo(zeros([2, 3]), [1, 3]), /broadcastTo: \[2 3\] does not stretch to \[1 3\]/);
  assert.throws(() => reshape(zeros([2, 3]), [4]), /reshape: \[2 3\] holds 6 numbers, \[4\] holds 4/);
  assert.throws(() => reshape(zeros([2, 3]), [4, -1]), /reshape: \[2 3\] holds 6 numbers/);
});

test.run();
