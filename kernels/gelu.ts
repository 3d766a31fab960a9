/**
 * The error function and its kin. erf by W. J. Cody's idea in the form of Abramowitz & Stegun 7.1.26 is good to 1.5e-7;
 * near 0, where that would lose relative precision, its Maclaurin series takes over. Each kernel carries its own copy of
 * the few lines, since a kernel is self-contained.
 */
import type { Thread } from './device/device.ts';

export function erf(this: Thread, x: Float32Array): number {
  const v = x[this.thread.x];
  const a = Math.abs(v);
  const t = 1 / (1 + 0.3275911 * a);
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let y = 1 - tail * Math.exp(0 - a * a);
  if (a < 0.5) {
    const s = a * a;
    y = 1.1283791671 * a * (1 - s * (0.33333333333 - s * (0.1 - s * (0.02380952381 - s * (0.00462962963 - s * 0.00075757576)))));
  }
  if (v < 0) y = 0 - y;
  return y;
}

/** The inverse of erf, by M. Giles's approximation (GPU Computing Gems, 2011). */
export function erfinv(this: Thread, x: Float32Array): number {
  const v = x[this.thread.x];
  let w = 0 - Math.log((1 - v) * (1 + v));
  let p = 0;
  if (w < 5) {
    w = w - 2.5;
    p = 2.81022636e-8;
    p = 3.43273939e-7 + p * w;
    p = -3.5233877e-6 + p * w;
    p = -4.39150654e-6 + p * w;
    p = 0.00021858087 + p * w;
    p = -0.00125372503 + p * w;
    p = -0.00417768164 + p * w;
    p = 0.246640727 + p * w;
    p = 1.50140941 + p * w;
  } else {
    w = Math.sqrt(w) - 3;
    p = -0.000200214257;
    p = 0.000100950558 + p * w;
    p = 0.00134934322 + p * w;
    p = -0.00367342844 + p * w;
    p = 0.00573950773 + p * w;
    p = -0.0076224613 + p * w;
    p = 0.00943887047 + p * w;
    p = 1.00167406 + p * w;
    p = 2.83297682 + p * w;
  }
  return p * v;
}

/** gelu(x) = x · Φ(x) = x/2 · (1 + erf(x/√2)). */
export function gelu(this: Thread, x: Float32Array): number {
  const v = x[this.thread.x];
  const a = Math.abs(v) * 0.70710678118;
  const t = 1 / (1 + 0.3275911 * a);
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let upper = 0.5 * tail * Math.exp(0 - a * a);
  if (v > 0) upper = 1 - upper;
  return v * upper;
}

/** dx = dy · (Φ(x) + x · φ(x)), with φ(x) = e^(−x²/2) / √(2π). */
export function geluSlope(this: Thread, x: Float32Array, dy: Float32Array): number {
  const v = x[this.thread.x];
  const a = Math.abs(v) * 0.70710678118;
  const t = 1 / (1 + 0.3275911 * a);
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const bell = Math.exp(0 - a * a);
  let upper = 0.5 * tail * bell;
  if (v > 0) upper = 1 - upper;
  return dy[this.thread.x] * (upper + v * bell * 0.39894228040);
}
