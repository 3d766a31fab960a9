/** Laws of sampling and of labelling: guesses follow the generator's distribution, and a lucky one counts as original. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import { sampleTokens } from '../../lib/electra/generator.ts';
import { pretrainLoss } from '../../lib/electra/objective.ts';
import type { Params } from '../../lib/electra/params.ts';
import { initElectra } from '../../lib/electra/params.ts';
import { fold, key } from '../../lib/key.ts';
import { div, zeros } from '../../lib/ops/arith.ts';
import { broadcastTo } from '../../lib/ops/axes.ts';
import { argmax } from '../../lib/ops/reduce.ts';
import { softmax } from '../../lib/ops/softmax.ts';
import { tensor } from '../../lib/tensor.ts';
import { batchOf, small } from './small.ts';

const test = suite('sample');
test.before.each(async () => void (await useDevice('reference')));

/** Logits [1, n, v] of which none are nearly equal. */
const distinct = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 2, max: 8 }))
  .chain(([n, v]) =>
    fc.tuple(
      fc.constant(v),
      fc.array(fc.shuffledSubarray([...Array(v).keys()], { minLength: v }), { minLength: n, maxLength: n }),
    ),
  )
  .map(([v, rankings]) => ({ v, n: rankings.length, logits: rankings.flat().map((rank) => rank - v / 2) }));

test('as the temperature goes to 0, the sample becomes the most likely token', async () => {
  await fc.assert(
    fc.asyncProperty(distinct, fc.nat(), async ({ n, v, logits }, seed) => {
      const x = tensor(logits, [1, n, v]);
      assert.equal(await sampleTokens(key(seed), x, 1e-3).data(), await argmax(x).data());
    }),
  );
});

test('with disallowCorrect the answer is never sampled, however likely', async () => {
  await fc.assert(
    fc.asyncProperty(distinct, fc.nat(), async ({ n, v, logits }, seed) => {
      const answers = argmax(tensor(logits, [1, n, v]));
      const likely = tensor(
        logits.map((x) => x * 10),
        [1, n, v],
      );
      const chosen = await sampleTokens(key(seed), likely, 1, answers).data();
      (await answers.data()).forEach((answer, i) => assert.is.not(chosen[i], answer));
    }),
  );
});

for (const device of ['reference', 'wasm'] as const) {
  for (const temperature of [1, 2]) {
    test(`tokens are sampled as often as softmax(logits / ${temperature}) says (${device})`, async () => {
      await useDevice(device);
      const n = 4000;
      const logits = tensor([0, 1, -1, 2, -8], [1, 1, 5]);
      const counts = [0, 0, 0, 0, 0];
      for (const id of await sampleTokens(key(3), broadcastTo(logits, [1, n, 5]), temperature).data()) counts[id]++;
      // Five deviations of a binomial count, and one for the smallest.
      (await softmax(div(logits, temperature)).data()).forEach((p, i) => {
        assert.ok(Math.abs(counts[i] - n * p) < 5 * Math.sqrt(n * p * (1 - p)) + 1, `${counts[i]}, not ${n * p}`);
      });
    });
  }
}

/** The parameters with a generator that always says 8. */
const alwaysEight = (params: Params): Params => {
  const bias = tensor(Array.from({ length: small.vocabSize }, (_, v) => (v === 8 ? 100 : 0)));
  return { ...params, generator: { ...params.generator, head: { ...params.generator.head, bias } } };
};

test('a lucky guess is labelled original, a wrong one replaced, and nothing else changes', async () => {
  const params = initElectra(key(1), small);
  const batch = batchOf([14, 14, 9]);
  const answers = await batch.tokens.data();
  const eight = alwaysEight(params);
  for (let i = 0; i < 10; i++) {
    const { corrupted, replaced, masked } = pretrainLoss(fold(key(2), i), eight, batch, small);
    const [ids, labels, at] = [await corrupted.data(), await replaced.data(), await masked.at.data()];
    const slots = at.length / 3;
    const touched = new Set(
      [...at].flatMap((position, j) => (position < 0 ? [] : [Math.floor(j / slots) * 14 + position])),
    );
    ids.forEach((id, j) => {
      assert.is(id, touched.has(j) ? 8 : answers[j]);
      assert.is(labels[j], id === answers[j] ? 0 : 1);
    });
  }
  assert.ok([...answers].includes(8));
});

test('with a generator that knows the answers, nothing is replaced', async () => {
  const params = initElectra(key(1), small);
  const one = { ...batchOf([14]), tokens: tensor([2, ...Array<number>(12).fill(8), 3], [1, 14], 'i32') };
  const { mlm, replaced } = pretrainLoss(key(0), alwaysEight(params), one, small);
  assert.ok((await mlm.item()) < 1e-12);
  assert.equal(await replaced.data(), await zeros([1, 14]).data());
});

test.run();
