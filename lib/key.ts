/**
 * Randomness as a value. A key is a small tensor; the same key always gives the same numbers, on every device, and
 * nothing random happens without one. New keys come from old ones: `split` by name, `fold` by number (such as the step),
 * so two uses of one key are a mistake one can see. Underneath is Threefry-2x32-20 (Salmon et al. 2011): output i is a
 * cipher's block for the counter i. Counters carry a tag, so that numbers (tag 0), folded keys (tag 1) and named keys
 * (tags from 2^30) never meet.
 */
import * as kernels from '../kernels/random.ts';
import type { Values } from '../kernels/device/device.ts';
import { elementwise, operation } from './op.ts';
import type { Shape, Spec } from './shape.ts';
import { sameShape, show } from './shape.ts';
import type { Tensor } from './tensor.ts';
import { tensor } from './tensor.ts';
import { add, log, mul, neg } from './ops/arith.ts';
import { erfinv } from './ops/gelu.ts';
import { argmax } from './ops/reduce.ts';

const { threefry } = kernels;

/** How tests draw a key: four 16-bit halves of two words. */
const drawKey = { dims: '4', below: 65536 };

const requireKey = (name: string, key: Spec): void => {
  if (key.dtype !== 'i32' || !sameShape(key.shape, [4])) {
    throw new Error(`${name}: expected a key, made by key(seed), split or fold; got ${key.dtype} ${show(key.shape)}`);
  }
};

const part = (key: Values, block: number, tag: number, which: number) => threefry(key[0], key[1], key[2], key[3], block, tag, which);

/** A key from a whole number between 0 and 2^53. Throws on others. */
export const key = (seed: number): Tensor => {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`key: a seed is a whole number from 0 to 2^53, not ${seed}`);
  const high = Math.floor(seed / 2 ** 32);
  const low = seed >>> 0;
  return tensor([high >>> 16, high & 65535, low >>> 16, low & 65535], [4], 'i32');
};

const deriveOp = operation<{ block: number; tag: number }>({
  name: 'deriveKey',
  about: 'y = the block of the counter (block, tag) under the key',
  domain: { inputs: [drawKey], params: (_, pick) => ({ block: pick(2 ** 31), tag: pick(2 ** 31) }) },
  shape([key]) {
    requireKey('split', key);
    return key;
  },
  reference: ([key], y, { block, tag }) => y.forEach((_, i) => (y[i] = part(key, block, tag, i))),
  launches: ({ block, tag }) => [{ kernel: kernels.deriveKey, arrays: [0], integers: [block, tag], output: [4] }],
});

/** A name as two 31-bit numbers: FNV-1a from two starting points. */
const hash = (name: string): { block: number; tag: number } => {
  const fnv = (start: number) => {
    let h = start;
    for (const byte of new TextEncoder().encode(name)) h = Math.imul(h ^ byte, 16777619);
    return (h ^ (h >>> 15)) >>> 1;
  };
  return { block: fnv(2166136261), tag: (fnv(84696351) & (2 ** 30 - 1)) | 2 ** 30 };
};

/** Independent keys by name: `const { mask, drop } = split(key, 'mask', 'drop')`. The same name gives the same key. */
export const split = <Name extends string>(key: Tensor, ...names: Name[]): Record<Name, Tensor> =>
  Object.fromEntries(names.map((name) => [name, deriveOp(hash(name), key)])) as Record<Name, Tensor>;

const foldOp = operation({
  name: 'fold',
  about: 'y = the block of the counter (n, 1) under the key',
  domain: { inputs: [drawKey, { dims: '', below: 2 ** 24 }] },
  shape([key, n]) {
    requireKey('fold', key);
    if (n.dtype !== 'i32' || n.shape.length !== 0) throw new Error(`fold: expected an i32 scalar to fold in, got ${n.dtype} ${show(n.shape)}`);
    return key;
  },
  reference: ([key, n], y) => y.forEach((_, i) => (y[i] = part(key, n[0], 1, i))),
  launches: () => [{ kernel: kernels.foldKey, arrays: [0, 1], output: [4] }],
});

/** The key for a number below 2^24, such as the step: a plain number, or an i32 scalar. */
export const fold = (key: Tensor, n: Tensor | number): Tensor => foldOp({}, key, typeof n === 'number' ? tensor([n], [], 'i32') : n);

const uniformOp = operation<{ shape: Shape }>({
  name: 'uniform',
  about: 'y[i] = the upper 24 bits of word i mod 2 of block ⌊i/2⌋, over 2^24',
  domain: { inputs: [drawKey], params: (_, pick) => ({ shape: [1 + pick(4), 5] }) },
  shape([key], { shape }) {
    requireKey('uniform', key);
    return { shape, dtype: 'f32' };
  },
  reference: ([key], y) => y.forEach((_, i) => (y[i] = part(key, i >> 1, 0, 4 + (i & 1)) / 2 ** 24)),
  launches: (_, __, y) => [{ kernel: kernels.uniform, arrays: [0], output: elementwise(y) }],
});

/** Numbers drawn evenly from [0, 1): multiples of 2^-24. */
export const uniform = (key: Tensor, shape: Shape): Tensor => uniformOp({ shape: [...shape] }, key);

/** Numbers drawn evenly from (−1, 1), never its ends: the middles of 2^24 intervals. */
const symmetric = (key: Tensor, shape: Shape) => add(mul(uniform(key, shape), 2), 2 ** -24 - 1);

/** Normal numbers with mean 0 and variance 1, by the inverse distribution function: √2 · erf⁻¹(u), u in (−1, 1). */
export const normal = (key: Tensor, shape: Shape): Tensor => mul(erfinv(symmetric(key, shape)), Math.SQRT2);

/** erf(√2): the probability that a normal number lies within two deviations. */
const WITHIN_TWO = 0.9544997361036416;

/** Normal numbers of which those beyond two deviations are drawn again (TensorFlow's initialiser); their deviation is 0.88. */
export const truncatedNormal = (key: Tensor, shape: Shape): Tensor => mul(erfinv(mul(symmetric(key, shape), WITHIN_TWO)), Math.SQRT2);

/** Gumbel noise, −ln(−ln u): added to logits, it makes their largest a sample of their softmax. */
export const gumbel = (key: Tensor, shape: Shape): Tensor => neg(log(neg(log(add(uniform(key, shape), 2 ** -25)))));

/** One sample of softmax(logits) for each row, by the Gumbel-max trick: logits […, v] → ids i32 […]. */
export const categorical = (key: Tensor, logits: Tensor): Tensor => argmax(add(logits, gumbel(key, logits.shape)));
