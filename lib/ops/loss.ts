/**
 * The two losses of ELECTRA, both cross-entropies −Σ q ln p taken straight from logits: over a vocabulary (softmax) for
 * the generator, and over replaced or not (sigmoid) for the discriminator. Each returns the weighted mean, a scalar:
 * means, not sums, are what λ = 50 was tuned for. Their slopes are p − q.
 */
import * as kernels from '../../kernels/loss.ts';
import { logSumExp } from '../../kernels/softmax.ts';
import { grad } from '../grad.ts';
import { each, elementwise, operation, requireIds, sameShapes } from '../op.ts';
import { rowsOf, sameShape, show, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, less, maximum, mul, neg, sigmoid, sub } from './arith.ts';
import { pick } from './gather.ts';
import { sum } from './reduce.ts';
import { rowLogSumExp, softmax } from './softmax.ts';

const crossEntropyOp = operation({
  name: 'crossEntropy',
  about: 'y[r] = ln Σ_c e^x[r, c] − x[r, label[r]]',
  domain: { inputs: [{ dims: 'b n v', range: [-4, 4] }, { dims: 'b n', below: 'v', from: -1 }] },
  shape([x, labels]) {
    requireIds('softmaxCrossEntropy', labels);
    if (!sameShape(x.shape.slice(0, -1), labels.shape)) {
      throw new Error(`softmaxCrossEntropy: expected one label for each row of logits ${show(x.shape)}, got labels ${show(labels.shape)}`);
    }
    return { shape: labels.shape, dtype: 'f32' };
  },
  reference([x, labels], y, _, [{ shape }]) {
    const { columns } = rowsOf(shape);
    labels.forEach((label, r) => {
      if (label >= 0 && label < columns) y[r] = rowLogSumExp(x, r * columns, columns) - x[r * columns + label];
    });
  },
  launches(_, [x]) {
    const { rows, columns } = rowsOf(x.shape);
    return [
      { kernel: logSumExp, arrays: [0], integers: [columns], output: [rows], into: 'l' },
      { kernel: kernels.crossEntropy, arrays: [0, 1, 'l'], integers: [columns], output: [rows] },
    ];
  },
  vjp: (dy, { inputs: [x, labels] }) => [crossEntropySlope({}, x, labels, dy), null],
  keeps: [0, 1],
});

const crossEntropySlope = operation({
  name: 'crossEntropySlope',
  about: 'dx[r, c] = dy[r] · (softmax(x)[r, c] − [c = label[r]])',
  domain: { inputs: [{ dims: 'b n v', range: [-4, 4] }, { dims: 'b n', below: 'v', from: -1 }, { dims: 'b n' }] },
  shape: ([x]) => x,
  reference([x, labels, dy], dx, _, [{ shape }]) {
    const { columns } = rowsOf(shape);
    labels.forEach((label, r) => {
      if (label < 0 || label >= columns) return;
      const l = rowLogSumExp(x, r * columns, columns);
      for (let c = 0; c < columns; c++) dx[r * columns + c] = dy[r] * (Math.exp(x[r * columns + c] - l) - (c === label ? 1 : 0));
    });
  },
  launches(_, [x]) {
    const { rows, columns } = rowsOf(x.shape);
    return [
      { kernel: logSumExp, arrays: [0], integers: [columns], output: [rows], into: 'l' },
      { kernel: kernels.crossEntropySlope, arrays: [0, 1, 2, 'l'], integers: [columns], output: [columns, rows] },
    ];
  },
  vjp(d, { inputs: [x, labels, dy] }) {
    const columns = x.shape.at(-1)!;
    // The cotangents of x and dy are the gradients of ⟨d, dx⟩ = Σᵣ dy[r] · (Σ_c d[r, c] · p[r, c] − d[r, label[r]]).
    const composed = ([x, dy]: Tensor[]) => {
      const counted = mul(dy, isColumn(labels, columns));
      return sum(mul(counted, sub(sum(mul(d, softmax(x)), { axis: -1 }), pick(d, labels))));
    };
    const [dx, ddy] = grad(composed)([x, dy]);
    return [dx, null, ddy];
  },
  keeps: [0, 1, 2],
});

const binaryOp = operation({
  name: 'binaryCrossEntropy',
  about: 'y = max(x, 0) − x·z + ln(1 + e^−|x|)',
  domain: { inputs: [{ dims: 'b t', range: [-4, 4] }, { dims: 'b t', range: [0, 1] }] },
  shape: sameShapes('sigmoidCrossEntropy'),
  reference: each((x, z) => Math.max(x, 0) - x * z + Math.log1p(Math.exp(-Math.abs(x)))),
  launches: (_, __, y) => [{ kernel: kernels.binaryCrossEntropy, arrays: [0, 1], output: elementwise(y) }],
  vjp: (dy, { inputs: [x, z] }) => [mul(dy, sub(sigmoid(x), z)), neg(mul(dy, x))],
  keeps: [0, 1],
});

/** ln Σ e^x − x[label] for each row: logits […, v], labels […] → […]; 0 where the label is no column. */
export const crossEntropy = (logits: Tensor, labels: Tensor): Tensor => crossEntropyOp({}, logits, labels);

/** 1 for each label that is one of the columns, else 0. */
const isColumn = (labels: Tensor, columns: number): Tensor => mul(sub(1, less(labels, 0)), less(labels, columns));

/** Σ weight · x / (Σ weight + ε); 0 where all weights are 0. */
const weightedMean = (x: Tensor, weights: Tensor, epsilon: number): Tensor =>
  div(sum(mul(x, weights)), maximum(epsilon === 0 ? sum(weights) : add(sum(weights), epsilon), 1e-12));

/**
 * The mean of −ln softmax(logits)[label], weighted: logits […, v], labels and weights […] → a scalar. A label that is no
 * column (such as −100) costs nothing; without weights it is not counted either. `epsilon` is added to the sum of the
 * weights. (ELECTRA's L_MLM, paper §2.)
 */
export const softmaxCrossEntropy = (
  logits: Tensor,
  labels: Tensor,
  weights: Tensor = isColumn(labels, logits.shape.at(-1)!),
  epsilon = 0,
): Tensor => weightedMean(crossEntropy(logits, labels), weights, epsilon);

/**
 * The mean of −z ln σ(x) − (1 − z) ln(1 − σ(x)), weighted: logits x, labels z in [0, 1] and weights of one shape → a
 * scalar. (ELECTRA's L_Disc, paper §2, with z = 1 for a replaced token.)
 */
export const sigmoidCrossEntropy = (logits: Tensor, labels: Tensor, weights?: Tensor, epsilon = 0): Tensor => {
  const losses = binaryOp({}, logits, labels);
  return weights === undefined ? mul(sum(losses), 1 / Math.max(sizeOf(losses.shape), 1)) : weightedMean(losses, weights, epsilon);
};
