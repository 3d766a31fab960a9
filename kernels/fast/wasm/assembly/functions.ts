/**
 * Elementary functions of four floats at a time. Bounds, measured over all of each range: exp and log relative 2e-7 (log
 * near 1: absolute 1e-7); tanh, sigmoid, erf relative 4e-7; Φ and its like absolute 6e-8. The polynomials of exp, log and
 * tanh are those of S. Moshier's Cephes, erfinv is M. Giles's (GPU Computing Gems, 2011), erf near 0 is N. Juffa's, and
 * that of `tail` was fitted to 2^(x·p(x)) = erfc(x/√2), weighted so that x·erfc comes out best.
 */
import { madd, signOf } from './lanes';

// @ts-ignore: decorator
@inline
function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** 2^n · (1 + r + r²·P(r)), |r| ≤ ½ ln 2: the end of every exponential. Twice half of n reaches the smallest numbers. */
// @ts-ignore: decorator
@inline
function scaled(r: v128, n: v128): v128 {
  let p = madd(splat(1.9875691500e-4), r, splat(1.3981999507e-3));
  p = madd(p, r, splat(8.3334519073e-3));
  p = madd(p, r, splat(4.1665795894e-2));
  p = madd(p, r, splat(1.6666665459e-1));
  p = madd(p, r, splat(5.0000001201e-1));
  p = madd(p, f32x4.mul(r, r), f32x4.add(r, splat(1)));
  const whole = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(whole, 1);
  const first = i32x4.shl(i32x4.add(half, i32x4.splat(127)), 23);
  const second = i32x4.shl(i32x4.add(i32x4.sub(whole, half), i32x4.splat(127)), 23);
  return f32x4.mul(f32x4.mul(p, first), second);
}

// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  x = f32x4.min(f32x4.max(x, splat(-104)), splat(89));
  const n = f32x4.nearest(f32x4.mul(x, splat(1.44269504088896341)));
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(n, splat(0.693359375))), f32x4.mul(n, splat(-2.12194440e-4)));
  return scaled(r, n);
}

// @ts-ignore: decorator
@inline
function exp2(x: v128): v128 {
  x = f32x4.max(x, splat(-150));
  const n = f32x4.nearest(x);
  return scaled(f32x4.mul(f32x4.sub(x, n), splat(0.693147180559945)), n);
}

// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  const tiny = f32x4.lt(x, splat(1.17549435e-38));
  const v = v128.bitselect(f32x4.mul(x, splat(8388608)), x, tiny);
  const e = i32x4.shr_s(i32x4.sub(v, i32x4.splat(0x3f3504f3)), 23);
  const m = f32x4.sub(i32x4.sub(v, i32x4.shl(e, 23)), splat(1));
  const n = f32x4.sub(f32x4.convert_i32x4_s(e), v128.and(tiny, splat(23)));
  let p = madd(splat(7.0376836292e-2), m, splat(-1.1514610310e-1));
  p = madd(p, m, splat(1.1676998740e-1));
  p = madd(p, m, splat(-1.2420140846e-1));
  p = madd(p, m, splat(1.4249322787e-1));
  p = madd(p, m, splat(-1.6668057665e-1));
  p = madd(p, m, splat(2.0000714765e-1));
  p = madd(p, m, splat(-2.4999993993e-1));
  p = madd(p, m, splat(3.3333331174e-1));
  const z = f32x4.mul(m, m);
  let y = f32x4.mul(f32x4.mul(p, m), z);
  y = madd(n, splat(-2.12194440e-4), y);
  y = f32x4.sub(y, f32x4.mul(z, splat(0.5)));
  y = f32x4.add(f32x4.add(m, y), f32x4.mul(n, splat(0.693359375)));
  y = v128.bitselect(x, y, f32x4.eq(x, splat(Infinity)));
  y = v128.bitselect(splat(-Infinity), y, f32x4.eq(x, splat(0)));
  // Below 0, and where x is not a number.
  return v128.bitselect(y, splat(NaN), f32x4.ge(x, splat(0)));
}

/** ln(1 + e) for e ≥ 0: the log of the rounded 1 + e, corrected by how much was rounded (Kahan). */
// @ts-ignore: decorator
@inline
export function log1p(e: v128): v128 {
  const u = f32x4.add(e, splat(1));
  const rounded = f32x4.sub(u, splat(1));
  return v128.bitselect(e, f32x4.div(f32x4.mul(log(u), e), rounded), f32x4.eq(rounded, splat(0)));
}

// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const a = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = madd(splat(-5.70498872745e-3), z, splat(2.06390887954e-2));
  p = madd(p, z, splat(-5.37397155531e-2));
  p = madd(p, z, splat(1.33314422036e-1));
  p = madd(p, z, splat(-3.33332819422e-1));
  const near = madd(f32x4.mul(p, z), x, x);
  const far = f32x4.sub(splat(1), f32x4.div(splat(2), f32x4.add(exp(f32x4.add(a, a)), splat(1))));
  return v128.bitselect(near, v128.or(far, signOf(x)), f32x4.lt(a, splat(0.625)));
}

/** 1 / (1 + e^−x), from e^−|x|. */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const e = exp(f32x4.neg(f32x4.abs(x)));
  const top = v128.bitselect(e, splat(1), f32x4.lt(x, splat(0)));
  return f32x4.div(top, f32x4.add(e, splat(1)));
}

/** erfc(a/√2) = 2 · (1 − Φ(a)) for a ≥ 0. */
// @ts-ignore: decorator
@inline
function tail(a: v128): v128 {
  let p = madd(splat(-2.83489634966827e-6), a, splat(3.9377504435833544e-5));
  p = madd(p, a, splat(-1.8617942987475544e-4));
  p = madd(p, a, splat(-1.3693817891180515e-4));
  p = madd(p, a, splat(7.063422352075577e-3));
  p = madd(p, a, splat(-5.2496179938316345e-2));
  p = madd(p, a, splat(-4.592081904411316e-1));
  p = madd(p, a, splat(-1.1511051654815674));
  return exp2(f32x4.mul(p, a));
}

// @ts-ignore: decorator
@inline
export function erf(x: v128): v128 {
  const a = f32x4.abs(x);
  const s = f32x4.mul(x, x);
  let p = madd(splat(-5.96761703e-4), s, splat(4.99119423e-3));
  p = madd(p, s, splat(-2.67681349e-2));
  p = madd(p, s, splat(1.12819925e-1));
  p = madd(p, s, splat(-3.76125336e-1));
  p = madd(p, s, splat(1.28379166e-1));
  const near = madd(p, x, x);
  const far = f32x4.sub(splat(1), tail(f32x4.mul(a, splat(1.41421356237309505))));
  return v128.bitselect(near, v128.or(far, signOf(x)), f32x4.lt(a, splat(0.9277)));
}

/** Φ(x) = ½ (1 + erf(x/√2)). */
// @ts-ignore: decorator
@inline
function cdf(x: v128): v128 {
  const upper = f32x4.mul(tail(f32x4.abs(x)), splat(0.5));
  return v128.bitselect(upper, f32x4.sub(splat(1), upper), f32x4.lt(x, splat(0)));
}

/** x · Φ(x). */
// @ts-ignore: decorator
@inline
export function gelu(x: v128): v128 {
  return f32x4.mul(x, cdf(x));
}

/** Φ(x) + x · φ(x). */
// @ts-ignore: decorator
@inline
export function geluSlope(x: v128): v128 {
  const bell = exp(f32x4.mul(f32x4.mul(x, x), splat(-0.5)));
  return madd(f32x4.mul(x, bell), splat(0.398942280401432678), cdf(x));
}

// @ts-ignore: decorator
@inline
export function erfinv(x: v128): v128 {
  const w = f32x4.neg(log(f32x4.mul(f32x4.sub(splat(1), x), f32x4.add(splat(1), x))));
  const c = f32x4.sub(w, splat(2.5));
  let p = madd(splat(2.81022636e-8), c, splat(3.43273939e-7));
  p = madd(p, c, splat(-3.5233877e-6));
  p = madd(p, c, splat(-4.39150654e-6));
  p = madd(p, c, splat(0.00021858087));
  p = madd(p, c, splat(-0.00125372503));
  p = madd(p, c, splat(-0.00417768164));
  p = madd(p, c, splat(0.246640727));
  p = madd(p, c, splat(1.50140941));
  const d = f32x4.sub(f32x4.sqrt(w), splat(3));
  let q = madd(splat(-0.000200214257), d, splat(0.000100950558));
  q = madd(q, d, splat(0.00134934322));
  q = madd(q, d, splat(-0.00367342844));
  q = madd(q, d, splat(0.00573950773));
  q = madd(q, d, splat(-0.0076224613));
  q = madd(q, d, splat(0.00943887047));
  q = madd(q, d, splat(1.00167406));
  q = madd(q, d, splat(2.83297682));
  return f32x4.mul(v128.bitselect(p, q, f32x4.lt(w, splat(5))), x);
}
