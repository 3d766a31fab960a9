/**
 * Random numbers from a key: Threefry-2x32-20, a counter-based generator (Salmon et al. 2011, "Parallel random numbers: as
 * easy as 1, 2, 3"). Output i depends on the key and on i alone, so every thread computes its own and every device
 * computes the same. Kernels have no portable 32-bit integers, so a word is two 16-bit halves, which float32 holds
 * exactly; a key is four of them, high half first.
 */
import type { Thread, Values } from './device/device.ts';

/**
 * One part of the cipher's block for the counter (block, tag) under the key with halves a b c d: parts 0 to 3 are the
 * 16-bit halves of the two words, parts 4 and 5 the upper 24 bits of the first and of the second word.
 */
export function threefry(a: number, b: number, c: number, d: number, block: number, tag: number, part: number): number {
  const eh = (a ^ c) ^ 0x1bd1;
  const el = (b ^ d) ^ 0x1bda;
  let xl = (block & 65535) + b;
  let xh = (((block >> 16) & 65535) + a + (xl >> 16)) & 65535;
  xl = xl & 65535;
  let yl = (tag & 65535) + d;
  let yh = (((tag >> 16) & 65535) + c + (yl >> 16)) & 65535;
  yl = yl & 65535;
  for (let round = 0; round < 20; round++) {
    const step = round & 7;
    let turn = 13;
    if (step === 1) turn = 15;
    if (step === 2) turn = 26;
    if (step === 3) turn = 6;
    if (step === 4) turn = 17;
    if (step === 5) turn = 29;
    if (step === 6) turn = 16;
    if (step === 7) turn = 24;
    // x += y
    xl = xl + yl;
    xh = (xh + yh + (xl >> 16)) & 65535;
    xl = xl & 65535;
    // y is rotated left by `turn`; by 16 is to swap the halves
    let high = yh;
    let low = yl;
    if (turn > 15) {
      high = yl;
      low = yh;
      turn = turn - 16;
    }
    yh = ((high << turn) | (low >> (16 - turn))) & 65535;
    yl = ((low << turn) | (high >> (16 - turn))) & 65535;
    // y ^= x
    yh = yh ^ xh;
    yl = yl ^ xl;
    if ((round & 3) === 3) {
      // Every fourth round injects two of the three key words (a b), (c d), (eh el), in turn, and the round's number.
      const injection = (round >> 2) + 1;
      let ph = c;
      let pl = d;
      let qh = eh;
      let ql = el;
      if (injection === 2 || injection === 5) {
        ph = eh;
        pl = el;
        qh = a;
        ql = b;
      }
      if (injection === 3) {
        ph = a;
        pl = b;
        qh = c;
        ql = d;
      }
      xl = xl + pl;
      xh = (xh + ph + (xl >> 16)) & 65535;
      xl = xl & 65535;
      yl = yl + ql + injection;
      yh = (yh + qh + (yl >> 16)) & 65535;
      yl = yl & 65535;
    }
  }
  let result = xh;
  if (part === 1) result = xl;
  if (part === 2) result = yh;
  if (part === 3) result = yl;
  if (part === 4) result = xh * 256 + (xl >> 8);
  if (part === 5) result = yh * 256 + (yl >> 8);
  return result;
}

/** Element i of n numbers in [0, 1) that a list of keys draws in equal parts; `uniform` for definitions on the host. */
export const draw = (keys: Values, i: number, n: number): number => {
  const size = (4 * n) / keys.length;
  const k = 4 * Math.floor(i / size);
  const j = i % size;
  return threefry(keys[k], keys[k + 1], keys[k + 2], keys[k + 3], j >> 1, 0, 4 + (j & 1)) / 2 ** 24;
};

/** A number in [0, 1), a multiple of 2^-24: element i of a key's part is word i mod 2 of block ⌊i/2⌋. Key y, element x. */
export function uniform(this: Thread, keys: Float32Array): number {
  const k = 4 * this.thread.y;
  return threefry(keys[k], keys[k + 1], keys[k + 2], keys[k + 3], this.thread.x >> 1, 0, 4 + (this.thread.x & 1)) / 16777216;
}

/**
 * Gumbel noise, −ln e where e = −ln(u + 2^-25) for a uniform u. The largest noises, which decide, come of u near 1, where e is
 * small and the logarithms of some devices have no digit right: from ½ on, e = 2 artanh z with z = w / (2 − w), w = 1 − u − 2^-25.
 * (The minimum changes nothing there; without it, drivers may add the terms of w in an order that rounds.)
 */
export function gumbel(this: Thread, keys: Float32Array): number {
  const k = 4 * this.thread.y;
  const bits = threefry(keys[k], keys[k + 1], keys[k + 2], keys[k + 3], this.thread.x >> 1, 0, 4 + (this.thread.x & 1));
  const w = (Math.min(16777216 - bits, 8388608) - 0.5) / 16777216;
  const z = w / (2 - w);
  const s = z * z;
  let e = 2 * z * (1 + s * (1 / 3 + s * (1 / 5 + s * (1 / 7 + s * (1 / 9 + s / 11)))));
  if (bits < 8388608) e = -Math.log((bits + 0.5) / 16777216);
  return -Math.log(e);
}

/** The four halves of the block of a counter: the key derived from key y by a name, hashed into (block, tag). */
export function deriveKey(this: Thread, keys: Float32Array, block: number, tag: number): number {
  const k = 4 * this.thread.y;
  return threefry(keys[k], keys[k + 1], keys[k + 2], keys[k + 3], block, tag, this.thread.x);
}

/** The key derived from a key by a number that is itself a tensor, such as the step: tag 1. A step of 0 repeats one. */
export function foldKey(this: Thread, keys: Float32Array, numbers: Float32Array, keyStep: number, numberStep: number): number {
  const k = this.thread.y * keyStep;
  return threefry(keys[k], keys[k + 1], keys[k + 2], keys[k + 3], numbers[this.thread.y * numberStep], 1, this.thread.x);
}

/** Inverted dropout: x / (1 − rate) where the uniform number of its place, in key y's part, is at least `rate`, else 0. */
export function dropout(this: Thread, keys: Float32Array, x: Float32Array, size: number, rate: number): number {
  const k = 4 * this.thread.y;
  const draw = threefry(keys[k], keys[k + 1], keys[k + 2], keys[k + 3], this.thread.x >> 1, 0, 4 + (this.thread.x & 1)) / 16777216;
  let y = 0;
  if (draw >= rate) y = x[this.thread.y * size + this.thread.x] / (1 - rate);
  return y;
}
