/**
 * Elementary functions of four floats at a time. Bounds, measured: exp and log relative 2e-7 (log near 1: absolute 1e-7);
 * tanh, sigmoid and erf relative 4e-7; GELU and its slope absolute 6e-7. The polynomials of exp, log and tanh are those of
 * S. Moshier's Cephes, erfinv is M. Giles's (GPU Computing Gems, 2011), erf near 0 is N. Juffa's; that of `tail` was fitted
 * to 2^(x·p(x)) = erfc(x/√2), those of GELU by weighted least squares that approach the smallest largest error (Lawson).
 * Coefficients lie in memory, highest power first, since engines make a vector faster from there than from an immediate.
 */
import { madd, signOf } from './lanes';

// @ts-ignore: decorator
@inline
function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** The coefficient of a table. */
// @ts-ignore: decorator
@inline
function c(table: usize, i: usize): v128 {
  return v128.load32_splat(table + 4 * i);
}

/** c₀ x + c₁, the i-th pair of a table. */
// @ts-ignore: decorator
@inline
function pair(t: usize, i: usize, x: v128): v128 {
  return madd(c(t, 2 * i), x, c(t, 2 * i + 1));
}

/** Polynomials of degree 5, 7 and 9 in pairs (Estrin's scheme), so that few steps wait for each other. */
// @ts-ignore: decorator
@inline
function degree5(t: usize, x: v128): v128 {
  const square = f32x4.mul(x, x);
  return madd(madd(pair(t, 0, x), square, pair(t, 1, x)), square, pair(t, 2, x));
}

// @ts-ignore: decorator
@inline
function degree7(t: usize, x: v128): v128 {
  const square = f32x4.mul(x, x);
  return madd(madd(pair(t, 0, x), square, pair(t, 1, x)), f32x4.mul(square, square), madd(pair(t, 2, x), square, pair(t, 3, x)));
}

// @ts-ignore: decorator
@inline
function degree9(t: usize, x: v128): v128 {
  const square = f32x4.mul(x, x);
  return madd(madd(madd(pair(t, 0, x), square, pair(t, 1, x)), square, pair(t, 2, x)), f32x4.mul(square, square), madd(pair(t, 3, x), square, pair(t, 4, x)));
}

/** log₂ e; 1.5 · 2²³, which added to a small number leaves it rounded in the low bits; −ln 2 in two parts; ln 2. */
const EXP = memory.data<f32>([1.44269504088896341, 12582912, -0.693359375, 2.12194440e-4, 0.693147180559945, 1, -86]);
const EXP_SERIES = memory.data<f32>([1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1]);

/** 1 + r + r²·P(r) = e^r for |r| ≤ ½ ln 2. */
// @ts-ignore: decorator
@inline
function expNearZero(r: v128): v128 {
  return madd(degree5(EXP_SERIES, r), f32x4.mul(r, r), f32x4.add(r, c(EXP, 5)));
}

/** e^x over the whole range, from the smallest numbers to infinity. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, splat(-104)), splat(89));
  const t = madd(x, c(EXP, 0), c(EXP, 1));
  const n = f32x4.sub(t, c(EXP, 1));
  const e = expNearZero(madd(n, c(EXP, 3), madd(n, c(EXP, 2), x)));
  // 2^n in two halves, since 2^−150 and 2^128 are no floats themselves.
  const whole = i32x4.sub(t, c(EXP, 1));
  const half = i32x4.shr_s(whole, 1);
  const one = c(EXP, 5);
  const first = i32x4.add(i32x4.shl(half, 23), one);
  const second = i32x4.add(i32x4.shl(i32x4.sub(whole, half), 23), one);
  return f32x4.mul(f32x4.mul(e, first), second);
}

/** e^x for x ≤ 0, and 0 where it is below 4e-38: the exponent of the power of two is added to that of e^r. */
// @ts-ignore: decorator
@inline
export function decay(x: v128): v128 {
  const t = madd(x, c(EXP, 0), c(EXP, 1));
  const n = f32x4.sub(t, c(EXP, 1));
  const e = expNearZero(madd(n, c(EXP, 3), madd(n, c(EXP, 2), x)));
  return v128.andnot(i32x4.add(e, i32x4.shl(t, 23)), f32x4.lt(x, c(EXP, 6)));
}

const LOG = memory.data<f32>([
  0, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1,
  -2.4999993993e-1, 3.3333331174e-1, 1, 0.5, -2.12194440e-4, 0.693359375,
]);

/** The power of two that leaves of a normal number a factor between √½ and √2. */
// @ts-ignore: decorator
@inline
export function exponentOf(x: v128): v128 {
  return i32x4.shr_s(i32x4.sub(x, i32x4.splat(0x3f3504f3)), 23);
}

/** x / 2^e − 1. */
// @ts-ignore: decorator
@inline
export function factorOf(x: v128, e: v128): v128 {
  return f32x4.sub(i32x4.sub(x, i32x4.shl(e, 23)), c(LOG, 10));
}

/** ln(2^e · (1 + m)), relative 2e-7 also near 1. */
// @ts-ignore: decorator
@inline
export function logOfParts(e: v128, m: v128): v128 {
  const n = f32x4.convert_i32x4_s(e);
  const z = f32x4.mul(m, m);
  let y = f32x4.mul(f32x4.mul(degree9(LOG, m), m), z);
  y = madd(n, c(LOG, 12), y);
  y = f32x4.sub(y, f32x4.mul(z, c(LOG, 11)));
  return f32x4.add(f32x4.add(m, y), f32x4.mul(n, c(LOG, 13)));
}

/** ln x of normal numbers: positive, finite and not tiny. */
// @ts-ignore: decorator
@inline
export function logOfNormal(x: v128): v128 {
  const e = exponentOf(x);
  return logOfParts(e, factorOf(x, e));
}

/** ln 2²³. */
const LOG_OF_SHIFT: f32 = 15.942385152878742;

// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  const tiny = f32x4.lt(x, splat(1.17549435e-38));
  let y = logOfNormal(v128.bitselect(f32x4.mul(x, splat(8388608)), x, tiny));
  y = f32x4.sub(y, v128.and(tiny, splat(LOG_OF_SHIFT)));
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

const TANH = memory.data<f32>([0, -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1]);

/** sign(x) · (1 − e^−2|x|) / (1 + e^−2|x|), and near 0 a polynomial, where 1 − e^−2|x| would lose its digits. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const a = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  const near = madd(f32x4.mul(degree5(TANH, z), z), x, x);
  const e = decay(f32x4.mul(a, splat(-2)));
  const far = f32x4.div(f32x4.sub(splat(1), e), f32x4.add(splat(1), e));
  return v128.bitselect(near, v128.or(far, signOf(x)), f32x4.lt(a, splat(0.625)));
}

/** 1 / (1 + e^−x), from e^−|x|. */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const e = decay(f32x4.neg(f32x4.abs(x)));
  const top = v128.bitselect(e, splat(1), f32x4.lt(x, splat(0)));
  return f32x4.div(top, f32x4.add(e, splat(1)));
}

const TAIL = memory.data<f32>([
  -2.83489634966827e-6, 3.9377504435833544e-5, -1.8617942987475544e-4, -1.3693817891180515e-4, 7.063422352075577e-3,
  -5.2496179938316345e-2, -4.592081904411316e-1, -1.1511051654815674, -120, 14,
]);

/** erfc(a/√2) = 2 · (1 − Φ(a)) for a ≥ 0; it is 0 from 14 on. */
// @ts-ignore: decorator
@inline
function tail(a: v128): v128 {
  a = f32x4.pmin(a, c(TAIL, 9));
  const x = f32x4.mul(degree7(TAIL, a), a);
  const t = f32x4.add(x, c(EXP, 1));
  const e = expNearZero(f32x4.mul(f32x4.sub(x, f32x4.sub(t, c(EXP, 1))), c(EXP, 4)));
  return v128.andnot(i32x4.add(e, i32x4.shl(t, 23)), f32x4.lt(x, c(TAIL, 8)));
}

const ERF = memory.data<f32>([-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1]);

// @ts-ignore: decorator
@inline
export function erf(x: v128): v128 {
  const a = f32x4.abs(x);
  const near = madd(degree5(ERF, f32x4.mul(x, x)), x, x);
  const far = f32x4.sub(splat(1), tail(f32x4.mul(a, splat(1.41421356237309505))));
  return v128.bitselect(near, v128.or(far, signOf(x)), f32x4.lt(a, splat(0.9277)));
}

const HALF_BELL = memory.data<f32>([-0.72134752044448170, 6, 0]);
const EXP2 = memory.data<f32>([1.3276487178e-3, 9.6755466807e-3, 5.5507132786e-2, 2.4022119626e-1, 6.9314696703e-1, 1]);

/** e^(−a²/2) for 0 ≤ a ≤ 6, as 2^n · 2^r with |r| ≤ ½. */
// @ts-ignore: decorator
@inline
function bell(a: v128): v128 {
  const square = f32x4.mul(a, a);
  const t = madd(square, c(HALF_BELL, 0), c(EXP, 1));
  const r = madd(square, c(HALF_BELL, 0), f32x4.sub(c(EXP, 1), t));
  return i32x4.add(degree5(EXP2, r), i32x4.shl(t, 23));
}

const MILLS = memory.data<f32>([
  -5.232504008745309e-6, 1.0832239786395803e-4, -9.949783561751246e-4, 5.45123778283596e-3, -2.041664533317089e-2, 5.743139237165451e-2,
  -1.3044898211956024e-1, 2.4932131171226501e-1, -3.988669812679291e-1, 4.999985992908478e-1,
]);

/** x · Φ(x) = max(x, 0) − a · (1 − Φ(a)) with a = |x|; 1 − Φ(a) is e^(−a²/2) times a polynomial, and 0 from 6 on. */
// @ts-ignore: decorator
@inline
export function gelu(x: v128): v128 {
  const a = f32x4.pmin(f32x4.abs(x), c(HALF_BELL, 1));
  const tail = f32x4.mul(bell(a), degree9(MILLS, a));
  return f32x4.sub(f32x4.pmax(x, c(HALF_BELL, 2)), f32x4.mul(a, tail));
}

const SLOPE = memory.data<f32>([
  -8.06307161838049e-6, 1.519418874522671e-4, -1.2711621820926666e-3, 6.38280576094985e-3, -2.2230876609683037e-2, 5.949679762125015e-2,
  -1.3177289068698883e-1, 2.4975229799747467e-1, -7.978649139404297e-1, 4.999997317790985e-1,
]);

/** Φ(x) + x · φ(x): with a = |x| it is 1 − s(a) above 0 and s(a) below, s again e^(−a²/2) times a polynomial. */
// @ts-ignore: decorator
@inline
export function geluSlope(x: v128): v128 {
  const a = f32x4.pmin(f32x4.abs(x), c(HALF_BELL, 1));
  const s = f32x4.mul(bell(a), degree9(SLOPE, a));
  return v128.bitselect(s, f32x4.sub(c(EXP, 5), s), f32x4.lt(x, c(HALF_BELL, 2)));
}

const ERFINV_NEAR = memory.data<f32>([
  0, 2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164, 0.246640727, 1.50140941,
]);
const ERFINV_FAR = memory.data<f32>([
  0, -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047, 1.00167406, 2.83297682,
]);

// @ts-ignore: decorator
@inline
export function erfinv(x: v128): v128 {
  const w = f32x4.neg(log(f32x4.mul(f32x4.sub(splat(1), x), f32x4.add(splat(1), x))));
  const near = degree9(ERFINV_NEAR, f32x4.sub(w, splat(2.5)));
  const far = degree9(ERFINV_FAR, f32x4.sub(f32x4.sqrt(w), splat(3)));
  return f32x4.mul(v128.bitselect(near, far, f32x4.lt(w, splat(5))), x);
}
