/** Laws of the two losses. */
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import type { Tensor } from '../../lib/index.ts';
import {
  add,
  concat,
  div,
  exp,
  full,
  grad,
  less,
  log,
  logSoftmax,
  mean,
  mul,
  neg,
  ones,
  pick,
  sigmoid,
  sigmoidCrossEntropy,
} from '../../lib/index.ts';
import { reshape, softmax, softmaxCrossEntropy, sub, sum, tensor, zeros } from '../../lib/index.ts';
import { onEveryDevice, forSizes, read, same } from '../laws/everywhere.ts';

const everywhere = onEveryDevice(test);

const labels = (rows: number, columns: number, step: number) =>
  tensor(
    Array.from({ length: rows }, (_, i) => (i * step + 1) % columns),
    [rows],
    'i32',
  );

everywhere('softmax cross-entropy is the mean of −log softmax at the labels', (device) =>
  forSizes('n v s', async ({ n, v, s }, real) => {
    const [x, z] = [real(n, v), labels(n, v, s)];
    await same(device, () => [softmaxCrossEntropy(x, z), neg(mean(pick(logSoftmax(x), z)))]);
  }),
);

everywhere('its gradient is (softmax − one-hot) / rows, which adds up to 0 in every row', (device) =>
  forSizes('n v s', async ({ n, v, s }, real) => {
    const [x, z] = [real(n, v), labels(n, v, s)];
    const slope = () => grad((t: Tensor) => softmaxCrossEntropy(t, z))(x);
    await same(device, () => [sum(slope(), { axis: -1 }), zeros([n])]);
    await same(device, () => [pick(slope(), z), mul(sub(pick(softmax(x), z), 1), 1 / n)]);
  }),
);

everywhere('equal scores cost ln v, whatever the labels', (device) =>
  forSizes('n v s', async ({ n, v, s }) =>
    same(device, () => [softmaxCrossEntropy(full([n, v], 3), labels(n, v, s)), full([], Math.log(v))]),
  ),
);

everywhere('a label that is no column is not counted; a weight of 0 does the same', (device) =>
  forSizes('n v s', async ({ n, v, s }, real) => {
    const [x, z] = [real(n, v), labels(n, v, s)];
    const longer = () => concat([x, full([2, v], 5)], 0);
    await same(device, () => [
      softmaxCrossEntropy(longer(), concat([z, full([2], -100, 'i32')], 0)),
      softmaxCrossEntropy(x, z),
    ]);
    const weights = () => concat([ones([n]), zeros([2])], 0);
    const more = () => concat([z, full([2], 0, 'i32')], 0);
    await same(device, () => [softmaxCrossEntropy(longer(), more(), weights()), softmaxCrossEntropy(x, z)]);
    const w = exp(real(n));
    await same(device, () => [softmaxCrossEntropy(x, z, w), div(sum(mul(w, neg(pick(logSoftmax(x), z)))), sum(w))]);
  }),
);

everywhere('a loss over nothing is 0, and so is its gradient', async (device) => {
  const nothing = () => full([2], -100, 'i32');
  assert.equal(await read(device, () => softmaxCrossEntropy(ones([2, 3]), nothing())), [0]);
  const slope = await read(device, () => grad((t: Tensor) => softmaxCrossEntropy(t, nothing()))(ones([2, 3])));
  assert.ok(slope.every((d) => d === 0));
  assert.equal(await read(device, () => sigmoidCrossEntropy(ones([2]), ones([2]), zeros([2]))), [0]);
});

everywhere('sigmoid cross-entropy is −z ln σ(x) − (1 − z) ln(1 − σ(x)), in the mean', (device) =>
  forSizes('b t', async ({ b, t }, real) => {
    const [x, z] = [real(b, t), less(real(b, t), 0)];
    const one = () => neg(add(mul(z, log(sigmoid(x))), mul(sub(1, z), log(sigmoid(neg(x))))));
    await same(device, () => [sigmoidCrossEntropy(x, z), mean(one())]);
    const w = () => exp(x);
    await same(device, () => [sigmoidCrossEntropy(x, z, w()), div(sum(mul(w(), one())), sum(w()))]);
  }),
);

everywhere('two columns, 0 and x, make the softmax loss the sigmoid loss of x', (device) =>
  forSizes('n', async ({ n }, real) => {
    const [x, z] = [
      real(n, 1),
      tensor(
        Array.from({ length: n }, (_, i) => i % 2),
        [n],
        'i32',
      ),
    ];
    await same(device, () => [
      softmaxCrossEntropy(concat([zeros([n, 1]), x], 1), z),
      sigmoidCrossEntropy(reshape(x, [n]), mul(z, 1)),
    ]);
  }),
);

everywhere('the logit 0 costs ln 2; sure and right costs nothing, sure and wrong what the logit is', async (device) => {
  const [half] = await read(device, () => sigmoidCrossEntropy(zeros([5]), ones([5])));
  assert.ok(Math.abs(half - Math.LN2) < 1e-6);
  const loss = async (x: number, z: number) =>
    (await read(device, () => sigmoidCrossEntropy(tensor([x]), tensor([z]))))[0];
  assert.ok((await loss(200, 1)) < 1e-30);
  assert.is(await loss(200, 0), 200);
  assert.is(await loss(-200, 1), 200);
});

test('labels that do not fit the logits are refused', () => {
  assert.throws(
    () => softmaxCrossEntropy(zeros([2, 3]), zeros([3], 'i32')),
    /one label for each row of logits \[2 3\], got labels \[3\]/,
  );
  assert.throws(() => softmaxCrossEntropy(zeros([2, 3]), zeros([2])), /i32/);
  assert.throws(() => sigmoidCrossEntropy(zeros([2]), zeros([3])), /equal shapes, got \[2\], \[3\]/);
});

test.run();
