/** Laws of the encoder: what attention can and cannot see, what dropout keeps, and that its gradient is its slope. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import { checkGradients } from '../../lib/check.ts';
import { key, normal } from '../../lib/key.ts';
import { scoped } from '../../lib/memory.ts';
import { attention } from '../../lib/nn/attention.ts';
import { drop } from '../../lib/nn/dense.ts';
import { embed, initEmbeddings } from '../../lib/nn/embed.ts';
import type { EncoderOptions, Layer } from '../../lib/nn/encoder.ts';
import { encode, initEncoder } from '../../lib/nn/encoder.ts';
import { glorot, truncated } from '../../lib/nn/init.ts';
import { add, mul, ones, zeros } from '../../lib/ops/arith.ts';
import { gatherPositions } from '../../lib/ops/gather.ts';
import { concat, slice } from '../../lib/ops/move.ts';
import { sum } from '../../lib/ops/reduce.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { live, tensor } from '../../lib/tensor.ts';
import { map } from '../../lib/tree.ts';

const test = suite('encoder');
test.before.each(async () => void (await useDevice('reference')));

const size = { hiddenSize: 6, layers: 1, heads: 2, feedForwardSize: 8 };
const options: EncoderOptions = { heads: 2, dropout: 0, attentionDropout: 0, layerNormEpsilon: 1e-12 };

/** An encoder with no parameter at a special value: biases and gains are drawn too. */
const draw = (seed: number, layers = 1): Layer[] => {
  let i = 0;
  const noise = (x: Tensor) => add(x, mul(normal(key(seed + ++i), x.shape), 0.2));
  return map(noise, initEncoder(key(seed), { ...size, layers }, truncated(0.5)));
};

const sequence = (seed: number, t: number, b = 1): Tensor => normal(key(seed), [b, t, size.hiddenSize]);

const close = async (x: Tensor, y: Tensor, tolerance = 1e-12) => {
  assert.equal(x.shape, y.shape);
  const wanted = await y.data();
  (await x.data()).forEach((v, i) =>
    assert.ok(Math.abs(v - wanted[i]) <= tolerance, `element ${i}: ${v}, not ${wanted[i]}`),
  );
};

const same = async (x: Tensor, y: Tensor) => assert.equal(await x.data(), await y.data());

/** The tokens of one sequence in another order. */
const permute = (x: Tensor, order: readonly number[]): Tensor =>
  gatherPositions(x, tensor(order, [1, order.length], 'i32'));

const permutations = fc
  .integer({ min: 1, max: 7 })
  .chain((t) => fc.shuffledSubarray([...Array(t).keys()], { minLength: t }));

for (const device of ['reference', 'wasm'] as const) {
  test(`attention, and the whole encoder, commute with permuting the tokens (${device})`, async () => {
    await useDevice(device);
    const layers = draw(1, 2);
    await fc.assert(
      fc.asyncProperty(permutations, fc.nat(999), async (order, seed) => {
        const x = sequence(seed, order.length);
        const everyone = ones([1, order.length]);
        const tolerance = device === 'reference' ? 1e-12 : 1e-4;
        const run = (x: Tensor) => encode(key(0), layers, x, everyone, options);
        await close(run(permute(x, order)), permute(run(x), order), tolerance);
        const hear = (x: Tensor) =>
          attention(key(0), layers[0].attention, x, everyone, { heads: 2, rate: 0, name: 'a' });
        await close(hear(permute(x, order)), permute(hear(x), order), tolerance);
      }),
      { numRuns: 15 },
    );
  });

  test(`a padded token changes nothing at the others, and other rows change nothing (${device})`, async () => {
    await useDevice(device);
    const layers = draw(2, 2);
    const [x, other, pad] = [sequence(1, 5), sequence(2, 5), sequence(3, 2)];
    const alone = encode(key(0), layers, x, ones([1, 5]), options);
    const attend = tensor([1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1], [2, 7]);
    const both = concat([concat([x, pad], 1), concat([other, pad], 1)], 0);
    const padded = encode(key(0), layers, both, attend, options);
    await close(slice(padded, [0, 0, 0], [1, 5, 6]), alone, device === 'reference' ? 1e-12 : 1e-5);
  });
}

test('each head gives probabilities over the attended tokens alone', async () => {
  const seen: Tensor[] = [];
  const attend = tensor([1, 1, 0, 1], [1, 4]);
  encode(key(0), draw(3), sequence(4, 4), attend, {
    ...options,
    look: (name, x) => name.startsWith('attention') && seen.push(x),
  });
  assert.equal(seen[0].shape, [1, 2, 4, 4]);
  await close(sum(seen[0], { axis: 3 }), ones([1, 2, 4]));
  (await seen[0].data()).forEach((p, i) => assert.ok(i % 4 === 2 ? p === 0 : p > 0));
});

test('looking inside changes nothing', async () => {
  const [layers, x] = [draw(5, 3), sequence(6, 4, 2)];
  const names: string[] = [];
  const run = (look?: (name: string) => void) =>
    encode(key(1), layers, x, ones([2, 4]), { ...options, dropout: 0.3, look });
  await same(
    run(),
    run((name) => names.push(name)),
  );
  assert.equal(names, ['hidden.0', 'attention.0', 'hidden.1', 'attention.1', 'hidden.2', 'attention.2', 'hidden.3']);
});

test('the gradient of a layer is its slope, for the input and every parameter', async () => {
  const f = (layers: Layer[], x: Tensor) => encode(key(0), layers, x, tensor([1, 1, 0], [1, 3]), options);
  await checkGradients(f, draw(7), sequence(8, 3));
});

test('the gradient of a layer with dropout is its slope: forward and backward drop the same', async () => {
  const dropping = { ...options, dropout: 0.4, attentionDropout: 0.4 };
  const f = (layers: Layer[], x: Tensor) => encode(key(9), layers, x, ones([1, 3]), dropping);
  await checkGradients(f, draw(7), sequence(8, 3));
});

test('the gradient of the embeddings is their slope, and words that come twice get both', async () => {
  const tables = initEmbeddings(key(0), { words: 5, positions: 4, types: 2, width: 3 }, truncated(0.5));
  const ids = tensor([1, 4, 1], [1, 3], 'i32');
  await checkGradients((t: typeof tables) => embed(key(0), t, ids, tensor([0, 0, 1], [1, 3], 'i32'), 0, 1e-12), tables);
});

test('a sequence longer than the position table is refused', () => {
  const tables = initEmbeddings(key(0), { words: 5, positions: 4, types: 2, width: 3 }, truncated(0.5));
  const ids = zeros([1, 5], 'i32');
  assert.throws(
    () => embed(key(0), tables, ids, ids, 0, 1e-12),
    /the sequence has 5 tokens, but there are only 4 positions/,
  );
});

for (const device of ['reference', 'wasm'] as const) {
  test(`dropout with the same key repeats, with another differs, and with rate 0 is the identity (${device})`, async () => {
    await useDevice(device);
    const [layers, x] = [draw(10, 2), sequence(11, 4, 2)];
    const run = (seed: number, rate: number) =>
      encode(key(seed), layers, x, ones([2, 4]), { ...options, dropout: rate, attentionDropout: rate });
    await same(run(1, 0.2), run(1, 0.2));
    await same(run(1, 0), run(2, 0));
    assert.not.equal(await run(1, 0.2).data(), await run(2, 0.2).data());
    assert.is(drop(key(0), 'any', x, 0), x);
  });
}

test('every place of dropout draws numbers of its own', async () => {
  const x = ones([1, 200]);
  const dropped = (name: string) => drop(key(0), name, x, 0.5).data();
  const places = ['embeddings', '0.attention', '0.attention.probabilities', '0.feedForward', '1.attention'];
  const masks = await Promise.all(places.map(async (name) => [...(await dropped(name))].join('')));
  assert.is(new Set(masks).size, places.length);
});

test('initial values have the published distributions: cut at two deviations, and even up to √(6 / (in + out))', async () => {
  const table = [...(await truncated(0.02)(key(0), [100, 100]).data())];
  assert.ok(table.every((v) => Math.abs(v) <= 0.04));
  const deviation = Math.sqrt(table.reduce((total, v) => total + v * v, 0) / table.length);
  assert.ok(Math.abs(deviation - 0.0176) < 3e-4, `${deviation}`);
  const even = await glorot(key(0), [50, 100]).data();
  const limit = Math.sqrt(6 / 150);
  assert.ok(even.every((v) => Math.abs(v) <= limit));
  assert.ok(Math.abs(Math.max(...even) / limit - 1) < 0.01 && Math.abs(Math.min(...even) / limit + 1) < 0.01);
});

test('under a scope, a layer leaves nothing behind but its result', async () => {
  const [layers, x, attend] = [draw(12, 3), sequence(13, 4), ones([1, 4])];
  const before = live();
  scoped(() => encode(key(0), layers, x, attend, { ...options, dropout: 0.1 }));
  assert.is(live(), before + 1);
});

test.run();
