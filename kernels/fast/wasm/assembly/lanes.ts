/**
 * Four floats at a time: what the other files say about vectors. A kernel handles the last elements of a row by loading
 * whole vectors and storing only the lanes that belong to it; buffers are padded, so reading past their end is harmless.
 */

/** The address of a float of an array. */
// @ts-ignore: decorator
@inline
export function at(base: usize, index: u32): usize {
  return base + ((index as usize) << 2);
}

/** a · b + c: one rounding where relaxed SIMD offers a fused multiply-add, else two. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** All ones in the first `count` lanes, zeros in the others. */
// @ts-ignore: decorator
@inline
export function firstLanes(count: u32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
}

/** Stores two vectors, the one behind the other. */
// @ts-ignore: decorator
@inline
export function storeTwo(at: usize, first: v128, second: v128): void {
  v128.store(at, first);
  v128.store(at, second, 16);
}

/** Stores the first `count` lanes, fewer than four. */
export function storeSome(at: usize, value: v128, count: u32): void {
  if (count & 2) {
    v128.store64_lane(at, value, 0);
    at += 8;
    value = v128.shuffle<u64>(value, value, 1, 1);
  }
  if (count & 1) v128.store32_lane(at, value, 0);
}

// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

// @ts-ignore: decorator
@inline
export function maxLanes(v: v128): f32 {
  const pairs = f32x4.max(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return max(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/** The mask with the sign of each lane. */
// @ts-ignore: decorator
@inline
export function signOf(v: v128): v128 {
  return v128.and(v, i32x4.splat(0x80000000));
}

/** The four elements from column c of a row; beyond its end the lanes hold `other`. */
// @ts-ignore: decorator
@inline
export function part(row: usize, c: u32, columns: u32, other: v128): v128 {
  const v = v128.load(at(row, c));
  return c + 4 <= columns ? v : v128.bitselect(v, other, firstLanes(columns - c));
}

// @ts-ignore: decorator
@inline
export function put(row: usize, c: u32, columns: u32, value: v128): void {
  if (c + 4 <= columns) v128.store(at(row, c), value);
  else storeSome(at(row, c), value, columns - c);
}

// @ts-ignore: decorator
@inline
export function zeros(): v128 {
  return f32x4.splat(0);
}

// @ts-ignore: decorator
@inline
export function sumFour(a: v128, b: v128, c: v128, d: v128): v128 {
  return f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
}
