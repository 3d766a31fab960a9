/**
 * Randomness as a value. A key is a small tensor [4]; the same key always gives the same numbers, on every device, and
 * nothing random happens without one. New keys come from old ones: `split` by name, `fold` by number (such as the step),
 * so two uses of one key are a mistake one can see. A tensor [k, 4] is a list of k keys: what is drawn from it is drawn in
 * k equal parts along the leading axis, each as if its key were alone, and `split` and `fold` map over it. With a key for
 * every row, a row of a batch meets the same chance whatever rows are computed beside it. Underneath is Threefry-2x32-20
 * (Salmon et al. 2011): output i is a cipher's block for the counter i. Counters carry a tag, so that numbers (tag 0),
 * folded keys (tag 1) and named keys (tags from 2^30) never meet.
 */
import * as kernels from '../kernels/random.ts';
import type { KernelCall, Values } from '../kernels/device/device.ts';
import { keysOf, operation } from './op.ts';
import type { Shape } from './shape.ts';
import { show, sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';
import { tensor } from './tensor.ts';
import { add, mul } from './ops/arith.ts';
import { erfinv } from './ops/gelu.ts';
import { argmax } from './ops/reduce.ts';

/** How tests draw a key, four 16-bit halves of two words, and a list of keys. */
const drawKey = { dims: '4', below: 65536 };
const drawKeys = { dims: 'k 4', below: 65536 };

/** A key from a whole number between 0 and 2^53. Throws on others. */
export const key = (seed: number): Tensor => {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`key: a seed is a whole number from 0 to 2^53, not ${seed}`);
  const high = Math.floor(seed / 2 ** 32);
  const low = seed >>> 0;
  return tensor([high >>> 16, high & 65535, low >>> 16, low & 65535], [4], 'i32');
};

/** One 16-bit half of the block of a counter under the k-th key. */
const half = (keys: Values, k: number, block: number, tag: number, which: number): number =>
  kernels.threefry(keys[4 * k], keys[4 * k + 1], keys[4 * k + 2], keys[4 * k + 3], block, tag, which);

const deriveOp = operation<{ block: number; tag: number }>({
  name: 'deriveKey',
  about: 'y = the block of the counter (block, tag) under the key',
  domain: [drawKey, drawKeys].map((key) => ({ inputs: [key], params: (_, pick) => ({ block: pick(2 ** 31), tag: pick(2 ** 31) }) })),
  shape([keys]) {
    keysOf('split', keys);
    return keys;
  },
  reference: ([keys], y, { block, tag }) => y.forEach((_, i) => (y[i] = half(keys, i >> 2, block, tag, i & 3))),
  launches: ({ block, tag }, [keys]) => [
    { kernel: kernels.deriveKey, arrays: [0], integers: [block, tag], output: [4, keysOf('split', keys)] },
  ],
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

/** Independent keys, or lists of keys, by name: `const { mask, drop } = split(key, 'mask', 'drop')`. The same name gives the same key. */
export const split = <Name extends string>(key: Tensor, ...names: Name[]): Record<Name, Tensor> =>
  Object.fromEntries(names.map((name) => [name, deriveOp(hash(name), key)])) as Record<Name, Tensor>;

const foldOp = operation({
  name: 'fold',
  about: 'y = the block of the counter (n, 1) under the key',
  domain: [drawKey, drawKeys].flatMap((key) => ['', 'k'].map((dims) => ({ inputs: [key, { dims, below: 2 ** 24 }] }))),
  shape([keys, n]) {
    const count = keysOf('fold', keys);
    const [numbers = count] = n.shape;
    if (n.dtype !== 'i32' || n.shape.length > 1) throw new Error(`fold: expected an i32 scalar or a list of them to fold in, got ${n.dtype} ${show(n.shape)}`);
    if (keys.shape.length === 2 && numbers !== count) throw new Error(`fold: expected one number, or one for each of ${count} keys; got ${numbers}`);
    return { shape: keys.shape.length === 2 || n.shape.length === 1 ? [numbers, 4] : [4], dtype: 'i32' };
  },
  reference: ([keys, n], y) => y.forEach((_, i) => (y[i] = half(keys, keys.length > 4 ? i >> 2 : 0, n[n.length > 1 ? i >> 2 : 0], 1, i & 3))),
  launches: (_, [keys, n], y) => [
    { kernel: kernels.foldKey, arrays: [0, 1], integers: [keys.shape.length === 2 ? 4 : 0, n.shape.length], output: [4, sizeOf(y.shape) / 4] },
  ],
});

/**
 * The key for a number below 2^24, such as the step: a plain number, or an i32 scalar. A list of numbers [k] makes a list of
 * keys [k, 4], each from its own number, and from its own key where there is a list of them.
 */
export const fold = (key: Tensor, n: Tensor | number): Tensor => foldOp({}, key, typeof n === 'number' ? tensor([n], [], 'i32') : n);

/** A list of n keys, the key folded with 0, 1, … n − 1: one for each row of a batch. What is a list already stays as it is. */
export const rowKeys = (key: Tensor, n: number): Tensor =>
  key.shape.length === 2 ? key : fold(key, tensor(Array.from({ length: n }, (_, i) => i), [n], 'i32'));

/** What is drawn number by number: `of` makes it of a uniform one. */
const drawing = (name: string, about: string, kernel: KernelCall['kernel'], of: (u: number) => number) =>
  operation<{ shape: Shape }>({
    name,
    about,
    domain: [
      { inputs: [drawKey], params: (_, pick) => ({ shape: [1 + pick(4), 5] }) },
      { inputs: [drawKeys], params: ({ k }, pick) => ({ shape: [k * (1 + pick(2)), 1 + pick(4), 5] }) },
    ],
    shape([keys], { shape }) {
      keysOf(name, keys, shape);
      return { shape, dtype: 'f32' };
    },
    reference: ([keys], y) => y.forEach((_, i) => (y[i] = of(kernels.draw(keys, i, y.length)))),
    launches(_, [keys], y) {
      const count = keysOf(name, keys);
      return [{ kernel, arrays: [0], output: [sizeOf(y.shape) / count, count] }];
    },
  });

const uniformOp = drawing('uniform', 'y[i] = the upper 24 bits of word i mod 2 of block ⌊i/2⌋, over 2^24', kernels.uniform, (u) => u);

/** Numbers drawn evenly from [0, 1): multiples of 2^-24. A list of k keys draws k equal parts along the leading axis. */
export const uniform = (key: Tensor, shape: Shape): Tensor => uniformOp({ shape: [...shape] }, key);

/** Numbers drawn evenly from (−1, 1), never its ends: the middles of 2^24 intervals. */
const symmetric = (key: Tensor, shape: Shape) => add(mul(uniform(key, shape), 2), 2 ** -24 - 1);

/** Normal numbers with mean 0 and variance 1, by the inverse distribution function: √2 · erf⁻¹(u), u in (−1, 1). */
export const normal = (key: Tensor, shape: Shape): Tensor => mul(erfinv(symmetric(key, shape)), Math.SQRT2);

/** erf(√2): the probability that a normal number lies within two deviations. */
const WITHIN_TWO = 0.9544997361036416;

/** Normal numbers of which those beyond two deviations are drawn again (TensorFlow's initialiser); their deviation is 0.88. */
export const truncatedNormal = (key: Tensor, shape: Shape): Tensor => mul(erfinv(mul(symmetric(key, shape), WITHIN_TWO)), Math.SQRT2);

/** u is the middle of one of 2^24 intervals, so neither logarithm is infinite. */
const gumbelOp = drawing('gumbel', 'y[i] = −ln(−ln(u[i] + 2⁻²⁵)), where u is uniform', kernels.gumbel, (u) => -Math.log(-Math.log(u + 2 ** -25)));

/** Gumbel noise, −ln(−ln u): added to logits, it makes their largest a sample of their softmax. */
export const gumbel = (key: Tensor, shape: Shape): Tensor => gumbelOp({ shape: [...shape] }, key);

/** One sample of softmax(logits) for each row, by the Gumbel-max trick: logits […, v] → ids i32 […]. */
export const categorical = (key: Tensor, logits: Tensor): Tensor => argmax(add(logits, gumbel(key, logits.shape)));
