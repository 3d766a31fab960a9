/** Laws of looking up and adding up: gather, scatterAdd, pick, gatherPositions. */
import * as assert from 'uvu/assert';
import fc from 'fast-check';
import { test } from 'uvu';
import type { Tensor } from '../../lib/index.ts';
import {
  add,
  equal,
  gather,
  gatherPositions,
  grad,
  matmul,
  mul,
  pick,
  reshape,
  scatterAdd,
  slice,
  sum,
  tensor,
  zeros,
} from '../../lib/index.ts';
import { onEveryDevice, forSizes, read, same } from '../laws/everywhere.ts';

const everywhere = onEveryDevice(test);

/** n ids from −1 to v, of which the ends are outside a table of v rows. */
const someIds = (n: number, v: number, step: number) =>
  Array.from({ length: n }, (_, i) => ((i * step + step) % (v + 2)) - 1);

const ids = (n: number, v: number, step: number) => tensor(someIds(n, v, step), [n], 'i32');

everywhere('gather and scatterAdd are transposes: ⟨gather(x, i), y⟩ = ⟨x, scatterAdd(i, y)⟩', (device) =>
  forSizes('v e n s', async ({ v, e, n, s }, real) => {
    const [x, y, at] = [real(v, e), real(3 * n, e), ids(3 * n, v, s)];
    await same(device, () => [sum(mul(gather(x, at), y)), sum(mul(x, scatterAdd(at, y, v)))], 1e-4);
  }),
);

everywhere('both are products with a matrix of ones and zeros', (device) =>
  forSizes('v e n s', async ({ v, e, n, s }, real) => {
    const [x, y, at] = [real(v, e), real(3 * n, e), ids(3 * n, v, s)];
    const columns = tensor(
      Array.from({ length: v }, (_, i) => i),
      [1, v],
      'i32',
    );
    const oneHot = () => equal(reshape(at, [3 * n, 1]), columns);
    await same(device, () => [gather(x, at), matmul(oneHot(), x)]);
    await same(device, () => [scatterAdd(at, y, v), matmul(oneHot(), y, { transposeA: true })], 1e-4);
  }),
);

everywhere('ids of any shape look up rows; an id outside the table looks up zeros and adds nothing', async (device) => {
  const table = () => tensor([1, 2, 3, 4, 5, 6], [3, 2]);
  const at = () => tensor([2, -1, 3, 0], [2, 2], 'i32');
  assert.equal(await read(device, () => gather(table(), at())), [5, 6, 0, 0, 0, 0, 1, 2]);
  assert.equal(gather(table(), at()).shape, [2, 2, 2]);
  const rows = () => reshape(tensor([1, 1, 2, 2, 3, 3, 4, 4]), [2, 2, 2]);
  assert.equal(await read(device, () => scatterAdd(at(), rows(), 3)), [4, 4, 0, 0, 1, 1]);
});

everywhere('repeated ids add up, as often as they are repeated', async (device) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(4), { minLength: 1, maxLength: 200 }), async (list) => {
      const counts = await read(device, () =>
        scatterAdd(tensor(list, [list.length], 'i32'), add(zeros([list.length, 1]), 1), 5),
      );
      assert.equal(
        counts,
        [0, 1, 2, 3, 4].map((id) => list.filter((i) => i === id).length),
      );
    }),
    { numRuns: fc.readConfigureGlobal().numRuns ?? 8 },
  );
});

everywhere('pick takes one element of each row, 0 where there is none; its gradient puts it back', async (device) => {
  const x = () => tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  const at = () => tensor([2, 0], [2], 'i32');
  assert.equal(await read(device, () => pick(x(), at())), [3, 4]);
  assert.equal(await read(device, () => pick(x(), tensor([-1, 3], [2], 'i32'))), [0, 0]);
  assert.equal(await read(device, () => grad((t: Tensor) => sum(pick(t, at())))(x())), [0, 0, 1, 1, 0, 0]);
});

everywhere('gatherPositions takes each sequence its own positions, and zeros for −1', (device) =>
  forSizes('b t c', async ({ b, t, c }, real) => {
    const x = real(b, t, c);
    const last = tensor(
      Array.from({ length: 2 * b }, (_, i) => (i % 2 === 0 ? t - 1 : -1)),
      [b, 2],
      'i32',
    );
    const came = () => gatherPositions(x, last);
    await same(device, () => [slice(came(), [0, 0, 0], [b, 1, c]), slice(x, [0, t - 1, 0], [b, 1, c])], 0);
    await same(device, () => [slice(came(), [0, 1, 0], [b, 1, c]), zeros([b, 1, c])], 0);
  }),
);

test('ids of the wrong type or number are refused', () => {
  assert.throws(() => gather(zeros([3, 2]), zeros([2])), /gather: expected ids of dtype i32, got f32 \[2\]/);
  assert.throws(() => gather(zeros([3]), zeros([2], 'i32')), /gather: expected a table \[rows, columns\], got \[3\]/);
  assert.throws(
    () => scatterAdd(zeros([2], 'i32'), zeros([3, 2]), 4),
    /one row for each id, got ids \[2\] and rows \[3 2\]/,
  );
  assert.throws(() => pick(zeros([2, 3]), zeros([3], 'i32')), /one id for each row of \[2 3\], got ids \[3\]/);
});

test.run();
