/**
 * Layer norm (Ba, Kiros & Hinton 2016): every row is shifted to mean 0 and scaled to variance 1, then scaled and shifted
 * again by a learned gain and bias: y = x̂ · gain + bias with x̂ = (x − μ) / √(σ² + ε), σ² the biased variance. With
 * g = dy · gain, its slope is dx = (g − mean(g) − x̂ · mean(g · x̂)) / √(σ² + ε).
 */
import { sumAxis } from '../../kernels/axes.ts';
import * as kernels from '../../kernels/layernorm.ts';
import type { Values } from '../../kernels/device/device.ts';
import { vjp } from '../grad.ts';
import { operation } from '../op.ts';
import type { Spec } from '../shape.ts';
import { ALIGNED, rowsOf, sameShape, show, startsOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, mul, sqrt, square, sub } from './arith.ts';
import { sumTo } from './axes.ts';
import { pack, packCalls, packedSpec, unpack } from './pack.ts';
import { mean } from './reduce.ts';

interface Epsilon {
  /** Added to the variance; 1e-12 in ELECTRA. */
  readonly epsilon: number;
}

const inputs = [{ dims: 'm n' }, { dims: 'n', range: [0.5, 1.5] as const }];
const params = () => ({ epsilon: 1e-2 });

/** Calls `visit(r, c, x̂, 1/σ)` for every element: the standardised row. */
const standardise = (x: Values, spec: Spec, epsilon: number, visit: (r: number, c: number, normal: number, scale: number) => void) => {
  const { rows, columns } = rowsOf(spec.shape);
  for (let r = 0; r < rows; r++) {
    const row = x.subarray(r * columns, (r + 1) * columns);
    let mean = 0;
    for (const v of row) mean += v / columns;
    let variance = 0;
    for (const v of row) variance += (v - mean) ** 2 / columns;
    const scale = 1 / Math.sqrt(variance + epsilon);
    row.forEach((v, c) => visit(r, c, (v - mean) * scale, scale));
  }
};

/** The launches that every layer norm kernel starts from: mean and 1/σ of each row. */
const statistics = (x: Spec, epsilon: number) => {
  const { rows, columns } = rowsOf(x.shape);
  return [
    { kernel: kernels.rowMean, arrays: [0], integers: [columns], output: [rows], into: 'mean' },
    { kernel: kernels.rowScale, arrays: [0, 'mean'], integers: [columns], floats: [epsilon], output: [rows], into: 'scale' },
  ];
};

const layerNormOp = operation<Epsilon>({
  name: 'layerNorm',
  about: 'y = (x − μ) / √(σ² + ε) · gain + bias, row by row',
  domain: { inputs: [...inputs, { dims: 'n' }], params },
  shape([x, gain, bias]) {
    const width = [x.shape.at(-1) ?? 1];
    if (!sameShape(gain.shape, width) || !sameShape(bias.shape, width)) {
      throw new Error(`layerNorm: expected gain and bias of shape ${show(width)} for x ${show(x.shape)}, got ${show(gain.shape)} and ${show(bias.shape)}`);
    }
    return { shape: x.shape, dtype: 'f32' };
  },
  reference([x, gain, bias], y, { epsilon }, [spec]) {
    standardise(x, spec, epsilon, (r, c, normal) => (y[r * gain.length + c] = normal * gain[c] + bias[c]));
  },
  launches({ epsilon }, [x]) {
    const { rows, columns } = rowsOf(x.shape);
    return [
      ...statistics(x, epsilon),
      { kernel: kernels.layerNorm, arrays: [0, 1, 2, 'mean', 'scale'], integers: [columns], output: [columns, rows] },
    ];
  },
  vjp: (dy, { inputs: [x, gain, bias], params }) => [slope(params, x, gain, dy), ...unpack(parameterSlope(params, x, dy), [gain, bias])],
  keeps: [0, 1],
});

/** y = x̂ · gain + bias with x̂ = (x − μ) / √(σ² + ε) over the last axis: x […, c], gain and bias [c]. */
export const layerNorm = (x: Tensor, gain: Tensor, bias: Tensor, epsilon = 1e-12): Tensor => layerNormOp({ epsilon }, x, gain, bias);

const slope = operation<Epsilon>({
  name: 'layerNormSlope',
  about: 'dx = (g − mean(g) − x̂ · mean(g · x̂)) / σ, with g = dy · gain',
  domain: { inputs: [...inputs, { dims: 'm n' }], params },
  shape: ([x]) => x,
  reference([x, gain, dy], dx, { epsilon }, [spec]) {
    const { rows, columns } = rowsOf(spec.shape);
    const average = new Float64Array(rows);
    const dot = new Float64Array(rows);
    standardise(x, spec, epsilon, (r, c, normal) => {
      average[r] += (dy[r * columns + c] * gain[c]) / columns;
      dot[r] += (dy[r * columns + c] * gain[c] * normal) / columns;
    });
    standardise(x, spec, epsilon, (r, c, normal, scale) => {
      dx[r * columns + c] = scale * (dy[r * columns + c] * gain[c] - average[r] - normal * dot[r]);
    });
  },
  launches({ epsilon }, [x]) {
    const { rows, columns } = rowsOf(x.shape);
    return [
      ...statistics(x, epsilon),
      { kernel: kernels.slopeMean, arrays: [1, 2], integers: [columns], output: [rows], into: 'average' },
      { kernel: kernels.slopeDot, arrays: [0, 1, 2, 'mean', 'scale'], integers: [columns], output: [rows], into: 'dot' },
      { kernel: kernels.layerNormSlope, arrays: [0, 1, 2, 'mean', 'scale', 'average', 'dot'], integers: [columns], output: [columns, rows] },
    ];
  },
  vjp(d, { inputs: [x, gain, dy], params: { epsilon } }) {
    const composed = ([x, gain, dy]: Tensor[]) => {
      const { normal, deviation } = standardised(x, epsilon);
      const g = mul(dy, gain);
      const across = { axis: -1, keepDims: true };
      return div(sub(sub(g, mean(g, across)), mul(normal, mean(mul(g, normal), across))), deviation);
    };
    return vjp(composed, [x, gain, dy])[1](d);
  },
  keeps: [0, 1, 2],
});

/** The sizes of the slopes of gain and bias. */
const parameterSizes = (x: Spec) => [x.shape.at(-1) ?? 1, x.shape.at(-1) ?? 1];

const parameterSlope = operation<Epsilon>({
  name: 'layerNormParameters',
  about: 'dgain[c] = Σᵣ dy[r, c] · x̂[r, c] and dbias[c] = Σᵣ dy[r, c], packed',
  domain: { inputs: [inputs[0], { dims: 'm n' }], params },
  shape: ([x]) => packedSpec(parameterSizes(x)),
  reference([x, dy], y, { epsilon }, [spec]) {
    const bias = ALIGNED * startsOf(parameterSizes(spec))[1];
    const { columns } = rowsOf(spec.shape);
    y.fill(0);
    standardise(x, spec, epsilon, (r, c, normal) => {
      y[c] += dy[r * columns + c] * normal;
      y[bias + c] += dy[r * columns + c];
    });
  },
  launches({ epsilon }, [x]) {
    const { rows, columns } = rowsOf(x.shape);
    return [
      ...statistics(x, epsilon),
      { kernel: kernels.layerNormGain, arrays: [0, 1, 'mean', 'scale'], integers: [rows, columns], output: [columns], into: 'gain' },
      { kernel: sumAxis, arrays: [1], integers: [rows, columns], output: [columns, 1], into: 'bias' },
      ...packCalls(['gain', 'bias'], parameterSizes(x)),
    ];
  },
  vjp(d, { inputs: [x, dy], params: { epsilon } }) {
    const composed = ([x, dy]: Tensor[]) => pack([mul(dy, standardised(x, epsilon).normal), dy].map((terms) => sumTo(terms, [rowsOf(x.shape).columns])));
    return vjp(composed, [x, dy])[1](d);
  },
  keeps: [0, 1],
});

/** x̂ and σ in single operations: what the derivatives of the slopes are taken from. */
const standardised = (x: Tensor, epsilon: number) => {
  const across = { axis: -1, keepDims: true };
  const centred = sub(x, mean(x, across));
  const deviation = sqrt(add(mean(square(centred), across), epsilon));
  return { normal: div(centred, deviation), deviation };
};
