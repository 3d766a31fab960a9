/** Laws of softmax, plain, in logarithms, and over the keys that a mask attends to. */
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import * as ops from '../../lib/index.ts';
import { onEveryDevice, forSizes, read, same } from '../laws/everywhere.ts';

const everywhere = onEveryDevice(test);

const { add, exp, full, log, logSoftmax, maskedSoftmax, mul, ones, reshape, softmax, sum, tensor, zeros, grad } = ops;

everywhere('softmax sums to one in every row', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const x = mul(real(m, n), 3);
    await same(device, () => [sum(softmax(x), { axis: -1 }), ones([m])]);
  }),
);

everywhere('softmax ignores a shift of its row', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const [x, shift] = [real(m, n), real(m, 1)];
    await same(device, () => [softmax(add(x, mul(shift, 4))), softmax(x)]);
  }),
);

everywhere('its gradient is therefore 0 in total, row by row', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const [x, w] = [real(m, n), real(m, n)];
    const slope = () => grad((t: typeof x) => sum(mul(softmax(t), w)))(x);
    await same(device, () => [sum(slope(), { axis: -1 }), zeros([m])]);
  }),
);

everywhere('logSoftmax is the logarithm of softmax, and stays finite where that is 0', async (device) => {
  await forSizes('m n', async ({ m, n }, real) => {
    const x = real(m, n);
    await same(device, () => [exp(logSoftmax(x)), softmax(x)]);
    await same(device, () => [logSoftmax(x), log(softmax(x))], 1e-4);
  });
  const [a, b] = await read(device, () => logSoftmax(tensor([0, 300])));
  assert.ok(Math.abs(a + 300) < 1e-3 && Math.abs(b) < 1e-6, `logSoftmax of 0 and 300 is ${[a, b]}`);
  assert.equal(await read(device, () => softmax(tensor([-5000, 5000]))), [0, 1]);
});

everywhere('equal scores share equally', (device) =>
  forSizes('m n', async ({ m, n }) => same(device, () => [softmax(full([m, n], 7)), full([m, n], 1 / n)])),
);

everywhere('with a mask of ones, maskedSoftmax is softmax of the scaled scores', (device) =>
  forSizes('b h q k', async ({ b, h, q, k }, real) => {
    const x = real(b, h, q, k);
    await same(device, () => [maskedSoftmax(x, ones([b, k]), 0.3), softmax(mul(x, 0.3))]);
  }),
);

everywhere('what the mask hides gets exactly 0 and changes nothing at the others', (device) =>
  forSizes('h q k', async ({ h, q, k }, real) => {
    const [x, hidden] = [real(1, h, q, k), real(1, h, q, 2)];
    const mask = ops.concat([ones([1, k]), zeros([1, 2])], 1);
    const wide = () => maskedSoftmax(ops.concat([x, mul(hidden, 50)], 3), mask, 1);
    await same(device, () => [ops.slice(wide(), [0, 0, 0, k], [1, h, q, 2]), zeros([1, h, q, 2])], 0);
    await same(device, () => [ops.slice(wide(), [0, 0, 0, 0], [1, h, q, k]), softmax(x)]);
  }),
);

everywhere('a row that attends to nothing is all 0, and so is its gradient', async (device) => {
  const x = () => reshape(tensor([1, 2, 3, 4]), [2, 1, 2]);
  const mask = () => tensor([0, 0, 1, 1], [2, 2]);
  const [a, b, c, d] = await read(device, () => maskedSoftmax(x(), mask(), 1));
  assert.ok(a === 0 && b === 0 && Math.abs(c + d - 1) < 1e-6, `it gives ${[a, b, c, d]}`);
  const slopes = await read(device, () =>
    grad((t: ops.Tensor) => sum(mul(maskedSoftmax(t, mask(), 1), reshape(tensor([1, 2, 3, 4]), [2, 1, 2]))))(x()),
  );
  assert.equal(slopes.slice(0, 2).map(Math.abs), [0, 0]);
});

test('a mask that does not fit is refused, with both shapes', () => {
  assert.throws(
    () => maskedSoftmax(zeros([2, 1, 3]), ones([2, 4]), 1),
    /expected scores \[b, …, k\] and a mask \[b, k\], got \[2 1 3\] and \[2 4\]/,
  );
});

test.run();
