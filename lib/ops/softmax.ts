/**
 * Softmax: numbers to probabilities, p[c] = e^x[c] / Σₖ e^x[k], over the last axis. Computed as e^(x − l) with the row's
 * log-sum-exp l = m + ln Σ e^(x − m), m the largest element, so that nothing overflows. Its vjp needs only its output:
 * dx = p · (dp − Σₖ dpₖ pₖ).
 */
import * as kernels from '../../kernels/softmax.ts';
import type { KernelCall, Values } from '../../kernels/device/device.ts';
import { vjp } from '../grad.ts';
import type { Op } from '../op.ts';
import { operation, sameShapes } from '../op.ts';
import { rowsOf, show, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { exp, mul, sub } from './arith.ts';
import { sum } from './reduce.ts';

/** ln Σ e^x of one row, of the columns for which `attended` holds. */
export const rowLogSumExp = (x: Values, start: number, columns: number, scale = 1, attended: (c: number) => boolean = () => true): number => {
  let most = -Infinity;
  for (let c = 0; c < columns; c++) if (attended(c)) most = Math.max(most, x[start + c] * scale);
  let sum = 0;
  for (let c = 0; c < columns; c++) if (attended(c)) sum += Math.exp(x[start + c] * scale - most);
  return most + Math.log(sum);
};

/** An operation on each element x of a row and the row's log-sum-exp l. */
const fromLogSumExp = (name: string, about: string, f: (x: number, l: number) => number, byRows: (rows: number, columns: number) => KernelCall[], vjp: Op['vjp']) =>
  operation({
    name,
    about,
    domain: { inputs: [{ dims: 'm n', range: [-5, 5] }] },
    shape: ([x]) => ({ shape: x.shape, dtype: 'f32' }),
    reference([x], y, _, [{ shape }]) {
      const { columns } = rowsOf(shape);
      for (let start = 0; start < x.length; start += columns) {
        const l = rowLogSumExp(x, start, columns);
        for (let i = start; i < start + columns; i++) y[i] = f(x[i], l);
      }
    },
    launches(_, [x]) {
      const { rows, columns } = rowsOf(x.shape);
      return byRows(rows, columns);
    },
    vjp,
    keeps: ['output'],
  });

const softmaxOp = fromLogSumExp(
  'softmax',
  'y[r, c] = e^x[r, c] / Σₖ e^x[r, k]',
  (x, l) => Math.exp(x - l),
  (rows, columns) => [
    { kernel: kernels.rowLargest, arrays: [0], integers: [columns], output: [rows], into: 'm' },
    { kernel: kernels.sumExp, arrays: [0, 'm'], integers: [columns], output: [rows], into: 's' },
    { kernel: kernels.softmax, arrays: [0, 'm', 's'], integers: [columns], output: [columns, rows] },
  ],
  (dy, { output: y }) => [softmaxSlope({ scale: 1 }, y, dy)],
);

/** Probabilities over the last axis: y = e^x / Σ e^x. */
export const softmax = (x: Tensor): Tensor => softmaxOp({}, x);

const softmaxSlope = operation<{ scale: number }>({
  name: 'softmaxSlope',
  about: 'dx[r, c] = scale · y[r, c] · (dy[r, c] − Σₖ dy[r, k] · y[r, k])',
  domain: { inputs: [{ dims: 'm n', range: [0, 1] }, { dims: 'm n' }], params: () => ({ scale: 0.5 }) },
  shape: sameShapes('softmaxSlope'),
  reference([y, dy], dx, { scale }, [{ shape }]) {
    const { rows, columns } = rowsOf(shape);
    for (let r = 0; r < rows; r++) {
      let dot = 0;
      for (let c = 0; c < columns; c++) dot += y[r * columns + c] * dy[r * columns + c];
      for (let c = 0; c < columns; c++) dx[r * columns + c] = scale * y[r * columns + c] * (dy[r * columns + c] - dot);
    }
  },
  launches({ scale }, [y]) {
    const { rows, columns } = rowsOf(y.shape);
    return [
      { kernel: kernels.rowDot, arrays: [0, 1], integers: [columns], output: [rows], into: 'dot' },
      { kernel: kernels.softmaxSlope, arrays: [0, 1, 'dot'], integers: [columns], floats: [scale], output: [columns, rows] },
    ];
  },
  vjp(d, { inputs: [y, dy], params: { scale } }) {
    const composed = ([y, dy]: Tensor[]) => mul(mul(y, sub(dy, sum(mul(dy, y), { axis: -1, keepDims: true }))), scale);
    return vjp(composed, [y, dy])[1](d);
  },
  keeps: [0, 1],
});

const logSoftmaxOp = fromLogSumExp(
  'logSoftmax',
  'y[r, c] = x[r, c] − ln Σₖ e^x[r, k]',
  (x, l) => x - l,
  (rows, columns) => [
    { kernel: kernels.logSumExp, arrays: [0], integers: [columns], output: [rows], into: 'l' },
    { kernel: kernels.logSoftmax, arrays: [0, 'l'], integers: [columns], output: [columns, rows] },
  ],
  (dy, { output: y }) => [sub(dy, mul(exp(y), sum(dy, { axis: -1, keepDims: true })))],
);

/** Logarithms of probabilities over the last axis. */
export const logSoftmax = (x: Tensor): Tensor => logSoftmaxOp({}, x);

/** The axes of attention scores [b, h, q, k] and a mask [b, k], as rows: `rowsPerBatch` = h · q. */
const attentionRows = (shape: readonly number[]) => ({ ...rowsOf(shape), rowsPerBatch: sizeOf(shape.slice(1, -1)) });

const maskedSoftmaxOp = operation<{ scale: number }>({
  name: 'maskedSoftmax',
  about: 'y[b, …, k] = m[b, k] · e^(s·x[b, …, k]) / Σⱼ m[b, j] · e^(s·x[b, …, j])',
  domain: { inputs: [{ dims: 'b h q k', range: [-4, 4] }, { dims: 'b k', below: 2 }], params: () => ({ scale: 0.5 }) },
  shape([x, mask]) {
    if (mask.shape.length !== 2 || mask.shape[0] !== x.shape[0] || mask.shape[1] !== x.shape.at(-1)) {
      throw new Error(`maskedSoftmax: expected scores [b, …, k] and a mask [b, k], got ${show(x.shape)} and ${show(mask.shape)}`);
    }
    return { shape: x.shape, dtype: 'f32' };
  },
  reference([x, mask], y, { scale }, [{ shape }]) {
    const { rows, columns, rowsPerBatch } = attentionRows(shape);
    for (let r = 0; r < rows; r++) {
      const attended = (c: number) => mask[Math.floor(r / rowsPerBatch) * columns + c] !== 0;
      const l = rowLogSumExp(x, r * columns, columns, scale, attended);
      for (let c = 0; c < columns; c++) y[r * columns + c] = attended(c) ? Math.exp(x[r * columns + c] * scale - l) : 0;
    }
  },
  launches({ scale }, [x]) {
    const { rows, columns, rowsPerBatch } = attentionRows(x.shape);
    const shared = { integers: [columns, rowsPerBatch], floats: [scale] };
    return [
      { kernel: kernels.maskedLogSumExp, arrays: [0, 1], ...shared, output: [rows], into: 'l' },
      { kernel: kernels.maskedSoftmax, arrays: [0, 1, 'l'], ...shared, output: [columns, rows] },
    ];
  },
  vjp: (dy, { output: y, params: { scale } }) => [softmaxSlope({ scale }, y, dy), null],
  keeps: ['output'],
});

/**
 * Attention probabilities: the softmax of `scale` · x over the keys that the mask attends to; the others get exactly 0,
 * and so does a row without any. Scores x [b, …, k], mask [b, k] of ones and zeros.
 */
export const maskedSoftmax = (x: Tensor, mask: Tensor, scale: number): Tensor => maskedSoftmaxOp({ scale }, x, mask);
