/**
 * Reductions: many numbers to one, along some axes or all. y = Σₖ x[k] sends its cotangent to every term, dx[k] = dy; the
 * mean, y = Σₖ x[k] / n, sends dy / n; and y = maxₖ x[k] sends dy to the places that hold the largest, dx[k] = dy · [x[k] = y].
 */
import * as kernels from '../../kernels/axes.ts';
import type { Values } from '../../kernels/device/device.ts';
import { operation } from '../op.ts';
import type { Shape, Spec } from '../shape.ts';
import { around, axisOf, show, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { equal, mul } from './arith.ts';
import { broadcastTo, reshape, sumAxes } from './axes.ts';

export interface Reduction {
  /** The axis, or axes, to reduce; all when absent. Negative ones count from the end. */
  readonly axis?: number | readonly number[];
  /** Keep the reduced axes with size 1. */
  readonly keepDims?: boolean;
}

const axesOf = (x: Tensor, { axis }: Reduction, name: string): number[] => {
  if (axis === undefined) return x.shape.map((_, i) => i);
  return (typeof axis === 'number' ? [axis] : [...axis]).map((a) => axisOf(a, x.shape, name));
};

const drop = (shape: Shape, axes: readonly number[]) => shape.filter((_, i) => !axes.includes(i));

/** y = Σ x. */
export const sum = (x: Tensor, options: Reduction = {}): Tensor => {
  const axes = axesOf(x, options, 'sum');
  const y = sumAxes(x, axes);
  return options.keepDims ? y : reshape(y, drop(x.shape, axes));
};

const sumSquaresOp = operation({
  name: 'sumSquares',
  about: 'y = Σ x², over all elements',
  domain: { inputs: [{ dims: 'm n' }] },
  shape: () => ({ shape: [], dtype: 'f32' }),
  reference: ([x], y) => x.forEach((v) => (y[0] += v * v)),
  launches(_, [{ shape }]) {
    // As many sums as each has terms, then their sum.
    const size = sizeOf(shape);
    const sums = Math.max(1, Math.ceil(Math.sqrt(size)));
    return [
      { kernel: kernels.sumSquares, arrays: [0], integers: [sums, size], output: [sums], into: 'sums' },
      { kernel: kernels.sumAxis, arrays: ['sums'], integers: [sums, 1], output: [1, 1] },
    ];
  },
  vjp: (dy, { inputs: [x] }) => [mul(mul(x, 2), dy)],
  keeps: [0],
});

/** y = Σ x²: the square of the norm. */
export const sumSquares = (x: Tensor): Tensor => sumSquaresOp({}, x);

/** y = Σ x / n, with n numbers in each sum. */
export const mean = (x: Tensor, options: Reduction = {}): Tensor => {
  const n = sizeOf(axesOf(x, options, 'mean').map((a) => x.shape[a]));
  return mul(sum(x, options), 1 / n);
};

const oneAxis = ([x]: readonly Spec[], { axis }: { axis: number }): Shape => {
  if (x.shape[axis] === 0) throw new Error(`max: axis ${axis} of ${show(x.shape)} is empty and has no largest element`);
  return x.shape.map((n, i) => (i === axis ? 1 : n));
};

/** For each line along the axis, the smallest index of its largest element. */
const largest = (x: Values, spec: Spec, axis: number, visit: (line: number, k: number, value: number) => void) => {
  const { outer, along, inner } = around(spec.shape, axis);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let best = 0;
      const at = (k: number) => x[(o * along + k) * inner + i];
      for (let k = 1; k < along; k++) if (at(k) > at(best)) best = k;
      visit(o * inner + i, best, at(best));
    }
  }
};

const alongAxis = (kernel: typeof kernels.maxAxis, axis: number, x: Spec) => {
  const { outer, along, inner } = around(x.shape, axis);
  return [{ kernel, arrays: [0], integers: [along, inner], output: [inner, outer] }];
};

const maxOp = operation<{ axis: number }>({
  name: 'max',
  about: 'y = maxₖ x[…, k, …], along one axis, which stays with size 1',
  domain: { inputs: [{ dims: 'm n k' }], params: (_, pick) => ({ axis: pick(3) }) },
  shape: (specs, params) => ({ shape: oneAxis(specs, params), dtype: specs[0].dtype }),
  reference: ([x], y, { axis }, [spec]) => largest(x, spec, axis, (line, _, value) => (y[line] = value)),
  launches: ({ axis }, [x]) => alongAxis(kernels.maxAxis, axis, x),
  vjp: (dy, { inputs: [x], output: y }) => [mul(equal(x, broadcastTo(y, x.shape)), broadcastTo(dy, x.shape))],
  keeps: [0, 'output'],
});

const argmaxOp = operation<{ axis: number }>({
  name: 'argmax',
  about: 'y = the smallest k at which x[…, k, …] is largest',
  domain: { inputs: [{ dims: 'm n k' }], params: (_, pick) => ({ axis: pick(3) }) },
  shape: (specs, params) => ({ shape: oneAxis(specs, params), dtype: 'i32' }),
  reference: ([x], y, { axis }, [spec]) => largest(x, spec, axis, (line, k) => (y[line] = k)),
  launches: ({ axis }, [x]) => alongAxis(kernels.argmaxAxis, axis, x),
});

/** The largest element. Its gradient goes to every place that holds it. */
export const max = (x: Tensor, options: Reduction = {}): Tensor => {
  const axes = axesOf(x, options, 'max');
  const y = axes.reduce((reduced, axis) => maxOp({ axis }, reduced), x);
  return options.keepDims ? y : reshape(y, drop(x.shape, axes));
};

/** Where the largest element along an axis is (the last axis unless told otherwise); the first such place in a tie. */
export const argmax = (x: Tensor, { axis = -1, keepDims = false }: { axis?: number; keepDims?: boolean } = {}): Tensor => {
  const along = axisOf(axis, x.shape, 'argmax');
  const y = argmaxOp({ axis: along }, x);
  return keepDims ? y : reshape(y, drop(x.shape, [along]));
};
