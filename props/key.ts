/** Laws of randomness: keys are values, their bits are published ones, and what is drawn from them has its distribution. */
import * as assert from 'uvu/assert';
import fc from 'fast-check';
import { test } from 'uvu';
import { threefry } from '../kernels/random.ts';
import { threefry2x32 } from '../kernels/threefry.ts';
import type { Tensor } from '../lib/index.ts';
import {
  categorical,
  concat,
  fold,
  full,
  gumbel,
  key,
  normal,
  reshape,
  rowKeys,
  slice,
  softmax,
  split,
  stack,
  tensor,
  truncatedNormal,
  uniform,
} from '../lib/index.ts';
import { apply } from '../lib/op.ts';
import { forSizes, onEveryDevice, read, same } from './laws/everywhere.ts';

const everywhere = onEveryDevice(test);

const halves = (word: number) => [word >>> 16, word & 65535];

/** Random123's test vectors for Threefry-2x32-20: key, counter, what the cipher makes of it. */
const published = [
  { key: [0, 0], counter: [0, 0], block: [0x6b200159, 0x99ba4efe] },
  { key: [0xffffffff, 0xffffffff], counter: [0xffffffff, 0xffffffff], block: [0x1cb996fc, 0xbb002be7] },
  { key: [0x13198a2e, 0x03707344], counter: [0x243f6a88, 0x85a308d3], block: [0xc4923a9c, 0x483df7a0] },
];

const halvesOf = (k: number[], c: number[]) => {
  const [a, b, d, e] = k.flatMap(halves);
  return [0, 1, 2, 3].map((part) => threefry(a, b, d, e, c[0] | 0, c[1] | 0, part));
};

test('threefry equals the three published vectors, in words and in halves', () => {
  for (const { key, counter, block } of published) {
    assert.equal(threefry2x32(key[0], key[1], counter[0], counter[1]), block);
    assert.equal(halvesOf(key, counter), block.flatMap(halves));
  }
});

everywhere('and so it does on every device', async (device) => {
  // A launch takes counters as signed 32-bit integers, as which −1 is the published ffffffff.
  for (const { key, counter, block } of published) {
    const params = { block: counter[0] | 0, tag: counter[1] | 0 };
    const k = () => tensor(key.flatMap(halves), [4], 'i32');
    assert.equal(await read(device, () => apply('deriveKey', params, k())), block.flatMap(halves));
  }
});

test('words and halves agree on every key and counter', () => {
  const word = fc.nat(0xffffffff);
  fc.assert(
    fc.property(word, word, word, word, (a, b, c, d) => {
      assert.equal(halvesOf([a, b], [c, d]), threefry2x32(a, b, c, d).flatMap(halves));
    }),
  );
});

everywhere('uniform numbers are the upper 24 bits of the key’s words, in order, on every device', async (device) => {
  const seed = 0x1234_5678_9abc;
  const [high, low] = [Math.floor(seed / 2 ** 32), seed >>> 0];
  const expected = Array.from({ length: 1001 }, (_, i) => (threefry2x32(high, low, i >> 1, 0)[i & 1] >>> 8) / 2 ** 24);
  assert.equal(await read(device, () => uniform(key(seed), [1001])), expected);
});

everywhere('uniform numbers do not depend on how many are asked for', async (device) => {
  const [few, many] = [
    await read(device, () => uniform(key(1), [7])),
    await read(device, () => uniform(key(1), [10, 10])),
  ];
  assert.equal(few, many.slice(0, 7));
});

everywhere('split by name is independent of order and of company', async (device) => {
  const k = key(42);
  await same(device, () => [split(k, 'mask', 'drop').mask, split(k, 'drop', 'other', 'mask').mask], 0);
  const keys = await read(device, () => reshape(concat(Object.values(split(k, 'a', 'b', 'ab', 'ba', 'A')), 0), [-1]));
  const distinct = new Set([0, 1, 2, 3, 4].map((i) => keys.slice(4 * i, 4 * i + 4).join()));
  assert.is(distinct.size, 5);
});

everywhere('fold differs by number, and by key; a number and a tensor of it fold alike', async (device) => {
  const k = key(42);
  const folded = new Set<string>();
  for (const n of [0, 1, 2, 3, 255, 256, 65535, 65536, 2 ** 24 - 1]) {
    folded.add((await read(device, () => fold(k, n))).join());
    folded.add((await read(device, () => fold(fold(k, 1), n))).join());
    await same(device, () => [fold(k, n), fold(k, tensor([n], [], 'i32'))], 0);
  }
  assert.is(folded.size, 18);
});

/** A list of keys, and what it says of each of them alone, in order. */
const listed = (k: number) => rowKeys(key(8), k);
const alone = (keys: Tensor, f: (key: Tensor, row: number) => Tensor) =>
  stack(Array.from({ length: keys.shape[0] }, (_, r) => f(reshape(slice(keys, [r, 0], [1, 4]), [4]), r)));

everywhere('a list of keys draws each row as its key alone does', (device) =>
  forSizes('k m n', async ({ k, m, n }) => {
    const keys = listed(k);
    await same(device, () => [uniform(keys, [k, m, n]), alone(keys, (one) => uniform(one, [m, n]))], 0);
    await same(device, () => [normal(keys, [k, m]), alone(keys, (one) => normal(one, [m]))], 0);
    const logits = gumbel(key(1), [k, m, n]);
    await same(
      device,
      () => [
        categorical(keys, logits),
        alone(keys, (one, r) => categorical(one, reshape(slice(logits, [r, 0, 0], [1, m, n]), [m, n]))),
      ],
      0,
    );
  }),
);

everywhere('and so it does in parts of any length, over one row or several', async (device) => {
  for (const size of [1, 31, 32, 33, 1025, 2051, 4099]) {
    const keys = listed(3);
    await same(device, () => [uniform(keys, [3, size]), alone(keys, (one) => uniform(one, [size]))], 0);
  }
  await same(device, () => [uniform(listed(2), [6, 5]), reshape(uniform(listed(2), [2, 15]), [6, 5])], 0);
});

everywhere('split and fold map over a list of keys, and over a list of numbers', (device) =>
  forSizes('k', async ({ k }) => {
    const keys = listed(k);
    const numbers = tensor(
      Array.from({ length: k }, (_, i) => 3 * i + 1),
      [k],
      'i32',
    );
    await same(device, () => [split(keys, 'a').a, alone(keys, (one) => split(one, 'a').a)], 0);
    await same(device, () => [fold(keys, 7), alone(keys, (one) => fold(one, 7))], 0);
    await same(device, () => [fold(keys, numbers), alone(keys, (one, i) => fold(one, 3 * i + 1))], 0);
    await same(
      device,
      () => [fold(key(5), numbers), stack(Array.from({ length: k }, (_, i) => fold(key(5), 3 * i + 1)))],
      0,
    );
  }),
);

everywhere(
  'every row gets a key of its own, whatever the number of rows, and a list of keys stays as it is',
  async (device) => {
    await same(device, () => [rowKeys(key(3), 4), slice(rowKeys(key(3), 9), [0, 0], [4, 4])], 0);
    await same(device, () => [rowKeys(listed(4), 4), listed(4)], 0);
    const keys = await read(device, () => rowKeys(key(3), 50));
    assert.is(new Set(Array.from({ length: 50 }, (_, r) => keys.slice(4 * r, 4 * r + 4).join())).size, 50);
  },
);

everywhere('seeds give different keys, all 53 bits of them', async (device) => {
  const seeds = [0, 1, 65536, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 48, 2 ** 53 - 1];
  const seen = new Set<string>();
  for (const seed of seeds) seen.add((await read(device, () => key(seed))).join());
  assert.is(seen.size, seeds.length);
});

const moment = (x: number[], power: number) => x.reduce((sum, v) => sum + v ** power, 0) / x.length;

const n = 20_000;

const near = (came: number, expected: number, within: number, what: string) =>
  assert.ok(Math.abs(came - expected) < within, `${what} is ${came}, expected ${expected} ± ${within}`);

everywhere('uniform numbers lie in [0, 1), with mean 1/2 and variance 1/12', async (device) => {
  const x = await read(device, () => uniform(key(1), [n]));
  assert.ok(x.every((v) => v >= 0 && v < 1 && Number.isInteger(v * 2 ** 24)));
  near(moment(x, 1), 1 / 2, 0.01, 'the mean');
  near(moment(x, 2), 1 / 3, 0.01, 'the mean square');
  const between = x.slice(1).reduce((sum, v, i) => sum + (v - 0.5) * (x[i] - 0.5), 0) / n;
  near(between, 0, 0.003, 'the covariance of neighbours');
});

everywhere('normal numbers have the moments 0, 1, 0, 3', async (device) => {
  const x = await read(device, () => normal(key(2), [n]));
  [0, 1, 0, 3].forEach((expected, i) => near(moment(x, i + 1), expected, [0.03, 0.05, 0.1, 0.3][i], `moment ${i + 1}`));
});

everywhere('truncated normal numbers lie within two deviations, with deviation 0.88', async (device) => {
  const x = await read(device, () => truncatedNormal(key(3), [n]));
  assert.ok(x.every((v) => Math.abs(v) <= 2.0001));
  near(moment(x, 1), 0, 0.03, 'the mean');
  near(Math.sqrt(moment(x, 2)), 0.8796, 0.02, 'the deviation');
});

everywhere('Gumbel noise is finite, with mean γ = 0.5772 and variance π²/6', async (device) => {
  const x = await read(device, () => gumbel(key(4), [n]));
  assert.ok(x.every(Number.isFinite));
  near(moment(x, 1), 0.5772, 0.05, 'the mean');
  near(moment(x, 2) - moment(x, 1) ** 2, Math.PI ** 2 / 6, 0.1, 'the variance');
});

everywhere('categorical draws as often as softmax says', async (device) => {
  const logits = [0, 1, -1, 2];
  const p = await read(device, () => softmax(tensor(logits)));
  const ids = await read(device, () =>
    categorical(key(5), reshape(tensor(Array.from({ length: 8000 }, () => logits).flat()), [8000, 4])),
  );
  assert.ok(ids.every((id) => [0, 1, 2, 3].includes(id)));
  p.forEach((expected, c) => near(ids.filter((id) => id === c).length / 8000, expected, 0.03, `the share of ${c}`));
});

everywhere('categorical never draws what has no probability', async (device) => {
  const ids = await read(device, () => categorical(key(6), concat([full([2000, 1], 0), full([2000, 2], -1e9)], 1)));
  assert.ok(ids.every((id) => id === 0));
});

test('what is no seed, and what is no key, is refused', () => {
  for (const seed of [-1, 0.5, 2 ** 53, NaN]) assert.throws(() => key(seed), /key: a seed is a whole number/);
  assert.throws(() => uniform(tensor([1, 2, 3, 4]), [2]), /uniform: expected a key, .*got f32 \[4\]/);
  assert.throws(() => split(tensor([1, 2], [2], 'i32') as Tensor, 'a'), /split: expected a key/);
  assert.throws(() => fold(key(1), tensor([1])), /fold: expected an i32 scalar/);
  assert.throws(() => fold(rowKeys(key(1), 3), tensor([1, 2], [2], 'i32')), /fold: .*one for each of 3 keys; got 2/);
  assert.throws(() => uniform(rowKeys(key(1), 3), [4, 6]), /uniform: 3 keys draw 3 equal parts .*\[4 6\]/);
});

test.run();
