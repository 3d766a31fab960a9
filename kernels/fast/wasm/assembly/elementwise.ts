/**
 * Elementwise kernels. The operation is a constant of an inlined loop, so each export compiles to a loop of its own. Items
 * are elements (the last vector may run into the padding of its buffers), or rows where one row is repeated. Loops do two
 * vectors at a time, loads before stores: neither waits for the other, and some engines make one of them.
 */
import { at, storeSome, storeTwo } from './lanes';
import * as f from './functions';

const enum Unary { sqrt, exp, log, tanh, sigmoid, erf, erfinv, gelu }

// @ts-ignore: decorator
@inline
function apply(op: Unary, x: v128): v128 {
  if (op == Unary.sqrt) return f32x4.sqrt(x);
  if (op == Unary.exp) return f.exp(x);
  if (op == Unary.log) return f.log(x);
  if (op == Unary.tanh) return f.tanh(x);
  if (op == Unary.sigmoid) return f.sigmoid(x);
  if (op == Unary.erf) return f.erf(x);
  if (op == Unary.erfinv) return f.erfinv(x);
  return f.gelu(x);
}

/** Arguments: x, y. */
// @ts-ignore: decorator
@inline
function unary(op: Unary, p: usize, from: u32, to: u32): void {
  let x = at(load<usize>(p), from), y = at(load<usize>(p, 4), from);
  const end = y + ((to - from) << 2);
  for (; y + 16 < end; x += 32, y += 32) {
    storeTwo(y, apply(op, v128.load(x)), apply(op, v128.load(x, 16)));
  }
  if (y < end) v128.store(y, apply(op, v128.load(x)));
}

export function sqrt(p: usize, from: u32, to: u32): void { unary(Unary.sqrt, p, from, to); }
export function exp(p: usize, from: u32, to: u32): void { unary(Unary.exp, p, from, to); }
export function log(p: usize, from: u32, to: u32): void { unary(Unary.log, p, from, to); }
export function tanh(p: usize, from: u32, to: u32): void { unary(Unary.tanh, p, from, to); }
export function sigmoid(p: usize, from: u32, to: u32): void { unary(Unary.sigmoid, p, from, to); }
export function erf(p: usize, from: u32, to: u32): void { unary(Unary.erf, p, from, to); }
export function erfinv(p: usize, from: u32, to: u32): void { unary(Unary.erfinv, p, from, to); }
export function gelu(p: usize, from: u32, to: u32): void { unary(Unary.gelu, p, from, to); }

/** y = scale · x + shift. Arguments: x, y; scale, shift. */
export function affine(p: usize, from: u32, to: u32): void {
  let x = at(load<usize>(p), from), y = at(load<usize>(p, 4), from);
  const scale = v128.load32_splat(p, 8), shift = v128.load32_splat(p, 12);
  const end = y + ((to - from) << 2);
  for (; y + 16 < end; x += 32, y += 32) {
    storeTwo(y, f32x4.add(f32x4.mul(v128.load(x), scale), shift), f32x4.add(f32x4.mul(v128.load(x, 16), scale), shift));
  }
  if (y < end) v128.store(y, f32x4.add(f32x4.mul(v128.load(x), scale), shift));
}

/** y = value. Arguments: y; value. */
export function full(p: usize, from: u32, to: u32): void {
  let y = at(load<usize>(p), from);
  const value = v128.load32_splat(p, 4);
  const end = y + ((to - from) << 2);
  for (; y + 16 < end; y += 32) storeTwo(y, value, value);
  if (y < end) v128.store(y, value);
}

/** y = a where the condition is not 0, else b. Arguments: condition, a, b, y. */
export function where(p: usize, from: u32, to: u32): void {
  let c = at(load<usize>(p), from), a = at(load<usize>(p, 4), from), b = at(load<usize>(p, 8), from);
  let y = at(load<usize>(p, 12), from);
  for (const end = y + ((to - from) << 2); y < end; c += 16, a += 16, b += 16, y += 16) {
    v128.store(y, v128.bitselect(v128.load(a), v128.load(b), f32x4.ne(v128.load(c), f32x4.splat(0))));
  }
}

const enum Binary { add, sub, mul, div, maximum, minimum, equal, less, geluSlope, binaryCrossEntropy, average, averageSquare, adamDirection }

/** `s` is the parameter of the last three, which meet flat. */
// @ts-ignore: decorator
@inline
function combine(op: Binary, a: v128, b: v128, s: v128): v128 {
  if (op == Binary.add) return f32x4.add(a, b);
  if (op == Binary.sub) return f32x4.sub(a, b);
  if (op == Binary.mul) return f32x4.mul(a, b);
  if (op == Binary.div) return f32x4.div(a, b);
  if (op == Binary.maximum) return f32x4.max(a, b);
  if (op == Binary.minimum) return f32x4.min(a, b);
  if (op == Binary.equal) return v128.and(f32x4.eq(a, b), f32x4.splat(1));
  if (op == Binary.less) return v128.and(f32x4.lt(a, b), f32x4.splat(1));
  if (op == Binary.geluSlope) return f32x4.mul(f.geluSlope(a), b);
  if (op == Binary.average) return f32x4.add(a, f32x4.mul(s, f32x4.sub(b, a)));
  if (op == Binary.averageSquare) return f32x4.add(a, f32x4.mul(s, f32x4.sub(f32x4.mul(b, b), a)));
  if (op == Binary.adamDirection) return f32x4.div(a, f32x4.add(f32x4.sqrt(b), s));
  // max(a, 0) − a·b + ln(1 + e^−|a|)
  const tail = f.log1p(f.decay(f32x4.neg(f32x4.abs(a))));
  return f32x4.add(f32x4.sub(f32x4.max(a, f32x4.splat(0)), f32x4.mul(a, b)), tail);
}

const enum Meet { flat, scalarA, scalarB, rows }

/** Arguments: a, b, y, how they meet; the parameter, or for rows: their width, and the elements from row to row of a and of b (0 repeats). */
// @ts-ignore: decorator
@inline
function binary(op: Binary, p: usize, from: u32, to: u32): void {
  let a = load<usize>(p), b = load<usize>(p, 4), y = load<usize>(p, 8);
  const meet = load<u32>(p, 12);
  const s = v128.load32_splat(p, 16);
  if (meet == Meet.rows) {
    const width = load<u32>(p, 16), rowA = load<u32>(p, 20), rowB = load<u32>(p, 24);
    for (let r = from; r < to; r++) {
      const left = at(a, r * rowA), right = at(b, r * rowB), out = at(y, r * width);
      let c: u32 = 0;
      for (; c + 8 <= width; c += 8) {
        const l = at(left, c), r = at(right, c);
        storeTwo(at(out, c), combine(op, v128.load(l), v128.load(r), s), combine(op, v128.load(l, 16), v128.load(r, 16), s));
      }
      for (; c + 4 <= width; c += 4) v128.store(at(out, c), combine(op, v128.load(at(left, c)), v128.load(at(right, c)), s));
      if (c < width) storeSome(at(out, c), combine(op, v128.load(at(left, c)), v128.load(at(right, c)), s), width - c);
    }
    return;
  }
  y = at(y, from);
  const end = y + ((to - from) << 2);
  if (meet == Meet.scalarA) {
    const value = v128.load32_splat(a);
    b = at(b, from);
    for (; y + 16 < end; b += 32, y += 32) storeTwo(y, combine(op, value, v128.load(b), s), combine(op, value, v128.load(b, 16), s));
    if (y < end) v128.store(y, combine(op, value, v128.load(b), s));
  } else if (meet == Meet.scalarB) {
    const value = v128.load32_splat(b);
    a = at(a, from);
    for (; y + 16 < end; a += 32, y += 32) storeTwo(y, combine(op, v128.load(a), value, s), combine(op, v128.load(a, 16), value, s));
    if (y < end) v128.store(y, combine(op, v128.load(a), value, s));
  } else {
    a = at(a, from);
    b = at(b, from);
    for (; y + 16 < end; a += 32, b += 32, y += 32) {
      storeTwo(y, combine(op, v128.load(a), v128.load(b), s), combine(op, v128.load(a, 16), v128.load(b, 16), s));
    }
    if (y < end) v128.store(y, combine(op, v128.load(a), v128.load(b), s));
  }
}

export function add(p: usize, from: u32, to: u32): void { binary(Binary.add, p, from, to); }
export function sub(p: usize, from: u32, to: u32): void { binary(Binary.sub, p, from, to); }
export function mul(p: usize, from: u32, to: u32): void { binary(Binary.mul, p, from, to); }
export function div(p: usize, from: u32, to: u32): void { binary(Binary.div, p, from, to); }
export function maximum(p: usize, from: u32, to: u32): void { binary(Binary.maximum, p, from, to); }
export function minimum(p: usize, from: u32, to: u32): void { binary(Binary.minimum, p, from, to); }
export function equal(p: usize, from: u32, to: u32): void { binary(Binary.equal, p, from, to); }
export function less(p: usize, from: u32, to: u32): void { binary(Binary.less, p, from, to); }
export function geluSlope(p: usize, from: u32, to: u32): void { binary(Binary.geluSlope, p, from, to); }
export function binaryCrossEntropy(p: usize, from: u32, to: u32): void { binary(Binary.binaryCrossEntropy, p, from, to); }
export function average(p: usize, from: u32, to: u32): void { binary(Binary.average, p, from, to); }
export function averageSquare(p: usize, from: u32, to: u32): void { binary(Binary.averageSquare, p, from, to); }
export function adamDirection(p: usize, from: u32, to: u32): void { binary(Binary.adamDirection, p, from, to); }

/**
 * The rows of x, each times the factor of its run. Arguments: x, rows a run, factors, y, the number of runs, columns. Items
 * are rows.
 */
export function scaleRuns(p: usize, from: u32, to: u32): void {
  const counts = load<usize>(p, 4), factors = load<usize>(p, 8), runs = load<u32>(p, 16), columns = load<u32>(p, 20);
  let run: u32 = 0, end: u32 = 0;
  for (let row = from; row < to; ) {
    while (end <= row && run < runs) end += load<f32>(at(counts, run++)) as u32;
    const inside = row < end;
    const stop = inside ? min(end, to) : to;
    const factor = f32x4.splat(inside ? load<f32>(at(factors, run - 1)) : 0);
    const count = (stop - row) * columns;
    const x = at(load<usize>(p), row * columns), y = at(load<usize>(p, 12), row * columns);
    let c: u32 = 0;
    for (; c + 8 <= count; c += 8) storeTwo(at(y, c), f32x4.mul(v128.load(at(x, c)), factor), f32x4.mul(v128.load(at(x, c), 16), factor));
    for (; c + 4 <= count; c += 4) v128.store(at(y, c), f32x4.mul(v128.load(at(x, c)), factor));
    if (c < count) storeSome(at(y, c), f32x4.mul(v128.load(at(x, c)), factor), count - c);
    row = stop;
  }
}
