/** Laws of reductions. */
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import {
  add,
  argmax,
  broadcastTo,
  equal,
  full,
  gather,
  max,
  mean,
  mul,
  neg,
  ones,
  pick,
  reshape,
  sum,
  tensor,
  zeros,
} from '../../lib/index.ts';
import { onEveryDevice, forSizes, read, same } from '../laws/everywhere.ts';

const everywhere = onEveryDevice(test);

everywhere('a sum over all axes is a sum axis by axis, in any order', (device) =>
  forSizes('a b c', async ({ a, b, c }, real) => {
    const x = real(a, b, c);
    const once = (...axes: number[]) => axes.reduce((y, axis) => sum(y, { axis, keepDims: true }), x);
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
      [1, 2, 0],
    ]) {
      await same(device, () => [reshape(once(...order), []), sum(x)], 1e-4);
    }
    await same(device, () => [sum(x, { axis: [0, 2] }), sum(sum(x, { axis: 2 }), { axis: 0 })], 1e-4);
    await same(device, () => [sum(x, { axis: [0, 2], keepDims: true }), once(0, 2)], 1e-4);
  }),
);

everywhere('sum is linear, and the sum of ones counts', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const [x, y] = [real(m, n), real(m, n)];
    await same(
      device,
      () => [sum(add(x, mul(y, 3)), { axis: 0 }), add(sum(x, { axis: 0 }), mul(sum(y, { axis: 0 }), 3))],
      1e-4,
    );
    assert.equal(await read(device, () => sum(ones([m, n]))), [m * n]);
  }),
);

everywhere('a mean lies between the smallest and the largest, and that of a constant is it', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const x = real(m, n);
    const [middle, most, least] = await Promise.all([
      read(device, () => mean(x)),
      read(device, () => max(x)),
      read(device, () => neg(max(neg(x)))),
    ]);
    assert.ok(least[0] - 1e-6 <= middle[0] && middle[0] <= most[0] + 1e-6, `${least} ≤ ${middle} ≤ ${most}`);
    await same(
      device,
      () => [mean(broadcastTo(reshape(sum(x), [1, 1]), [m, n]), { axis: 1 }), broadcastTo(sum(x), [m])],
      1e-4,
    );
  }),
);

everywhere('argmax says where max is, along every axis', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const x = real(m, n);
    await same(device, () => [pick(x, argmax(x)), max(x, { axis: 1 })], 0);
    await same(
      device,
      () => [max(equal(x, broadcastTo(max(x, { axis: 0, keepDims: true }), [m, n])), { axis: 0 }), ones([n])],
      0,
    );
    assert.is(argmax(x).dtype, 'i32');
    assert.equal(argmax(x, { axis: 0, keepDims: true }).shape, [1, n]);
  }),
);

everywhere('the largest of numbers that are all −∞ is −∞, along every axis, and the first of them is where it is', async (device) => {
  for (const shape of [[1, 1], [3, 5], [2, 8], [2, 300], [300, 2]]) {
    for (const axis of [0, 1]) {
      const x = () => full(shape, -Infinity);
      assert.ok(Array.from(await read(device, () => max(x(), { axis }))).every((most) => most === -Infinity), `${shape} along ${axis}`);
      assert.ok(Array.from(await read(device, () => argmax(x(), { axis }))).every((k) => k === 0), `${shape} along ${axis}`);
    }
  }
});

everywhere('of equal elements argmax takes the first', async (device) => {
  assert.equal(await read(device, () => argmax(tensor([1, 3, 3, 2, 2, 2], [2, 3]))), [1, 0]);
  assert.equal(await read(device, () => argmax(tensor([-5, -5, -7, -5], [2, 2]), { axis: 0 })), [0, 0]);
});

everywhere('a long sum keeps its digits', async (device) => {
  const [total] = await read(device, () => sum(ones([100_003])));
  assert.is(total, 100_003);
});

test('axes that are not there, and maxima of nothing, are refused', () => {
  assert.throws(() => sum(zeros([2, 3]), { axis: 2 }), /sum: there is no axis 2 in \[2 3\]/);
  assert.throws(() => max(zeros([2, 0]), { axis: 1 }), /axis 1 of \[2 0\] is empty/);
  assert.throws(() => gather(zeros([2, 3]), zeros([2])), /gather: expected ids of dtype i32/);
});

test.run();
