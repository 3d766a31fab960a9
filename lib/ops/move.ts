/**
 * Moving values without changing them: transpose, slice, pad, concat. Each is y[i] = x[p(i)] for some map p of places (or 0,
 * where pad adds one), so its vjp moves the cotangent back: dx[p(i)] = dy[i].
 */
import * as kernels from '../../kernels/axes.ts';
import { operation } from '../op.ts';
import type { Shape } from '../shape.ts';
import { around, axisOf, sameShape, show, stridesOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { reshape, stridedCall, walkStrided } from './axes.ts';

const isOrder = (order: readonly number[], rank: number): boolean =>
  order.length === rank && [...order].sort((a, b) => a - b).every((axis, i) => axis === i);

const transposeOp = operation<{ order: readonly number[] }>({
  name: 'transpose',
  about: 'y = x with its axes in another order: axis i of y is axis order[i] of x',
  domain: { inputs: [{ dims: 'm n k' }], params: (_, pick) => ({ order: [[0, 2, 1], [1, 0, 2], [2, 0, 1], [2, 1, 0]][pick(4)] }) },
  shape([x], { order }) {
    if (!isOrder(order, x.shape.length)) {
      throw new Error(`transpose: ${show(order)} is not an order of the axes of ${show(x.shape)}`);
    }
    return { shape: order.map((axis) => x.shape[axis]), dtype: x.dtype };
  },
  reference: ([x], y, { order }, [input], output) =>
    walkStrided(output.shape, order.map((axis) => stridesOf(input.shape)[axis]), 0, (to, from) => (y[to] = x[from])),
  launches: ({ order }, [x], y) => [stridedCall(y.shape, order.map((axis) => stridesOf(x.shape)[axis]), 0, 'transpose')],
  vjp: (dy, { params: { order } }) => [transpose(dy, order.map((_, axis) => order.indexOf(axis)))],
});

/** The axes in another order; without `order`, the last two change places. Where only axes of size 1 move, no number does. */
export const transpose = (x: Tensor, order?: readonly number[]): Tensor => {
  const rank = x.shape.length;
  if (order === undefined && rank < 2) throw new Error(`transpose: expected at least two axes, got ${show(x.shape)}`);
  const axes = order ?? [...Array(rank - 2).keys(), rank - 1, rank - 2];
  const long = axes.filter((axis) => x.shape[axis] !== 1);
  const stay = isOrder(axes, rank) && long.every((axis, i) => i === 0 || long[i - 1] < axis);
  return stay ? reshape(x, axes.map((axis) => x.shape[axis])) : transposeOp({ order: axes }, x);
};

interface Window {
  readonly starts: readonly number[];
  readonly sizes: readonly number[];
}

const sliceOp = operation<Window>({
  name: 'slice',
  about: 'y[i, …] = x[starts[0] + i, …]',
  domain: {
    inputs: [{ dims: 'm n' }],
    params({ m, n }, pick) {
      const starts = [pick(m), pick(n)];
      return { starts, sizes: [1 + pick(m - starts[0]), 1 + pick(n - starts[1])] };
    },
  },
  shape([x], { starts, sizes }) {
    const fits = x.shape.every((n, i) => starts[i] >= 0 && sizes[i] >= 0 && starts[i] + sizes[i] <= n);
    if (!fits || starts.length !== x.shape.length || sizes.length !== x.shape.length) {
      throw new Error(`slice: no window of size ${show(sizes)} starts at ${show(starts)} in a tensor of shape ${show(x.shape)}`);
    }
    return { shape: sizes, dtype: x.dtype };
  },
  reference: ([x], y, { starts }, [input], output) =>
    walkStrided(output.shape, stridesOf(input.shape), offsetOf(starts, input.shape), (to, from) => (y[to] = x[from])),
  launches: ({ starts }, [x], y) => [stridedCall(y.shape, stridesOf(x.shape), offsetOf(starts, x.shape), 'slice')],
  vjp: (dy, { inputs: [x], params: { starts } }) => [
    x.shape.reduce((d, size, axis) => (d.shape[axis] === size ? d : pad({ axis, before: starts[axis], size }, d)), dy),
  ],
});

const offsetOf = (starts: readonly number[], shape: Shape) => stridesOf(shape).reduce((sum, stride, i) => sum + stride * starts[i], 0);

/** The window of this size that begins at `starts`. */
export const slice = (x: Tensor, starts: readonly number[], sizes: readonly number[]): Tensor => sliceOp({ starts, sizes }, x);

/** x with zeros before and after it along one axis, which gets this size. */
export const pad: (params: { axis: number; before: number; size: number }, x: Tensor) => Tensor = operation<{
  axis: number;
  before: number;
  size: number;
}>({
  name: 'pad',
  about: 'y = x with zeros before and after it along one axis, which gets this size',
  domain: {
    inputs: [{ dims: 'm n k' }],
    params: (sizes, pick) => {
      const axis = pick(3);
      const before = pick(3);
      return { axis, before, size: [sizes.m, sizes.n, sizes.k][axis] + before + pick(3) };
    },
  },
  shape([x], { axis, before, size }) {
    if (before < 0 || before + x.shape[axis] > size) {
      throw new Error(`pad: axis ${axis} of ${show(x.shape)} with ${before} zeros before it does not fit into ${size}`);
    }
    return { shape: x.shape.map((n, i) => (i === axis ? size : n)), dtype: x.dtype };
  },
  reference([x], y, { axis, before, size }, [input]) {
    const { outer, along, inner } = around(input.shape, axis);
    for (let o = 0; o < outer; o++) {
      for (let k = 0; k < along; k++) {
        for (let i = 0; i < inner; i++) y[(o * size + before + k) * inner + i] = x[(o * along + k) * inner + i];
      }
    }
  },
  launches({ axis, before, size }, [x]) {
    const { outer, along, inner } = around(x.shape, axis);
    return [{ kernel: kernels.padAxis, arrays: [0], integers: [along, inner, before], output: [inner, size, outer] }];
  },
  vjp: (dy, { inputs: [x], params: { axis, before } }) => [
    slice(dy, dy.shape.map((_, i) => (i === axis ? before : 0)), x.shape),
  ],
});

const concatOp = operation<{ axis: number }>({
  name: 'concat',
  about: 'y = a, then b, along one axis',
  domain: { inputs: [{ dims: 'm n k' }, { dims: 'm p k' }], params: () => ({ axis: 1 }) },
  shape([a, b], { axis }) {
    const others = (shape: Shape) => shape.filter((_, i) => i !== axis);
    if (a.shape.length !== b.shape.length || !sameShape(others(a.shape), others(b.shape)) || a.dtype !== b.dtype) {
      throw new Error(`concat: ${a.dtype} ${show(a.shape)} and ${b.dtype} ${show(b.shape)} differ in more than axis ${axis}`);
    }
    return { shape: a.shape.map((n, i) => (i === axis ? n + b.shape[i] : n)), dtype: a.dtype };
  },
  reference([a, b], y, { axis }, [first, second]) {
    const { outer, along: p, inner } = around(first.shape, axis);
    const q = second.shape[axis];
    for (let o = 0; o < outer; o++) {
      y.set(a.subarray(o * p * inner, (o + 1) * p * inner), o * (p + q) * inner);
      y.set(b.subarray(o * q * inner, (o + 1) * q * inner), (o * (p + q) + p) * inner);
    }
  },
  launches({ axis }, [a, b]) {
    const { outer, along, inner } = around(a.shape, axis);
    const second = b.shape[axis];
    return [{ kernel: kernels.concatAxis, arrays: [0, 1], integers: [along, second, inner], output: [inner, along + second, outer] }];
  },
  vjp: (dy, { inputs: [a, b], params: { axis } }) => [
    slice(dy, dy.shape.map(() => 0), a.shape),
    slice(dy, dy.shape.map((_, i) => (i === axis ? a.shape[axis] : 0)), b.shape),
  ],
});

/** The tensors one after another along an axis; their other sizes must agree. */
export const concat = (list: readonly Tensor[], axis: number): Tensor => {
  if (list.length === 0) throw new Error('concat: expected at least one tensor, got an empty list');
  const along = axisOf(axis, list[0].shape, 'concat');
  return list.reduce((a, b) => concatOp({ axis: along }, a, b));
};

/** The tensors, all of one shape, as rows of a new first axis. */
export const stack = (list: readonly Tensor[]): Tensor => concat(list.map((x) => reshape(x, [1, ...x.shape])), 0);
