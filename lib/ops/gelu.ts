/**
 * The Gaussian error linear unit, gelu(x) = x · Φ(x) with the normal distribution function Φ(x) = ½ (1 + erf(x/√2)):
 * exact, not the tanh approximation (Hendrycks & Gimpel 2016; ELECTRA uses this one). With it, erf and its inverse.
 */
import * as kernels from '../../kernels/gelu.ts';
import { vjp } from '../grad.ts';
import { each, elementwise, operation, sameShapes } from '../op.ts';
import type { Tensor } from '../tensor.ts';
import { add, exp, mul, square, unary } from './arith.ts';

/**
 * erf x = 2/√π · ∫₀ˣ e^(−t²) dt to double precision: its Maclaurin series up to |x| = 2.5, beyond that the continued
 * fraction of erfc (Abramowitz & Stegun 7.1.5 and 7.1.14).
 */
const erfExact = (x: number): number => {
  const a = Math.abs(x);
  if (a < 2.5) {
    let term = a;
    let sum = a;
    for (let n = 1; Math.abs(term) > 1e-18 * sum; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
};

/** Φ(x) without cancellation in the left tail, where 1 + erf would lose its digits. */
const normalCdf = (x: number): number => {
  if (x > -2.5 * Math.SQRT2) return 0.5 * (1 + erfExact(x / Math.SQRT2));
  const a = -x / Math.SQRT2;
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return (0.5 * Math.exp(-a * a)) / (Math.sqrt(Math.PI) * (a + fraction));
};

const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** Newton's method on erf from a rough start: the inverse to double precision. */
const erfinvExact = (y: number): number => {
  const l = Math.log(1 - y * y);
  const m = 2 / (Math.PI * 0.147) + l / 2;
  let x = Math.sign(y) * Math.sqrt(Math.sqrt(m * m - l / 0.147) - m);
  for (let i = 0; i < 4; i++) x -= ((erfExact(x) - y) * Math.sqrt(Math.PI)) / (2 * Math.exp(-x * x));
  return x;
};

/** y = erf x, with dy/dx = 2/√π · e^(−x²). */
export const erf = unary('erf', 'y = 2/√π · ∫₀ˣ e^(−t²) dt', erfExact, kernels.erf, {
  range: [-3, 3],
  vjp: (dy, { inputs: [x] }) => [mul(dy, mul(exp(mul(square(x), -1)), 2 / Math.sqrt(Math.PI)))],
  keeps: [0],
});

/** y = erf⁻¹ x for |x| < 1, with dy/dx = √π/2 · e^(y²). */
export const erfinv = unary('erfinv', 'y = erf⁻¹ x', erfinvExact, kernels.erfinv, {
  range: [-0.99, 0.99],
  vjp: (dy, { output: y }) => [mul(dy, mul(exp(square(y)), Math.sqrt(Math.PI) / 2))],
  keeps: ['output'],
});

/** gelu(x) = x · Φ(x), with slope Φ(x) + x · φ(x). */
export const gelu = unary('gelu', 'y = x · Φ(x)', (x) => x * normalCdf(x), kernels.gelu, {
  range: [-5, 5],
  vjp: (dy, { inputs: [x] }) => [geluSlope({}, x, dy)],
  keeps: [0],
});

const geluSlope = operation({
  name: 'geluSlope',
  about: 'dx = dy · (Φ(x) + x · φ(x)), with φ(x) = e^(−x²/2) / √(2π)',
  domain: { inputs: [{ dims: 'm n', range: [-5, 5] }, { dims: 'm n' }] },
  shape: sameShapes('geluSlope'),
  reference: each((x, dy) => dy * (normalCdf(x) + x * density(x))),
  launches: (_, __, y) => [{ kernel: kernels.geluSlope, arrays: [0, 1], output: elementwise(y) }],
  vjp: (d, { inputs: [x, dy] }) => vjp(([x, dy]) => composedSlope(x, dy), [x, dy])[1](d),
  keeps: [0, 1],
});

/** The same slope in single operations: what its own derivative is taken from. */
const composedSlope = (x: Tensor, dy: Tensor): Tensor => {
  const cdf = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
  const pdf = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return mul(dy, add(cdf, mul(x, pdf)));
};
