/**
 * Threefry-2x32-20 in 32-bit words, four blocks at a time; kernels/random.ts tells what it is, and gives the same bits. A
 * key is four 16-bit halves of two words, high half first, held as floats.
 */
import { at } from './lanes';
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

/** The two words of the blocks of four counters, left in the thread's scratch memory, where `first` and `second` find them. */
// @ts-ignore: decorator
@inline
function blocks(k0: i32, k1: i32, counter: v128, tag: i32): void {
  const k2 = k0 ^ k1 ^ 0x1bd11bda;
  let x = i32x4.add(counter, i32x4.splat(k0)), y = i32x4.splat(tag + k1);
  x = i32x4.add(x, y);
  y = turn(y, 13, x);
  x = i32x4.add(x, y);
  y = turn(y, 15, x);
  x = i32x4.add(x, y);
  y = turn(y, 26, x);
  x = i32x4.add(x, y);
  y = turn(y, 6, x);
  x = i32x4.add(x, i32x4.splat(k1));
  y = i32x4.add(y, i32x4.splat(k2 + 1));
  x = i32x4.add(x, y);
  y = turn(y, 17, x);
  x = i32x4.add(x, y);
  y = turn(y, 29, x);
  x = i32x4.add(x, y);
  y = turn(y, 16, x);
  x = i32x4.add(x, y);
  y = turn(y, 24, x);
  x = i32x4.add(x, i32x4.splat(k2));
  y = i32x4.add(y, i32x4.splat(k0 + 2));
  x = i32x4.add(x, y);
  y = turn(y, 13, x);
  x = i32x4.add(x, y);
  y = turn(y, 15, x);
  x = i32x4.add(x, y);
  y = turn(y, 26, x);
  x = i32x4.add(x, y);
  y = turn(y, 6, x);
  x = i32x4.add(x, i32x4.splat(k0));
  y = i32x4.add(y, i32x4.splat(k1 + 3));
  x = i32x4.add(x, y);
  y = turn(y, 17, x);
  x = i32x4.add(x, y);
  y = turn(y, 29, x);
  x = i32x4.add(x, y);
  y = turn(y, 16, x);
  x = i32x4.add(x, y);
  y = turn(y, 24, x);
  x = i32x4.add(x, i32x4.splat(k1));
  y = i32x4.add(y, i32x4.splat(k2 + 4));
  x = i32x4.add(x, y);
  y = turn(y, 13, x);
  x = i32x4.add(x, y);
  y = turn(y, 15, x);
  x = i32x4.add(x, y);
  y = turn(y, 26, x);
  x = i32x4.add(x, y);
  y = turn(y, 6, x);
  x = i32x4.add(x, i32x4.splat(k2));
  y = i32x4.add(y, i32x4.splat(k0 + 5));
  v128.store(scratch, x);
  v128.store(scratch, y, 16);
}

// @ts-ignore: decorator
@inline
function first(): v128 {
  return v128.load(scratch);
}

// @ts-ignore: decorator
@inline
function second(): v128 {
  return v128.load(scratch, 16);
}

/** The four 16-bit halves of one block, as floats: a new key. */
function storeKey(key: usize, counter: i32, tag: i32, y: usize): void {
  blocks(word(key, 0), word(key, 1), i32x4.splat(counter), tag);
  const x0 = load<u32>(scratch), x1 = load<u32>(scratch, 16);
  store<f32>(y, (x0 >> 16) as f32);
  store<f32>(y, (x0 & 0xffff) as f32, 4);
  store<f32>(y, (x1 >> 16) as f32, 8);
  store<f32>(y, (x1 & 0xffff) as f32, 12);
}

/** Arguments: key, y, block, tag. One item. */
export function deriveKey(p: usize, from: u32, to: u32): void {
  storeKey(load<usize>(p), load<i32>(p, 8), load<i32>(p, 12), load<usize>(p, 4));
}

/** Arguments: key, n, y. One item. */
export function fold(p: usize, from: u32, to: u32): void {
  storeKey(load<usize>(p), load<f32>(load<usize>(p, 4)) as i32, 1, load<usize>(p, 8));
}

/** The upper 24 bits of the words of four blocks, in order. */
// @ts-ignore: decorator
@inline
function draw(k0: i32, k1: i32, element: u32): void {
  blocks(k0, k1, i32x4.add(i32x4.splat(element >> 1), i32x4(0, 1, 2, 3)), 0);
}

// @ts-ignore: decorator
@inline
function lower(): v128 {
  return i32x4.shr_u(v128.shuffle<i32>(first(), second(), 0, 4, 1, 5), 8);
}

// @ts-ignore: decorator
@inline
function upper(): v128 {
  return i32x4.shr_u(v128.shuffle<i32>(first(), second(), 2, 6, 3, 7), 8);
}

/** Numbers in [0, 1). Arguments: key, y. Items are elements; chunks begin at multiples of eight. */
export function uniform(p: usize, from: u32, to: u32): void {
  const k0 = word(load<usize>(p), 0), k1 = word(load<usize>(p), 1);
  const y = load<usize>(p, 4);
  const unit = f32x4.splat(1 / 16777216);
  for (let i = from; i < to; i += 8) {
    draw(k0, k1, i);
    v128.store(at(y, i), f32x4.mul(f32x4.convert_i32x4_s(lower()), unit));
    if (i + 4 < to) v128.store(at(y, i + 4), f32x4.mul(f32x4.convert_i32x4_s(upper()), unit));
  }
}

/** x · scale where the draw reaches the threshold, else 0. Arguments: key, x, y, threshold in 2⁻²⁴; scale. Items as above. */
export function dropout(p: usize, from: u32, to: u32): void {
  const k0 = word(load<usize>(p), 0), k1 = word(load<usize>(p), 1);
  const x = load<usize>(p, 4), y = load<usize>(p, 8);
  const threshold = v128.load32_splat(p, 12), scale = v128.load32_splat(p, 16);
  for (let i = from; i < to; i += 8) {
    draw(k0, k1, i);
    v128.store(at(y, i), v128.and(f32x4.mul(v128.load(at(x, i)), scale), i32x4.ge_s(lower(), threshold)));
    if (i + 4 < to) {
      v128.store(at(y, i + 4), v128.and(f32x4.mul(v128.load(at(x, i + 4)), scale), i32x4.ge_s(upper(), threshold)));
    }
  }
}
