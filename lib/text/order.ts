/**
 * Randomness for work on text, which happens on the host before any tensor exists. A host key is two 32-bit words;
 * every number is threefry of a key and a counter, so nothing is remembered and any draw can be had again.
 *
 * The shuffle is a keyed bijection of 0 … n − 1 that gives one place at a time: a Feistel network
 *
 *     (l, r) ← (r, l ⊕ F(key, round, r))
 *
 * is a bijection of the 2h-bit numbers whatever F is (Luby and Rackoff 1988), and walking on until the result is
 * below n narrows it to n places (Black and Rogaway 2002). A training run can therefore be entered at any step
 * without shuffling the epochs before it, and without keeping a permutation in memory.
 */
import { threefry2x32 } from '../../kernels/threefry.ts';

export type HostKey = readonly [number, number];

const ROUNDS = 6;

/** The key numbered `n` under `key`. Keys of different numbers give unrelated streams. */
export const derive = (key: HostKey, n: number): HostKey => threefry2x32(key[0], key[1], n, 1);

/** The uniform number in [0, 1) at `counter`, with 32 random bits. */
export const uniformAt = (key: HostKey, counter: number): number =>
  threefry2x32(key[0], key[1], counter, 0)[0] / 0x1_0000_0000;

/** Where place `i` of 0 … n − 1 goes under the shuffle that belongs to `key`. */
export const shuffled = (i: number, n: number, key: HostKey): number => {
  if (!(i >= 0 && i < n && n <= 2 ** 30)) {
    throw new RangeError(`shuffled: expected 0 <= i < n <= 2^30, got i = ${i}, n = ${n}`);
  }
  const half = Math.ceil((32 - Math.clz32(n - 1)) / 2);
  const mask = (1 << half) - 1;
  let place = i;
  do {
    let [left, right] = [place >> half, place & mask];
    for (let round = 0; round < ROUNDS; round++) {
      [left, right] = [right, left ^ (threefry2x32(key[0], key[1], right, 2 + round)[0] & mask)];
    }
    place = (left << half) | right;
  } while (place >= n);
  return place;
};

/** The whole shuffle of 0 … n − 1. */
export const permutation = (n: number, key: HostKey): number[] =>
  Array.from({ length: n }, (_, i) => shuffled(i, n, key));
