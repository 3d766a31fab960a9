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

/**
 * The two words of the blocks of eight counters, left in the thread's scratch memory: the first words of the first four,
 * their second words, then the same of the other four. Two streams side by side keep the processor busy, since every step
 * of one waits for the step before.
 */
function blocks(k0: i32, k1: i32, counter: i32, tag: i32): void {
  const k2 = k0 ^ k1 ^ 0x1bd11bda;
  const a = i32x4.splat(k0), b = i32x4.splat(k1), c = i32x4.splat(k2);
  let x = i32x4.add(i32x4.splat(counter + k0), i32x4(0, 1, 2, 3)), y = i32x4.splat(tag + k1);
  let u = i32x4.add(x, i32x4.splat(4)), v = y;
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 13, x), v = turn(v, 13, u);
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 15, x), v = turn(v, 15, u);
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 26, x), v = turn(v, 26, u);
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 6, x), v = turn(v, 6, u);
  x = i32x4.add(x, b), u = i32x4.add(u, b), y = i32x4.add(y, i32x4.add(c, i32x4.splat(1))), v = i32x4.add(v, i32x4.add(c, i32x4.splat(1)));
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 17, x), v = turn(v, 17, u);
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 29, x), v = turn(v, 29, u);
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 16, x), v = turn(v, 16, u);
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 24, x), v = turn(v, 24, u);
  x = i32x4.add(x, c), u = i32x4.add(u, c), y = i32x4.add(y, i32x4.add(a, i32x4.splat(2))), v = i32x4.add(v, i32x4.add(a, i32x4.splat(2)));
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 13, x), v = turn(v, 13, u);
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 15, x), v = turn(v, 15, u);
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 26, x), v = turn(v, 26, u);
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 6, x), v = turn(v, 6, u);
  x = i32x4.add(x, a), u = i32x4.add(u, a), y = i32x4.add(y, i32x4.add(b, i32x4.splat(3))), v = i32x4.add(v, i32x4.add(b, i32x4.splat(3)));
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 17, x), v = turn(v, 17, u);
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 29, x), v = turn(v, 29, u);
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 16, x), v = turn(v, 16, u);
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 24, x), v = turn(v, 24, u);
  x = i32x4.add(x, b), u = i32x4.add(u, b), y = i32x4.add(y, i32x4.add(c, i32x4.splat(4))), v = i32x4.add(v, i32x4.add(c, i32x4.splat(4)));
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 13, x), v = turn(v, 13, u);
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 15, x), v = turn(v, 15, u);
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 26, x), v = turn(v, 26, u);
  x = i32x4.add(x, y), u = i32x4.add(u, v), y = turn(y, 6, x), v = turn(v, 6, u);
  x = i32x4.add(x, c), u = i32x4.add(u, c), y = i32x4.add(y, i32x4.add(a, i32x4.splat(5))), v = i32x4.add(v, i32x4.add(a, i32x4.splat(5)));
  v128.store(scratch, x);
  v128.store(scratch, y, 16);
  v128.store(scratch, u, 32);
  v128.store(scratch, v, 48);
}

/** The four 16-bit halves of one block, as floats: a new key. */
function storeKey(key: usize, counter: i32, tag: i32, y: usize): void {
  blocks(word(key, 0), word(key, 1), counter, tag);
  const first = load<u32>(scratch), second = load<u32>(scratch, 16);
  store<f32>(y, (first >> 16) as f32);
  store<f32>(y, (first & 0xffff) as f32, 4);
  store<f32>(y, (second >> 16) as f32, 8);
  store<f32>(y, (second & 0xffff) as f32, 12);
}

/** Arguments: key, y, block, tag. One item. */
export function deriveKey(p: usize, from: u32, to: u32): void {
  storeKey(load<usize>(p), load<i32>(p, 8), load<i32>(p, 12), load<usize>(p, 4));
}

/** Arguments: key, n, y. One item. */
export function fold(p: usize, from: u32, to: u32): void {
  storeKey(load<usize>(p), load<f32>(load<usize>(p, 4)) as i32, 1, load<usize>(p, 8));
}

/** The upper 24 bits of the words of two or four blocks, in order: of the `part`-th four of the sixteen words. */
// @ts-ignore: decorator
@inline
function drawn(part: u32): v128 {
  const words = scratch + (part & 2) * 16;
  const pairs =
    (part & 1) == 0
      ? v128.shuffle<i32>(v128.load(words), v128.load(words, 16), 0, 4, 1, 5)
      : v128.shuffle<i32>(v128.load(words), v128.load(words, 16), 2, 6, 3, 7);
  return i32x4.shr_u(pairs, 8);
}

// @ts-ignore: decorator
@inline
function unit(part: u32): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(drawn(part)), f32x4.splat(1 / 16777216));
}

/** Numbers in [0, 1). Arguments: key, y. Items are elements; chunks begin at multiples of sixteen, and fill whole lines. */
export function uniform(p: usize, from: u32, to: u32): void {
  const k0 = word(load<usize>(p), 0), k1 = word(load<usize>(p), 1);
  for (let y = at(load<usize>(p, 4), from), i = from; i < to; i += 16, y += 64) {
    blocks(k0, k1, i >> 1, 0);
    v128.store(y, unit(0));
    v128.store(y, unit(1), 16);
    v128.store(y, unit(2), 32);
    v128.store(y, unit(3), 48);
  }
}

/** x · scale where the draw reaches the threshold, else 0. Arguments: key, x, y, threshold in 2⁻²⁴; scale. Items as above. */
export function dropout(p: usize, from: u32, to: u32): void {
  const k0 = word(load<usize>(p), 0), k1 = word(load<usize>(p), 1);
  const threshold = v128.load32_splat(p, 12), scale = v128.load32_splat(p, 16);
  let x = at(load<usize>(p, 4), from);
  for (let y = at(load<usize>(p, 8), from), i = from; i < to; i += 16, x += 64, y += 64) {
    blocks(k0, k1, i >> 1, 0);
    v128.store(y, v128.and(f32x4.mul(v128.load(x), scale), i32x4.ge_s(drawn(0), threshold)));
    v128.store(y, v128.and(f32x4.mul(v128.load(x, 16), scale), i32x4.ge_s(drawn(1), threshold)), 16);
    v128.store(y, v128.and(f32x4.mul(v128.load(x, 32), scale), i32x4.ge_s(drawn(2), threshold)), 32);
    v128.store(y, v128.and(f32x4.mul(v128.load(x, 48), scale), i32x4.ge_s(drawn(3), threshold)), 48);
  }
}
