/**
 * Axes that come and go: `reshape` looks at the same numbers under another shape, `broadcastTo` repeats them along new
 * axes, and `sumTo` adds them up along those axes. The last two are transposes of each other, hence each other's vjp:
 * Σ broadcastTo(x) · dy = Σ x · sumTo(dy). This pair is all that broadcasting needs, anywhere in the library.
 */
import * as kernels from '../../kernels/axes.ts';
import { each, operation } from '../op.ts';
import type { Shape } from '../shape.ts';
import { around, broadcastShapes, sameShape, show, sizeOf, stridesOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

const reshapeOp = operation<{ shape: Shape }>({
  name: 'reshape',
  about: 'y = x, under another shape of the same size',
  domain: { inputs: [{ dims: 'm n' }], params: ({ m, n }) => ({ shape: [n, m] }) },
  shape([x], { shape }) {
    if (sizeOf(shape) !== sizeOf(x.shape)) {
      throw new Error(`reshape: ${show(x.shape)} holds ${sizeOf(x.shape)} numbers, ${show(shape)} holds ${sizeOf(shape)}`);
    }
    return { shape, dtype: x.dtype };
  },
  reference: each((x) => x),
  launches: () => [],
  vjp: (dy, { inputs: [x] }) => [reshape(dy, x.shape)],
  view: ([buffer]) => ({ buffer }),
});

/** The same numbers under another shape; one size may be −1, to be worked out. Shares the buffer. */
export const reshape = (x: Tensor, shape: Shape): Tensor => {
  if (!shape.includes(-1)) return reshapeOp({ shape: [...shape] }, x);
  const known = Math.max(sizeOf(shape.filter((n) => n !== -1)), 1);
  if (x.size % known !== 0 || shape.indexOf(-1) !== shape.lastIndexOf(-1)) {
    throw new Error(`reshape: ${show(x.shape)} holds ${x.size} numbers, which no size in the place of -1 fits into ${show(shape)}`);
  }
  return reshapeOp({ shape: shape.map((n) => (n === -1 ? x.size / known : n)) }, x);
};

/** The launch of `kernels.strided` for an output of this shape, with these strides in the input; neighbouring axes merge. */
export const stridedCall = (shape: Shape, strides: readonly number[], offset: number, name: string) => {
  const axes: { size: number; stride: number }[] = [];
  shape.forEach((size, i) => {
    const last = axes.at(-1);
    if (size === 1) return;
    if (last !== undefined && last.stride === strides[i] * size) axes[axes.length - 1] = { size: last.size * size, stride: strides[i] };
    else axes.push({ size, stride: strides[i] });
  });
  if (axes.length > 5) throw new Error(`${name}: ${show(shape)} needs more than five separate axes; do it in two steps`);
  while (axes.length < 5) axes.unshift({ size: 1, stride: 0 });
  const [a, b, c, d, e] = axes;
  return {
    kernel: kernels.strided,
    arrays: [0],
    integers: [b.size, c.size, ...axes.map(({ stride }) => stride), offset],
    output: [e.size, d.size, a.size * b.size * c.size],
  };
};

/** Calls `visit(position in the output, position in the input)` for all elements: the reference of `kernels.strided`. */
export const walkStrided = (shape: Shape, strides: readonly number[], offset: number, visit: (to: number, from: number) => void): void => {
  let to = 0;
  const go = (axis: number, from: number) => {
    if (axis === shape.length) visit(to++, from);
    else for (let i = 0; i < shape[axis]; i++) go(axis + 1, from + i * strides[axis]);
  };
  go(0, offset);
};

/** Strides that read `from` as if it had the shape `to`: 0 along every axis that is repeated. */
const repeatingStrides = (from: Shape, to: Shape): number[] => {
  const strides = stridesOf(from);
  const missing = to.length - from.length;
  return to.map((_, i) => (i < missing || from[i - missing] === 1 ? 0 : strides[i - missing]));
};

const broadcastOp = operation<{ shape: Shape }>({
  name: 'broadcastTo',
  about: 'y = x, repeated along the axes that x lacks or has with size 1',
  domain: { inputs: [{ dims: 'm 1 n' }], params: ({ m, n }, pick) => ({ shape: [1 + pick(3), m, pick(4), n] }) },
  shape([x], { shape }) {
    if (!sameShape(broadcastShapes(x.shape, shape, 'broadcastTo'), shape)) {
      throw new Error(`broadcastTo: ${show(x.shape)} does not stretch to ${show(shape)}: an axis of size 1 can, another cannot`);
    }
    return { shape, dtype: x.dtype };
  },
  reference: ([x], y, { shape }, [input]) =>
    walkStrided(shape, repeatingStrides(input.shape, shape), 0, (to, from) => (y[to] = x[from])),
  launches: ({ shape }, [x]) => [stridedCall(shape, repeatingStrides(x.shape, shape), 0, 'broadcastTo')],
  vjp: (dy, { inputs: [x] }) => [sumTo(dy, x.shape)],
});

/** Repeats `x` along missing axes and axes of size 1 until it has this shape (NumPy's rule). */
export const broadcastTo = (x: Tensor, shape: Shape): Tensor => (sameShape(x.shape, shape) ? x : broadcastOp({ shape: [...shape] }, x));

const sumAxisOp = operation<{ axis: number }>({
  name: 'sumAxis',
  about: 'y = Σₖ x[…, k, …], along one axis, which stays with size 1',
  domain: { inputs: [{ dims: 'm n k' }], params: (_, pick) => ({ axis: pick(3) }) },
  shape: ([x], { axis }) => ({ shape: x.shape.map((n, i) => (i === axis ? 1 : n)), dtype: 'f32' }),
  reference([x], y, { axis }, [input]) {
    const { outer, along, inner } = around(input.shape, axis);
    for (let o = 0; o < outer; o++) {
      for (let k = 0; k < along; k++) for (let i = 0; i < inner; i++) y[o * inner + i] += x[(o * along + k) * inner + i];
    }
  },
  launches({ axis }, [x]) {
    const { outer, along, inner } = around(x.shape, axis);
    return [{ kernel: kernels.sumAxis, arrays: [0], integers: [along, inner], output: [inner, outer] }];
  },
  vjp: (dy, { inputs: [x] }) => [broadcastTo(dy, x.shape)],
});

/** The sum along these axes, which stay with size 1. Neighbouring axes are added up in one launch. */
export const sumAxes = (x: Tensor, axes: readonly number[]): Tensor => {
  const kept = x.shape.map((n, i) => (axes.includes(i) ? 1 : n));
  let y = x;
  for (let last = x.shape.length - 1; last >= 0; last--) {
    if (!axes.includes(last)) continue;
    let first = last;
    while (axes.includes(first - 1)) first--;
    const merged = [...y.shape.slice(0, first), sizeOf(y.shape.slice(first, last + 1)), ...y.shape.slice(last + 1)];
    y = sumAxisOp({ axis: first }, reshape(y, merged));
    last = first;
    y = reshape(y, [...x.shape.slice(0, first), ...kept.slice(first)]);
  }
  return y;
};

/** Adds up along the axes that broadcasting stretched, so that the result has this shape: the transpose of `broadcastTo`. */
export const sumTo = (x: Tensor, shape: Shape): Tensor => {
  if (sameShape(x.shape, shape)) return x;
  const missing = x.shape.length - shape.length;
  const axes = x.shape.flatMap((n, i) => (i < missing || (shape[i - missing] === 1 && n !== 1) ? [i] : []));
  return reshape(sumAxes(x, axes), shape);
};
