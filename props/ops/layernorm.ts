/** Laws of layer norm. */
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import type { Tensor } from '../../lib/index.ts';
import { add, exp, full, grad, layerNorm, mean, mul, ones, square, sum, tensor, zeros } from '../../lib/index.ts';
import { onEveryDevice, forSizes, read, same } from '../laws/everywhere.ts';

const everywhere = onEveryDevice(test);

const plain = (x: Tensor, epsilon?: number) => layerNorm(x, ones([x.shape.at(-1)!]), zeros([x.shape.at(-1)!]), epsilon);

everywhere('layer norm ignores a shift and a positive scale of its row', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const [x, shift, scale] = [real(m, n + 3), real(m, 1), real(m, 1)];
    await same(device, () => [plain(add(mul(x, exp(scale)), shift)), plain(x)], 1e-4);
  }),
);

everywhere('with gain 1 and bias 0, a row has mean 0 and variance 1', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const x = real(m, n + 3);
    await same(device, () => [mean(plain(x), { axis: -1 }), zeros([m])]);
    await same(device, () => [mean(square(plain(x)), { axis: -1 }), ones([m])], 1e-4);
  }),
);

everywhere('gain and bias act on the normalised row', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const [x, gain, bias] = [real(m, n + 3), real(n + 3), real(n + 3)];
    await same(device, () => [layerNorm(x, gain, bias), add(mul(plain(x), gain), bias)]);
  }),
);

everywhere('a constant row becomes its bias, not NaN', async (device) => {
  const bias = [1, -2, 0.5, 3];
  const y = await read(device, () => layerNorm(full([1, 4], 7), ones([4]), tensor(bias)));
  y.forEach((v, i) => assert.ok(Math.abs(v - bias[i]) < 1e-4, `it becomes ${y}`));
});

everywhere('the gradient is 0 along a shift of the row and along the row itself', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const [x, w] = [real(m, n + 3), real(m, n + 3)];
    const slope = () => grad((t: Tensor) => sum(mul(plain(t), w)))(x);
    await same(device, () => [sum(slope(), { axis: -1 }), zeros([m])], 1e-4);
    await same(device, () => [mul(sum(mul(slope(), x), { axis: -1 }), 1e-3), zeros([m])], 1e-5);
  }),
);

test('gain and bias of another width are refused, with all shapes', () => {
  assert.throws(
    () => layerNorm(zeros([2, 3]), ones([4]), zeros([3])),
    /expected gain and bias of shape \[3\] for x \[2 3\], got \[4\] and \[3\]/,
  );
});

test.run();
