/** Laws of moving values: transpose, slice, concat, stack; each of them there and back. */
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import { concat, grad, mul, reshape, slice, stack, sum, tensor, transpose, zeros } from '../../lib/index.ts';
import { onEveryDevice, forSizes, read, same } from '../laws/everywhere.ts';

const everywhere = onEveryDevice(test);

const orders = [
  [0, 1, 2, 3],
  [0, 2, 1, 3],
  [3, 2, 1, 0],
  [1, 3, 0, 2],
  [2, 0, 3, 1],
];

everywhere('transpose there and back is the identity, in every order of the axes', (device) =>
  forSizes('a b c d', async ({ a, b, c, d }, real) => {
    const x = real(a, b, c, d);
    for (const order of orders) {
      const back = order.map((_, axis) => order.indexOf(axis));
      await same(device, () => [transpose(transpose(x, order), back), x], 0);
    }
  }),
);

everywhere('transpose puts x[i, j] at [j, i]', async (device) => {
  const x = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  assert.equal(await read(device, () => transpose(x)), [1, 4, 2, 5, 3, 6]);
});

everywhere('slices along an axis, put together again, are the whole', (device) =>
  forSizes('m n k p', async ({ m, n, k, p }, real) => {
    const x = real(m, n + p, k);
    const parts = () => [slice(x, [0, 0, 0], [m, n, k]), slice(x, [0, n, 0], [m, p, k])];
    await same(device, () => [concat(parts(), 1), x], 0);
    await same(device, () => [concat(parts(), -2), x], 0);
  }),
);

everywhere('concat is associative, and slices take its parts out again', (device) =>
  forSizes('m n p q', async ({ m, n, p, q }, real) => {
    const [a, b, c] = [real(n, m), real(p, m), real(q, m)];
    await same(device, () => [concat([concat([a, b], 0), c], 0), concat([a, concat([b, c], 0)], 0)], 0);
    await same(device, () => [slice(concat([a, b, c], 0), [n, 0], [p, m]), b], 0);
  }),
);

everywhere('the gradient of a slice is the cotangent padded with zeros', (device) =>
  forSizes('m n p q', async ({ m, n, p, q }, real) => {
    const [x, w] = [real(p + m + q, n + 2), real(m, n)];
    const slope = () => grad((t: typeof x) => sum(mul(slice(t, [p, 1], [m, n]), w)))(x);
    const middle = () => concat([zeros([m, 1]), w, zeros([m, 1])], 1);
    await same(device, () => [slope(), concat([zeros([p, n + 2]), middle(), zeros([q, n + 2])], 0)], 0);
  }),
);

everywhere('stack makes rows of a new axis', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const [a, b] = [real(m, n), real(m, n)];
    await same(device, () => [reshape(slice(stack([a, b]), [1, 0, 0], [1, m, n]), [m, n]), b], 0);
  }),
);

test('windows, orders and lists that make no sense are refused', () => {
  assert.throws(
    () => slice(zeros([2, 3]), [1, 0], [2, 3]),
    /slice: no window of size \[2 3\] starts at \[1 0\] in a tensor of shape \[2 3\]/,
  );
  assert.throws(() => transpose(zeros([2, 3]), [0, 0]), /transpose: \[0 0\] is not an order of the axes of \[2 3\]/);
  assert.throws(() => transpose(zeros([2])), /expected at least two axes, got \[2\]/);
  assert.throws(() => concat([zeros([2, 3]), zeros([3, 4])], 0), /\[2 3\].*\[3 4\].*axis 0/);
  assert.throws(
    () => concat([zeros([2, 3]), zeros([2, 3])], 2),
    /concat: there is no axis 2 in \[2 3\]; choose one from 0 to 1/,
  );
  assert.throws(() => concat([], 0), /at least one/);
});

test.run();
