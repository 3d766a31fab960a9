/**
 * Initial values. ELECTRA draws most kernels and all tables from a truncated normal distribution with σ = 0.02, and the
 * few layers for which its code names no initialiser from TensorFlow's default, Glorot's uniform distribution.
 */
import { truncatedNormal, uniform } from '../key.ts';
import { mul, ones, sub, zeros } from '../ops/arith.ts';
import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** How the values of a kernel or table of this shape are drawn. */
export type Initializer = (key: Tensor, shape: Shape) => Tensor;

/** Normal with this deviation before those beyond two deviations are drawn again. */
export const truncated =
  (sigma: number): Initializer =>
  (key, shape) =>
    mul(truncatedNormal(key, shape), sigma);

/** Even on ±√(6 / (fan in + fan out)) (Glorot & Bengio 2010). */
export const glorot: Initializer = (key, [fanIn, fanOut]) =>
  mul(sub(mul(uniform(key, [fanIn, fanOut]), 2), 1), Math.sqrt(6 / (fanIn + fanOut)));

/** A dense layer's parameters: kernel [n, m] by the initialiser, bias [m] of zeros. */
export const initDense = (key: Tensor, inputs: number, outputs: number, init: Initializer) => ({
  kernel: init(key, [inputs, outputs]),
  bias: zeros([outputs]),
});

/** A layer norm's parameters: gain of ones, bias of zeros. */
export const initNorm = (width: number) => ({ gain: ones([width]), bias: zeros([width]) });
