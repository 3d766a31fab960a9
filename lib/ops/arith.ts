/**
 * Elementwise arithmetic: y[i] = f(a[i], b[i]), so da[i] = dy[i] · ∂f/∂a and db[i] = dy[i] · ∂f/∂b. Two tensors of different
 * shapes meet by broadcasting, whose transpose adds up what a repeated number received (`sumTo`); plain numbers serve as
 * scalars. Every derivative is one line beside its function.
 */
import * as kernels from '../../kernels/arith.ts';
import type { Kernel } from '../../kernels/device/device.ts';
import type { Draw, Op } from '../op.ts';
import { each, elementwise, operation } from '../op.ts';
import type { DType, Shape, Spec } from '../shape.ts';
import { broadcastShapes, rowsOf, sameShape, show, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { broadcastTo, sumTo } from './axes.ts';

const fillOp = operation<{ shape: Shape; value: number; dtype: DType }>({
  name: 'full',
  about: 'y = value, everywhere',
  domain: { inputs: [], params: (_, pick) => ({ shape: [1 + pick(4), 3], value: pick(5), dtype: 'f32' }) },
  shape: (_, { shape, dtype }) => ({ shape, dtype }),
  reference: (_, y, { value }) => y.fill(value),
  launches: ({ value }, _, y) => [{ kernel: kernels.fill, arrays: [], floats: [value], output: elementwise(y) }],
});

/** A tensor of this shape, filled with one value. */
export const full = (shape: Shape, value: number, dtype: DType = 'f32'): Tensor => fillOp({ shape: [...shape], value, dtype });
export const zeros = (shape: Shape, dtype: DType = 'f32'): Tensor => full(shape, 0, dtype);
export const ones = (shape: Shape, dtype: DType = 'f32'): Tensor => full(shape, 1, dtype);

const affine: (params: { scale: number; shift: number }, x: Tensor) => Tensor = operation<{ scale: number; shift: number }>({
  name: 'affine',
  about: 'y = scale · x + shift, with plain numbers',
  domain: { inputs: [{ dims: 'm n' }], params: (_, pick) => ({ scale: pick(5) - 2, shift: pick(3) / 2 }) },
  shape: ([x], { scale, shift }) => ({ shape: x.shape, dtype: Number.isInteger(scale) && Number.isInteger(shift) ? x.dtype : 'f32' }),
  reference: ([x], y, { scale, shift }) => y.forEach((_, i) => (y[i] = x[i] * scale + shift)),
  launches: ({ scale, shift }, _, y) => [{ kernel: kernels.affine, arrays: [0], floats: [scale, shift], output: elementwise(y) }],
  vjp: (dy, { params: { scale } }) => [affine({ scale, shift: 0 }, dy)],
});

type Operand = Tensor | number;

/** Whether b is repeated along leading axes of a only: then kernels read it in place. */
const isSuffix = (b: Shape, a: Shape): boolean => b.length <= a.length && sameShape(b, a.slice(a.length - b.length));

/** An operation on two tensors, of which one may be a suffix of the other; the rest of broadcasting is in `meet`. */
const binary = (
  name: string,
  about: string,
  f: (a: number, b: number) => number,
  kernel: Kernel,
  rest: Pick<Op, 'vjp' | 'keeps'> & { second?: Omit<Draw, 'dims'>; dtype?: 'f32' } = {},
) => {
  const { second, dtype, ...gradient } = rest;
  const apply = operation({
    name,
    about,
    domain: { inputs: [{ dims: 'm n' }, { dims: 'n', ...second }] },
    shape([a, b]) {
      if (!isSuffix(a.shape, b.shape) && !isSuffix(b.shape, a.shape)) {
        throw new Error(`${name}: expected one shape to end with the other, got ${show(a.shape)} and ${show(b.shape)}`);
      }
      return { shape: a.shape.length >= b.shape.length ? a.shape : b.shape, dtype: dtype ?? (a.dtype === b.dtype ? a.dtype : 'f32') };
    },
    reference: ([a, b], y) => y.forEach((_, i) => (y[i] = f(a[i % a.length], b[i % b.length]))),
    launches(_, [a, b], y) {
      const [longer, shorter] = a.shape.length >= b.shape.length ? [a, b] : [b, a];
      const width = sameShape(longer.shape, shorter.shape) ? rowsOf(y.shape).columns : sizeOf(shorter.shape);
      const stride = (x: Spec) => (sizeOf(x.shape) === sizeOf(y.shape) ? width : 0);
      return [{ kernel, arrays: [0, 1], integers: [stride(a), stride(b)], output: [width, sizeOf(y.shape) / width] }];
    },
    ...gradient,
  });
  return (a: Operand, b: Operand): Tensor => {
    const [x, y] = meet(a, b, name);
    return apply({}, x, y);
  };
};

/** Two operands as tensors that the kernels can pair: numbers become scalars, and what is no suffix is repeated. */
const meet = (a: Operand, b: Operand, name: string): [Tensor, Tensor] => {
  if (typeof a === 'number') return typeof b === 'number' ? [full([], a), full([], b)] : [full([], a, b.dtype), b];
  if (typeof b === 'number') return [a, full([], b, a.dtype)];
  if (isSuffix(a.shape, b.shape) || isSuffix(b.shape, a.shape)) return [a, b];
  const shape = broadcastShapes(a.shape, b.shape, name);
  return [isSuffix(a.shape, shape) ? a : broadcastTo(a, shape), isSuffix(b.shape, shape) ? b : broadcastTo(b, shape)];
};

const addTensors = binary('add', 'y = a + b', (a, b) => a + b, kernels.add, {
  vjp: (dy, { inputs: [a, b] }) => [sumTo(dy, a.shape), sumTo(dy, b.shape)],
});

const subTensors = binary('sub', 'y = a − b', (a, b) => a - b, kernels.sub, {
  vjp: (dy, { inputs: [a, b] }) => [sumTo(dy, a.shape), sumTo(neg(dy), b.shape)],
});

const mulTensors = binary('mul', 'y = a · b', (a, b) => a * b, kernels.mul, {
  vjp: (dy, { inputs: [a, b] }) => [sumTo(mul(dy, b), a.shape), sumTo(mul(dy, a), b.shape)],
  keeps: [0, 1],
});

const divTensors = binary('div', 'y = a / b', (a, b) => a / b, kernels.div, {
  dtype: 'f32',
  second: { range: [0.5, 2] },
  vjp: (dy, { inputs: [a, b], output: y }) => [sumTo(div(dy, b), a.shape), sumTo(neg(div(mul(dy, y), b)), b.shape)],
  keeps: [1, 'output'],
});

/** y = a + b. */
export const add = (a: Operand, b: Operand): Tensor => {
  if (typeof b === 'number' && typeof a !== 'number') return affine({ scale: 1, shift: b }, a);
  return typeof a === 'number' && typeof b !== 'number' ? affine({ scale: 1, shift: a }, b) : addTensors(a, b);
};

/** y = a − b. */
export const sub = (a: Operand, b: Operand): Tensor => {
  if (typeof b === 'number' && typeof a !== 'number') return affine({ scale: 1, shift: -b }, a);
  return typeof a === 'number' && typeof b !== 'number' ? affine({ scale: -1, shift: a }, b) : subTensors(a, b);
};

/** y = a · b. */
export const mul = (a: Operand, b: Operand): Tensor => {
  if (typeof b === 'number' && typeof a !== 'number') return affine({ scale: b, shift: 0 }, a);
  return typeof a === 'number' && typeof b !== 'number' ? affine({ scale: a, shift: 0 }, b) : mulTensors(a, b);
};

/** y = a / b. */
export const div = divTensors;

/** y = −x. */
export const neg = (x: Tensor): Tensor => mul(x, -1);

/** y = x². */
export const square = (x: Tensor): Tensor => mul(x, x);

/** The larger of the two; where they are equal, the gradient goes to b. */
export const maximum = binary('maximum', 'y = max(a, b)', Math.max, kernels.maximum, {
  vjp: (dy, { inputs: [a, b] }) => {
    const first = less(b, a);
    return [sumTo(mul(dy, first), a.shape), sumTo(mul(dy, sub(1, first)), b.shape)];
  },
  keeps: [0, 1],
});

/** The smaller of the two; where they are equal, the gradient goes to b. */
export const minimum = binary('minimum', 'y = min(a, b)', Math.min, kernels.minimum, {
  vjp: (dy, { inputs: [a, b] }) => {
    const first = less(a, b);
    return [sumTo(mul(dy, first), a.shape), sumTo(mul(dy, sub(1, first)), b.shape)];
  },
  keeps: [0, 1],
});

/** 1 where a = b, else 0. Has no gradient. */
export const equal = binary('equal', 'y = 1 where a = b, else 0', (a, b) => Number(a === b), kernels.equal, { dtype: 'f32' });

/** 1 where a < b, else 0. Has no gradient. */
export const less = binary('less', 'y = 1 where a < b, else 0', (a, b) => Number(a < b), kernels.less, { dtype: 'f32' });

/** 1 where a ≠ b, else 0. Has no gradient. */
export const differs = (a: Operand, b: Operand): Tensor => sub(1, equal(a, b));

const whereOp = operation({
  name: 'where',
  about: 'y = a where the condition is not 0, else b',
  domain: { inputs: [{ dims: 'm n', below: 2 }, { dims: 'm n' }, { dims: 'm n' }] },
  shape([condition, a, b]) {
    if (!sameShape(condition.shape, a.shape) || !sameShape(a.shape, b.shape)) {
      throw new Error(`where: expected equal shapes, got ${show(condition.shape)}, ${show(a.shape)}, ${show(b.shape)}`);
    }
    return { shape: a.shape, dtype: a.dtype === b.dtype ? a.dtype : 'f32' };
  },
  reference: each((condition, a, b) => (condition !== 0 ? a : b)),
  launches: (_, __, y) => [{ kernel: kernels.where, arrays: [0, 1, 2], output: elementwise(y) }],
  vjp: (dy, { inputs: [condition] }) => [null, where(condition, dy, 0), where(condition, 0, dy)],
  keeps: [0],
});

/** a where the condition is not 0, else b; the three broadcast to one shape. */
export const where = (condition: Tensor, a: Operand, b: Operand): Tensor => {
  const shapeOf = (x: Operand) => (typeof x === 'number' ? [] : x.shape);
  const shape = [shapeOf(a), shapeOf(b)].reduce<Shape>((all, one) => broadcastShapes(all, one, 'where'), condition.shape);
  const dtype = typeof a !== 'number' ? a.dtype : typeof b !== 'number' ? b.dtype : 'f32';
  const fit = (x: Operand) => (typeof x === 'number' ? full(shape, x, dtype) : broadcastTo(x, shape));
  return whereOp({}, broadcastTo(condition, shape), fit(a), fit(b));
};

/** An operation on one tensor, element by element. */
export const unary = (
  name: string,
  about: string,
  f: (x: number) => number,
  kernel: Kernel,
  { range, ...gradient }: Pick<Op, 'vjp' | 'keeps'> & { range?: readonly [number, number] },
): ((x: Tensor) => Tensor) => {
  const apply = operation({
    name,
    about,
    domain: { inputs: [{ dims: 'm n', range }] },
    shape: ([x]) => ({ shape: x.shape, dtype: 'f32' }),
    reference: each(f),
    launches: (_, __, y) => [{ kernel, arrays: [0], output: elementwise(y) }],
    ...gradient,
  });
  return (x) => apply({}, x);
};

/** y = √x, with dy/dx = 1 / 2y. */
export const sqrt = unary('sqrt', 'y = √x', Math.sqrt, kernels.sqrt, {
  range: [0.1, 4],
  vjp: (dy, { output: y }) => [div(mul(dy, 0.5), y)],
  keeps: ['output'],
});

/** y = eˣ, with dy/dx = y. */
export const exp = unary('exp', 'y = eˣ', Math.exp, kernels.exp, {
  vjp: (dy, { output: y }) => [mul(dy, y)],
  keeps: ['output'],
});

/** y = ln x, with dy/dx = 1 / x. */
export const log = unary('log', 'y = ln x', Math.log, kernels.log, {
  range: [0.2, 4],
  vjp: (dy, { inputs: [x] }) => [div(dy, x)],
  keeps: [0],
});

/** y = tanh x, with dy/dx = 1 − y². */
export const tanh = unary('tanh', 'y = tanh x', Math.tanh, kernels.tanh, {
  range: [-4, 4],
  vjp: (dy, { output: y }) => [mul(dy, sub(1, square(y)))],
  keeps: ['output'],
});

/** y = σ(x) = 1 / (1 + e⁻ˣ), with dy/dx = y · (1 − y). */
export const sigmoid = unary('sigmoid', 'y = 1 / (1 + e⁻ˣ)', (x) => 1 / (1 + Math.exp(-x)), kernels.sigmoid, {
  range: [-6, 6],
  vjp: (dy, { output: y }) => [mul(dy, mul(y, sub(1, y)))],
  keeps: ['output'],
});
