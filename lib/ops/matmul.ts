/**
 * Matrix products, where a transformer spends its time. `matmul` multiplies matrices or batches of them, with either side
 * transposed without a copy; `dense` is x·W + b, the layer of every network. Both derivatives are matrix products again:
 * for Y = A·B, dA = dY·Bᵀ and dB = Aᵀ·dY.
 */
import { sumAxis } from '../../kernels/axes.ts';
import * as kernels from '../../kernels/matmul.ts';
import { operation } from '../op.ts';
import type { Spec } from '../shape.ts';
import { ALIGNED, broadcastShapes, rowsOf, sameShape, show, sizeOf, startsOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { broadcastTo, reshape } from './axes.ts';
import { packCalls, packedSpec, unpack } from './pack.ts';

export interface Transposed {
  /** Use aᵀ: the last two axes of a change places. */
  readonly transposeA?: boolean;
  /** Use bᵀ. */
  readonly transposeB?: boolean;
}

/** The sizes of a product: batch, rows, inner, columns. */
const sizes = ([a, b]: readonly Spec[], { transposeA = false, transposeB = false }: Transposed) => {
  const [p, q] = a.shape.slice(-2);
  const [r, s] = b.shape.slice(-2);
  const [rows, inner] = transposeA ? [q, p] : [p, q];
  const [innerB, columns] = transposeB ? [s, r] : [r, s];
  return { batch: sizeOf(a.shape.slice(0, -2)), rows, inner, innerB, columns };
};

const matmulOp = operation<Transposed>({
  name: 'matmul',
  about: 'y[z, r, c] = Σₖ a[z, r, k] · b[z, k, c]',
  domain: [
    { inputs: [{ dims: 'z m k' }, { dims: 'z k n' }] },
    { inputs: [{ dims: 'z k m' }, { dims: 'z k n' }], params: () => ({ transposeA: true }) },
    { inputs: [{ dims: 'z m k' }, { dims: 'z n k' }], params: () => ({ transposeB: true }) },
    { inputs: [{ dims: 'k m' }, { dims: 'n k' }], params: () => ({ transposeA: true, transposeB: true }) },
  ],
  shape([a, b], params) {
    const { rows, inner, innerB, columns } = sizes([a, b], params);
    const marks = [params.transposeA ? 'ᵀ' : '', params.transposeB ? 'ᵀ' : ''];
    const came = `${show(a.shape)}${marks[0]}·${show(b.shape)}${marks[1]}`;
    if (inner !== innerB) throw new Error(`matmul: inner sizes differ: ${came}`);
    if (!sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2))) throw new Error(`matmul: leading axes differ: ${came}`);
    return { shape: [...a.shape.slice(0, -2), rows, columns], dtype: 'f32' };
  },
  reference([a, b], y, params, specs) {
    const { batch, rows, inner, columns } = sizes(specs, params);
    for (let z = 0; z < batch; z++) {
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
          let sum = 0;
          for (let k = 0; k < inner; k++) {
            const left = a[z * rows * inner + (params.transposeA ? k * rows + r : r * inner + k)];
            const right = b[z * inner * columns + (params.transposeB ? c * inner + k : k * columns + c)];
            sum += left * right;
          }
          y[(z * rows + r) * columns + c] = sum;
        }
      }
    }
  },
  launches(params, specs) {
    const { batch, rows, inner, columns } = sizes(specs, params);
    const strideA = params.transposeA ? [1, rows] : [inner, 1];
    const strideB = params.transposeB ? [1, inner] : [columns, 1];
    const integers = [inner, rows * inner, ...strideA, inner * columns, ...strideB];
    return [{ kernel: kernels.matmul, arrays: [0, 1], integers, output: [columns, rows, batch] }];
  },
  vjp(dy, { inputs: [a, b], params: { transposeA = false, transposeB = false } }) {
    const da = transposeA ? matmul(b, dy, { transposeA: transposeB, transposeB: true }) : matmul(dy, b, { transposeB: !transposeB });
    const db = transposeB ? matmul(dy, a, { transposeA: true, transposeB: transposeA }) : matmul(a, dy, { transposeA: !transposeA });
    return [da, db];
  },
  keeps: [0, 1],
});

/**
 * The product of two matrices, or of batches of them: leading axes broadcast. `{ transposeA, transposeB }` use the
 * transpose of a side without making it.
 *
 * Throws when the inner sizes differ.
 */
export const matmul = (a: Tensor, b: Tensor, params: Transposed = {}): Tensor => {
  if (a.shape.length < 2 || b.shape.length < 2) throw new Error(`matmul: expected matrices, got ${show(a.shape)}·${show(b.shape)}`);
  if (b.shape.length === 2 && a.shape.length > 2 && !params.transposeA) {
    // One matrix for the whole batch: the rows of all batches are the rows of one product.
    const y = matmulOp(params, reshape(a, [rowsOf(a.shape).rows, a.shape.at(-1)!]), b);
    return reshape(y, [...a.shape.slice(0, -1), y.shape[1]]);
  }
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), 'matmul');
  const spread = (x: Tensor) => broadcastTo(x, [...batch, ...x.shape.slice(-2)]);
  return matmulOp(params, spread(a), spread(b));
};

const denseOp = operation({
  name: 'dense',
  about: 'y = x · w + b, for rows x',
  domain: { inputs: [{ dims: 'm k' }, { dims: 'k n' }, { dims: 'n' }] },
  shape([x, w, b]) {
    if (x.shape.at(-1) !== w.shape[0] || b.shape[0] !== w.shape[1] || w.shape.length !== 2 || b.shape.length !== 1) {
      throw new Error(`dense: expected x […, k], a kernel [k, n] and a bias [n], got ${[x, w, b].map((s) => show(s.shape)).join(', ')}`);
    }
    return { shape: [...x.shape.slice(0, -1), w.shape[1]], dtype: 'f32' };
  },
  reference([x, w, b], y, _, [{ shape }]) {
    const { rows, columns: inner } = rowsOf(shape);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < b.length; c++) {
        let sum = b[c];
        for (let k = 0; k < inner; k++) sum += x[r * inner + k] * w[k * b.length + c];
        y[r * b.length + c] = sum;
      }
    }
  },
  launches(_, [x, w]) {
    const [inner, columns] = w.shape;
    return [{ kernel: kernels.dense, arrays: [0, 1, 2], integers: [inner, columns], output: [columns, rowsOf(x.shape).rows] }];
  },
  vjp(dy, { inputs: [x, w, b] }) {
    const flat = (t: Tensor) => reshape(t, [rowsOf(t.shape).rows, t.shape.at(-1)!]);
    return [matmul(dy, w, { transposeB: true }), ...unpack(denseSlope({}, flat(x), flat(dy)), [w, b])];
  },
  keeps: [0, 1],
});

/** y = x · w + b: x […, k], w [k, n], b [n] → y […, n]. */
export const dense = (x: Tensor, w: Tensor, b: Tensor): Tensor => denseOp({}, x, w, b);

/** The sizes of the slopes of a kernel and of a bias. */
const slopeSizes = ([x, dy]: readonly Spec[]) => [x.shape[1] * dy.shape[1], dy.shape[1]];

const denseSlope = operation({
  name: 'denseSlope',
  about: 'dw[k, c] = Σᵣ x[r, k] · dy[r, c] and db[c] = Σᵣ dy[r, c], packed',
  domain: { inputs: [{ dims: 'm k' }, { dims: 'm n' }] },
  shape: (specs) => packedSpec(slopeSizes(specs)),
  reference([x, dy], y, _, specs) {
    const [[rows, inner], [, columns]] = specs.map(({ shape }) => shape);
    const bias = ALIGNED * startsOf(slopeSizes(specs))[1];
    y.fill(0);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const slope = dy[r * columns + c];
        for (let k = 0; k < inner; k++) y[k * columns + c] += x[r * inner + k] * slope;
        y[bias + c] += slope;
      }
    }
  },
  launches(_, specs) {
    const [[rows, inner], [, columns]] = specs.map(({ shape }) => shape);
    const strides = [rows, 0, 1, inner, 0, columns, 1];
    return [
      { kernel: kernels.matmul, arrays: [0, 1], integers: strides, output: [columns, inner, 1], into: 'kernel' },
      { kernel: sumAxis, arrays: [1], integers: [rows, columns], output: [columns, 1], into: 'bias' },
      ...packCalls(['kernel', 'bias'], slopeSizes(specs)),
    ];
  },
  vjp(d, { inputs: [x, dy] }) {
    const [inner, columns] = [x.shape[1], dy.shape[1]];
    const [w, b] = unpack(d, [[inner, columns], [columns]].map((shape) => ({ shape, dtype: 'f32' })));
    return [matmul(dy, w, { transposeB: true }), dense(x, w, b)];
  },
  keeps: [0, 1],
});
