/** Laws of elementwise arithmetic: identities of the functions, and how operands of different shapes meet. */
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import * as ops from '../../lib/index.ts';
import { onEveryDevice, forSizes, read, same } from '../laws/everywhere.ts';

const everywhere = onEveryDevice(test);

const { add, sub, mul, div, neg, square, sqrt, exp, log, tanh, sigmoid, maximum, minimum, where } = ops;
const { equal, less, differs, broadcastTo, tensor, full, zeros, ones } = ops;

const functions = { add, sub, mul, div, maximum, minimum, equal, less, differs };

everywhere('broadcasting equals explicit repetition, on either side', (device) =>
  forSizes('b m n', async ({ b, m, n }, real) => {
    const shapes = [[n], [m, n], [m, 1], [1, n], [b, 1, n], [b, m, 1], [1, 1, 1], []];
    for (const f of Object.values(functions)) {
      for (const shape of shapes) {
        const [x, y] = [real(b, m, n), add(mul(real(...shape), real(...shape)), 1)];
        await same(device, () => [f(x, y), f(x, broadcastTo(y, [b, m, n]))], 0);
        if (f !== div) await same(device, () => [f(y, x), f(broadcastTo(y, [b, m, n]), x)], 0);
      }
    }
  }),
);

everywhere('two operands that each lack what the other has meet in the larger shape', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const [x, y] = [real(m, 1), real(1, n)];
    await same(device, () => [add(x, y), add(broadcastTo(x, [m, n]), broadcastTo(y, [m, n]))], 0);
  }),
);

everywhere('a number serves as a scalar tensor does', (device) =>
  forSizes('m', async ({ m }, real) => {
    const x = real(m);
    for (const f of Object.values(functions)) {
      await same(device, () => [f(x, 0.5), f(x, full([], 0.5))]);
      if (f !== div) await same(device, () => [f(0.5, x), f(full([], 0.5), x)]);
    }
  }),
);

everywhere('functions and their inverses meet: exp log, √ and square, σ and tanh, max + min = a + b', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const [x, y] = [real(m, n), real(m, n)];
    await same(device, () => [log(exp(x)), x], 1e-4);
    await same(device, () => [square(sqrt(add(square(x), 0.1))), add(square(x), 0.1)]);
    await same(device, () => [sigmoid(x), mul(add(tanh(mul(x, 0.5)), 1), 0.5)]);
    await same(device, () => [add(sigmoid(x), sigmoid(neg(x))), ones([m, n])]);
    await same(device, () => [add(maximum(x, y), minimum(x, y)), add(x, y)]);
    await same(device, () => [mul(div(x, add(square(y), 1)), add(square(y), 1)), x]);
  }),
);

everywhere('less, equal and greater are three cases that leave no fourth', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const [x, y] = [real(m, n), real(m, n)];
    await same(device, () => [add(add(less(x, y), less(y, x)), equal(x, y)), ones([m, n])], 0);
    await same(device, () => [differs(x, x), zeros([m, n])], 0);
    await same(device, () => [where(less(x, y), x, y), minimum(x, y)], 0);
  }),
);

everywhere('nothing overflows far out: σ and tanh end at their limits', async (device) => {
  const far = () => tensor([-1e4, -100, 100, 1e4]);
  assert.equal(await read(device, () => tanh(far())), [-1, -1, 1, 1]);
  const [a, b, c, d] = await read(device, () => sigmoid(far()));
  assert.ok(a === 0 && b < 1e-30 && c === 1 && d === 1, `σ gives ${[a, b, c, d]}`);
});

everywhere('small numbers keep their digits: tanh x and σ x − ½ near 0', async (device) => {
  const x = Float32Array.from([1e-6, 3e-4, 1e-2, 0.05, 0.0999, 0.1001]);
  const y = await read(device, () => tanh(tensor(x)));
  y.forEach((value, i) => assert.ok(Math.abs(value / Math.tanh(x[i]) - 1) < 2e-6, `tanh ${x[i]} = ${value}`));
});

everywhere('whole numbers stay whole: the sum of i32 tensors is one, a quotient is not', async (device) => {
  const x = tensor([7, -2, 9], [3], 'i32');
  assert.is(add(x, x).dtype, 'i32');
  assert.is(add(x, 1).dtype, 'i32');
  assert.is(where(less(x, 0), 0, x).dtype, 'i32');
  assert.is(div(x, x).dtype, 'f32');
  assert.is(mul(x, 0.5).dtype, 'f32');
  assert.equal(await read(device, () => sub(x, tensor([1, 1, 1], [3], 'i32'))), [6, -3, 8]);
});

test('shapes that do not broadcast are refused, with both', () => {
  assert.throws(
    () => add(zeros([2, 3]), zeros([2, 4])),
    /add: \[2 3\] and \[2 4\] do not broadcast: axis 1 is 3 in one/,
  );
  assert.throws(() => where(zeros([2]), zeros([3]), 0), /where: .*\[2\].*\[3\]|where: \[3\] and \[2\]/);
});

test.run();
