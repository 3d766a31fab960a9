/**
 * Threefry-2x32-20: random numbers as a pure function of a key and a counter (Salmon, Moraes, Dror and Shaw 2011,
 * "Parallel random numbers: as easy as 1, 2, 3"). Two 32-bit words are mixed by twenty rounds of
 *
 *     x₀ ← x₀ + x₁,   x₁ ← (x₁ rotated left by r) ⊕ x₀,
 *
 * and after every fourth round the key words k₀, k₁ and k₂ = k₀ ⊕ k₁ ⊕ 0x1BD11BDA are added in turn. Nothing is
 * remembered between calls, so any number of a stream can be had at once, in any order, on any device.
 */

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24];

/** The two random words of counter (c0, c1) under key (k0, k1): unsigned 32-bit integers in and out. */
export const threefry2x32 = (k0: number, k1: number, c0: number, c1: number): [number, number] => {
  const key = [k0, k1, k0 ^ k1 ^ 0x1bd11bda];
  let x0 = (c0 + k0) | 0;
  let x1 = (c1 + k1) | 0;
  for (let round = 0; round < 20; round++) {
    const r = ROTATIONS[round % 8];
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0;
    if (round % 4 === 3) {
      const s = (round + 1) / 4;
      x0 = (x0 + key[s % 3]) | 0;
      x1 = (x1 + key[(s + 1) % 3] + s) | 0;
    }
  }
  return [x0 >>> 0, x1 >>> 0];
};
