/**
 * Threefry-2x32-20 in 32-bit words, four blocks to a vector; kernels/random.ts tells what it is, and gives the same bits. A
 * key is four 16-bit halves of two words, high half first, held as floats.
 */
import * as f from './functions';
import { at, storeSome, storeTwo } from './lanes';
import { scratch } from './thread';

// @ts-ignore: decorator
@inline
function word(key: usize, which: u32): i32 {
  const high = load<f32>(at(key, 2 * which)) as i32;
  return (high << 16) | (load<f32>(at(key, 2 * which + 1)) as i32);
}

/** y rotated left, ⊕ x. */
// @ts-ignore: decorator
@inline
function turn(y: v128, by: i32, x: v128): v128 {
  return v128.xor(v128.or(i32x4.shl(y, by), i32x4.shr_u(y, 32 - by)), x);
}

const UPWARD = memory.data<i32>([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], 16);

/**
 * The words of the blocks of the counters `from` to `to`, left in the thread's scratch memory; and of some more, since
 * sixteen blocks are made at a time: their first words, then their second ones. Four streams side by side keep the processor
 * busy: every step of one waits for the step before.
 */
function words(key: usize, from: i32, to: i32, tag: i32): void {
  const k0 = word(key, 0), k1 = word(key, 1), k2 = k0 ^ k1 ^ 0x1bd11bda;
  const a = i32x4.splat(k0), b = i32x4.splat(k1), c = i32x4.splat(k2);
  const c1 = i32x4.splat(k2 + 1), a2 = i32x4.splat(k0 + 2), b3 = i32x4.splat(k1 + 3), c4 = i32x4.splat(k2 + 4), a5 = i32x4.splat(k0 + 5);
  let words = scratch;
  for (let counter = from; counter < to; counter += 16, words += 128) {
    const start = i32x4.splat(counter + k0);
    let x0 = i32x4.add(start, v128.load(UPWARD)), y0 = i32x4.splat(tag + k1);
    let x1 = i32x4.add(start, v128.load(UPWARD, 16)), y1 = y0;
    let x2 = i32x4.add(start, v128.load(UPWARD, 32)), y2 = y0;
    let x3 = i32x4.add(start, v128.load(UPWARD, 48)), y3 = y0;
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 13, x0), y1 = turn(y1, 13, x1), y2 = turn(y2, 13, x2), y3 = turn(y3, 13, x3);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 15, x0), y1 = turn(y1, 15, x1), y2 = turn(y2, 15, x2), y3 = turn(y3, 15, x3);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 26, x0), y1 = turn(y1, 26, x1), y2 = turn(y2, 26, x2), y3 = turn(y3, 26, x3);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 6, x0), y1 = turn(y1, 6, x1), y2 = turn(y2, 6, x2), y3 = turn(y3, 6, x3);
    x0 = i32x4.add(x0, b), x1 = i32x4.add(x1, b), x2 = i32x4.add(x2, b), x3 = i32x4.add(x3, b);
    y0 = i32x4.add(y0, c1), y1 = i32x4.add(y1, c1), y2 = i32x4.add(y2, c1), y3 = i32x4.add(y3, c1);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 17, x0), y1 = turn(y1, 17, x1), y2 = turn(y2, 17, x2), y3 = turn(y3, 17, x3);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 29, x0), y1 = turn(y1, 29, x1), y2 = turn(y2, 29, x2), y3 = turn(y3, 29, x3);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 16, x0), y1 = turn(y1, 16, x1), y2 = turn(y2, 16, x2), y3 = turn(y3, 16, x3);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 24, x0), y1 = turn(y1, 24, x1), y2 = turn(y2, 24, x2), y3 = turn(y3, 24, x3);
    x0 = i32x4.add(x0, c), x1 = i32x4.add(x1, c), x2 = i32x4.add(x2, c), x3 = i32x4.add(x3, c);
    y0 = i32x4.add(y0, a2), y1 = i32x4.add(y1, a2), y2 = i32x4.add(y2, a2), y3 = i32x4.add(y3, a2);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 13, x0), y1 = turn(y1, 13, x1), y2 = turn(y2, 13, x2), y3 = turn(y3, 13, x3);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 15, x0), y1 = turn(y1, 15, x1), y2 = turn(y2, 15, x2), y3 = turn(y3, 15, x3);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 26, x0), y1 = turn(y1, 26, x1), y2 = turn(y2, 26, x2), y3 = turn(y3, 26, x3);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 6, x0), y1 = turn(y1, 6, x1), y2 = turn(y2, 6, x2), y3 = turn(y3, 6, x3);
    x0 = i32x4.add(x0, a), x1 = i32x4.add(x1, a), x2 = i32x4.add(x2, a), x3 = i32x4.add(x3, a);
    y0 = i32x4.add(y0, b3), y1 = i32x4.add(y1, b3), y2 = i32x4.add(y2, b3), y3 = i32x4.add(y3, b3);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 17, x0), y1 = turn(y1, 17, x1), y2 = turn(y2, 17, x2), y3 = turn(y3, 17, x3);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 29, x0), y1 = turn(y1, 29, x1), y2 = turn(y2, 29, x2), y3 = turn(y3, 29, x3);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 16, x0), y1 = turn(y1, 16, x1), y2 = turn(y2, 16, x2), y3 = turn(y3, 16, x3);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 24, x0), y1 = turn(y1, 24, x1), y2 = turn(y2, 24, x2), y3 = turn(y3, 24, x3);
    x0 = i32x4.add(x0, b), x1 = i32x4.add(x1, b), x2 = i32x4.add(x2, b), x3 = i32x4.add(x3, b);
    y0 = i32x4.add(y0, c4), y1 = i32x4.add(y1, c4), y2 = i32x4.add(y2, c4), y3 = i32x4.add(y3, c4);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 13, x0), y1 = turn(y1, 13, x1), y2 = turn(y2, 13, x2), y3 = turn(y3, 13, x3);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 15, x0), y1 = turn(y1, 15, x1), y2 = turn(y2, 15, x2), y3 = turn(y3, 15, x3);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 26, x0), y1 = turn(y1, 26, x1), y2 = turn(y2, 26, x2), y3 = turn(y3, 26, x3);
    x0 = i32x4.add(x0, y0), x1 = i32x4.add(x1, y1), x2 = i32x4.add(x2, y2), x3 = i32x4.add(x3, y3);
    y0 = turn(y0, 6, x0), y1 = turn(y1, 6, x1), y2 = turn(y2, 6, x2), y3 = turn(y3, 6, x3);
    x0 = i32x4.add(x0, c), x1 = i32x4.add(x1, c), x2 = i32x4.add(x2, c), x3 = i32x4.add(x3, c);
    y0 = i32x4.add(y0, a5), y1 = i32x4.add(y1, a5), y2 = i32x4.add(y2, a5), y3 = i32x4.add(y3, a5);
    storeTwo(words, x0, x1);
    storeTwo(words + 32, x2, x3);
    storeTwo(words + 64, y0, y1);
    storeTwo(words + 96, y2, y3);
  }
}

/** The four 16-bit halves of one block, as floats: a new key. */
function storeKey(key: usize, counter: i32, tag: i32, y: usize): void {
  words(key, counter, counter + 1, tag);
  const first = load<u32>(scratch), second = load<u32>(scratch, 64);
  store<f32>(y, (first >> 16) as f32);
  store<f32>(y, (first & 0xffff) as f32, 4);
  store<f32>(y, (second >> 16) as f32, 8);
  store<f32>(y, (second & 0xffff) as f32, 12);
}

/** Arguments: keys, y, block, tag. Items are keys. */
export function deriveKey(p: usize, from: u32, to: u32): void {
  for (let i = from; i < to; i++) storeKey(at(load<usize>(p), 4 * i), load<i32>(p, 8), load<i32>(p, 12), at(load<usize>(p, 4), 4 * i));
}

/** Arguments: keys, numbers, y, the elements from key to key and from number to number (0 repeats). Items are new keys. */
export function fold(p: usize, from: u32, to: u32): void {
  const keyStep = load<u32>(p, 12), numberStep = load<u32>(p, 16);
  for (let i = from; i < to; i++) {
    const n = load<f32>(at(load<usize>(p, 4), numberStep * i)) as i32;
    storeKey(at(load<usize>(p), keyStep * i), n, 1, at(load<usize>(p, 8), 4 * i));
  }
}

/** The words i to i + 3 of those that `words` left, a block's first before its second. */
// @ts-ignore: decorator
@inline
function inOrder(i: u32): v128 {
  const first = scratch + ((i >> 5) << 7) + ((i & 31) << 1);
  return v128.shuffle<i32>(v128.load64_zero(first), v128.load64_zero(first, 64), 0, 4, 1, 5);
}

const enum Draw { uniform, gumbel, dropout }

/** Gumbel noise −ln(−ln(u + 2⁻²⁵)) of numbers in [0, 1): near 1, where that sum is rounded, by how much it lacks of 1. */
// @ts-ignore: decorator
@inline
function noise(u: v128): v128 {
  const shift = f32x4.splat(2.98023223876953125e-8);
  const x = f32x4.add(u, shift);
  const e = f.exponentOf(x);
  const lack = f32x4.add(f32x4.sub(u, f32x4.splat(1)), shift);
  const m = v128.bitselect(f.factorOf(x, e), lack, i32x4.ne(e, i32x4.splat(0)));
  return f32x4.neg(f.logOfNormal(f32x4.neg(f.logOfParts(e, m))));
}

/** What becomes of four words: numbers in [0, 1), Gumbel noise, or the elements x · scale where the upper 24 bits reach the threshold, else 0. */
// @ts-ignore: decorator
@inline
function use(op: Draw, words: v128, x: usize, threshold: v128, scale: v128): v128 {
  const bits = i32x4.shr_u(words, 8);
  if (op == Draw.dropout) return v128.and(f32x4.mul(v128.load(x), scale), i32x4.ge_s(bits, threshold));
  const u = f32x4.mul(f32x4.convert_i32x4_s(bits), f32x4.splat(1 / 16777216));
  return op == Draw.gumbel ? noise(u) : u;
}

/** Items are runs: a key's part of `size` elements is cut into runs of `run`, an even number, of which the last is shorter. */
// @ts-ignore: decorator
@inline
function draw(op: Draw, keys: usize, x: usize, y: usize, size: u32, run: u32, from: u32, to: u32, threshold: v128, scale: v128): void {
  const runs = (size + run - 1) / run;
  for (let item = from; item < to; item++) {
    const row = item / runs, first = (item % runs) * run;
    const count = min(run, size - first);
    words(at(keys, 4 * row), first >> 1, (first + count + 1) >> 1, 0);
    const source = at(x, row * size + first), target = at(y, row * size + first);
    let i: u32 = 0;
    for (; i + 8 <= count; i += 8) {
      const x = at(source, i);
      storeTwo(at(target, i), use(op, inOrder(i), x, threshold, scale), use(op, inOrder(i + 4), x + 16, threshold, scale));
    }
    for (; i + 4 <= count; i += 4) v128.store(at(target, i), use(op, inOrder(i), at(source, i), threshold, scale));
    if (i < count) storeSome(at(target, i), use(op, inOrder(i), at(source, i), threshold, scale), count - i);
  }
}

/** Numbers in [0, 1). Arguments: keys, y, elements a key, elements a run. */
export function uniform(p: usize, from: u32, to: u32): void {
  const none = i32x4.splat(0);
  draw(Draw.uniform, load<usize>(p), 0, load<usize>(p, 4), load<u32>(p, 8), load<u32>(p, 12), from, to, none, none);
}

/** Gumbel noise. Arguments: as of uniform. */
export function gumbel(p: usize, from: u32, to: u32): void {
  const none = i32x4.splat(0);
  draw(Draw.gumbel, load<usize>(p), 0, load<usize>(p, 4), load<u32>(p, 8), load<u32>(p, 12), from, to, none, none);
}

/** Elements that are kept or dropped. Arguments: keys, x, y, elements a key, elements a run, threshold in 2⁻²⁴; scale. */
export function dropout(p: usize, from: u32, to: u32): void {
  const threshold = v128.load32_splat(p, 20), scale = v128.load32_splat(p, 24);
  draw(Draw.dropout, load<usize>(p), load<usize>(p, 4), load<usize>(p, 8), load<u32>(p, 12), load<u32>(p, 16), from, to, threshold, scale);
}
