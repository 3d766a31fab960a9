/**
 * Laws for the laws: mistakes that respected libraries have shipped, planted on purpose. The generic laws must find each
 * of them; a law that is satisfied with a wrong operation proves nothing about a right one.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import '../../lib/index.ts';
import type { DeviceName, Thread } from '../../kernels/device/device.ts';
import { stopGradient } from '../../lib/grad.ts';
import type { Op } from '../../lib/op.ts';
import { elementwise, registry } from '../../lib/op.ts';
import { add, div, exp, mul, sqrt, square, sub, tanh } from '../../lib/ops/arith.ts';
import { reshape, sumTo } from '../../lib/ops/axes.ts';
import { erf } from '../../lib/ops/gelu.ts';
import { matmul } from '../../lib/ops/matmul.ts';
import { slice } from '../../lib/ops/move.ts';
import { mean } from '../../lib/ops/reduce.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { share } from '../../lib/tensor.ts';
import { laws } from './laws.ts';

/** Puts a mistake into a registered operation and requires that the law finds it there, and that it holds without. */
const finds = async (law: string, name: string, mistake: Partial<Op>, device: DeviceName = 'reference') => {
  const right = registry.get(name)!;
  const wrong: Op = { ...right, ...mistake };
  registry.set(name, wrong);
  try {
    const found = await laws[law].law(wrong, device).then(
      () => false,
      () => true,
    );
    if (!found) throw new Error(`the ${law} law did not find the mistake planted in ${name}`);
  } finally {
    registry.set(name, right);
  }
  await laws[law].law(right, device);
};

// RUNS may ask for so few cases that a law cannot be expected to find anything.
const configured = fc.readConfigureGlobal();
test.before(() => fc.configureGlobal({ ...configured, numRuns: undefined }));
test.after(() => fc.configureGlobal(configured));

const row = { axis: -1, keepDims: true };

test('a GELU with the slope of the tanh approximation is found', () => {
  const k = Math.sqrt(2 / Math.PI);
  return finds('gradient', 'gelu', {
    vjp: (dy, { inputs: [x] }) => {
      const t = tanh(mul(add(x, mul(mul(square(x), x), 0.044715)), k));
      const inner = mul(add(mul(square(x), 3 * 0.044715), 1), k);
      const slope = add(mul(add(t, 1), 0.5), mul(mul(x, sub(1, square(t))), mul(inner, 0.5)));
      return [mul(dy, slope)];
    },
  });
});

test('a GELU slope with a constant that is off by one part in a hundred is found', () =>
  finds('gradient', 'gelu', {
    vjp: (dy, { inputs: [x] }) => {
      const cdf = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
      const density = mul(exp(mul(square(x), -0.5)), 1.01 / Math.sqrt(2 * Math.PI));
      return [mul(dy, add(cdf, mul(x, density)))];
    },
  }));

test('a softmax without its row sum is found', () =>
  finds('gradient', 'softmax', { vjp: (dy, { output: y }) => [mul(y, dy)] }));

test('a layer norm whose slope lacks the mean is found', () =>
  finds('gradient', 'layerNorm', {
    vjp(dy, { inputs: [x, gain, bias] }) {
      const centred = sub(x, mean(x, row));
      const deviation = sqrt(add(mean(square(centred), row), 1e-2));
      const normal = div(centred, deviation);
      const g = mul(dy, gain);
      const dx = div(sub(g, mul(normal, mean(mul(g, normal), row))), deviation);
      return [dx, sumTo(mul(dy, normal), gain.shape), sumTo(dy, bias.shape)];
    },
  }));

test('a product of square matrices whose slope forgets a transposition is found', () =>
  finds('gradient', 'matmul', {
    domain: { inputs: [{ dims: 'n n' }, { dims: 'n n' }] },
    vjp: (dy, { inputs: [a, b] }) => [matmul(dy, b), matmul(a, dy, { transposeA: true })],
  }));

test('a bias whose gradient takes one row instead of adding up all is found', () =>
  finds('gradient', 'add', {
    vjp: (dy, { inputs: [, b] }) => [dy, reshape(slice(dy, [0, 0], [1, b.size]), b.shape)],
  }));

test('an embedding whose gradient does not add up repeated ids is found', () =>
  finds('gradient', 'gather', {
    domain: { inputs: [{ dims: '3 e' }, { dims: '8', below: 3 }] },
    vjp: (dy) => [slice(dy, [0, 0], [3, dy.shape[1]]), null],
  }));

test('a gradient of the wrong shape is found', () =>
  finds('shapes', 'mul', { vjp: (dy, { inputs: [a, b] }) => [mul(dy, b), mul(dy, a)] }));

test('a vjp that is not linear is found', () =>
  finds('linear', 'exp', { vjp: (dy, { output: y }) => [mul(y, square(dy))] }));

test('a vjp that uses what it does not keep is found', () => finds('gradient', 'log', { keeps: [] }));

test('a vjp that is right itself but cuts its own gradient is found', () =>
  finds('second', 'exp', { vjp: (dy, { output: y }) => [mul(dy, stopGradient(y))] }));

test('a shape rule that promises too much, or too little, is found', async () => {
  await finds('shape', 'gelu', { shape: ([x]) => ({ shape: [...x.shape, 2], dtype: 'f32' }), launches: () => [] });
  await finds('shape', 'gather', { shape: ([, ids]) => ({ shape: ids.shape, dtype: 'f32' }), launches: () => [] });
});

test('a gradient that leaves a buffer behind is found', async () => {
  const left: Tensor[] = [];
  await finds('memory', 'exp', { vjp: (dy, { output: y }) => (left.push(share(dy)), [mul(dy, y)]) });
  left.forEach((x) => x.free('after the test'));
});

function tanhGelu(this: Thread, x: Float32Array): number {
  const v = x[this.thread.x];
  const e = Math.exp(1.5957691216 * (v + 0.044715 * v * v * v));
  return v * (1 - 1 / (e + 1));
}

function sumAllButLast(this: Thread, x: Float32Array, along: number, inner: number): number {
  let sum = 0;
  for (let k = 0; k < along - 1; k++) {
    sum += x[(this.thread.y * along + k) * inner + this.thread.x];
  }
  return sum;
}

function coarseUniform(this: Thread, key: Float32Array): number {
  return key[0] / 65536 + 0 * this.thread.x;
}

test('kernels that compute something else are found', async () => {
  const launches: Op['launches'] = (_, __, y) => [{ kernel: tanhGelu, arrays: [0], output: elementwise(y) }];
  await finds('kernel', 'gelu', { launches }, 'cpu');
  const right = registry.get('sumAxis')!;
  const last: Op['launches'] = (...args) => right.launches(...args).map((call) => ({ ...call, kernel: sumAllButLast }));
  await finds('kernel', 'sumAxis', { launches: last }, 'cpu');
  const bits: Op['launches'] = (_, __, y) => [{ kernel: coarseUniform, arrays: [0], output: elementwise(y) }];
  await finds('kernel', 'uniform', { launches: bits }, 'cpu');
});

test.run();
