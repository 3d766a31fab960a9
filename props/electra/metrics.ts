/** Laws of the measures: the area under the curve by its definition, and an evaluation against the objective itself. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import type { ElectraConfig } from '../../lib/electra/config.ts';
import { withoutDropout } from '../../lib/electra/config.ts';
import { evaluator } from '../../lib/electra/evaluate.ts';
import { areaUnderCurve, confusion } from '../../lib/electra/metrics.ts';
import { pretrainLoss } from '../../lib/electra/objective.ts';
import { initElectra } from '../../lib/electra/params.ts';
import { fold, key } from '../../lib/key.ts';
import { crossEntropy } from '../../lib/ops/loss.ts';
import { live } from '../../lib/tensor.ts';
import { leaves } from '../../lib/tree.ts';
import { batchOf, small } from './small.ts';

const test = suite('metrics');
test.before.each(async () => void (await useDevice('reference')));

/** Scores, many of them equal, of which some are positive; both classes occur. */
const judged = fc
  .array(fc.tuple(fc.integer({ min: -5, max: 5 }), fc.boolean()), { minLength: 2, maxLength: 40 })
  .filter((pairs) => pairs.some(([, positive]) => positive) && pairs.some(([, positive]) => !positive))
  .map((pairs) => ({
    scores: pairs.map(([score]) => score / 2),
    positive: pairs.map(([, positive]) => Number(positive)),
  }));

const near = (a: number, b: number, tolerance = 1e-12) =>
  assert.ok(Math.abs(a - b) <= tolerance * (1 + Math.abs(b)), `${a}, not ${b}`);

test('the area under the curve is the part of all pairs in which the positive one scores higher, ties half', () => {
  fc.assert(
    fc.property(judged, ({ scores, positive }) => {
      const of = (kind: number) => scores.filter((_, i) => positive[i] === kind);
      const wins = of(1).flatMap((p) => of(0).map((n): number => (p > n ? 1 : p === n ? 0.5 : 0)));
      near(areaUnderCurve(scores, positive).value, wins.reduce((a, b) => a + b) / wins.length);
    }),
  );
});

test('exchanging the classes, or the sign of the scores, gives the complement', () => {
  fc.assert(
    fc.property(judged, ({ scores, positive }) => {
      const { value } = areaUnderCurve(scores, positive);
      near(
        areaUnderCurve(
          scores,
          positive.map((p) => 1 - p),
        ).value,
        1 - value,
      );
      near(
        areaUnderCurve(
          scores.map((s) => -s),
          positive,
        ).value,
        1 - value,
      );
      near(
        areaUnderCurve(
          scores.map((s) => Math.exp(s)),
          positive,
        ).value,
        value,
      );
    }),
  );
});

test('the interval contains the value and lies between 0 and 1; more data narrow it', () => {
  fc.assert(
    fc.property(judged, ({ scores, positive }) => {
      const { value, low, high } = areaUnderCurve(scores, positive);
      assert.ok(0 <= low && low <= value && value <= high && high <= 1);
      const repeated = areaUnderCurve(Array<number[]>(9).fill(scores).flat(), Array<number[]>(9).fill(positive).flat());
      near(repeated.value, value);
      assert.ok(repeated.high - repeated.low <= high - low + 1e-12);
    }),
  );
});

test('with one class alone there is no area', () => {
  assert.ok(Number.isNaN(areaUnderCurve([1, 2], [1, 1]).value) && Number.isNaN(areaUnderCurve([], []).value));
});

test('decisions are counted at logit 0, and every one once', () => {
  fc.assert(
    fc.property(judged, ({ scores, positive }) => {
      const { truePositives, falsePositives, falseNegatives, trueNegatives } = confusion(scores, positive);
      assert.is(truePositives + falsePositives + falseNegatives + trueNegatives, scores.length);
      assert.is(
        truePositives + falseNegatives,
        positive.reduce((a, b) => a + b),
      );
      assert.is(truePositives + falsePositives, scores.filter((s) => s > 0).length);
    }),
  );
});

const config: ElectraConfig = { ...small, dropout: 0.1, attentionDropout: 0.1 };

test("an evaluation's losses are the objective's on the same batch, without dropout", async () => {
  const params = initElectra(key(1), config);
  const { loss, mlm, rtd, masked, guesses, replaced } = pretrainLoss(
    fold(key(5), 0),
    params,
    batchOf([14, 14, 9]),
    withoutDropout(config),
  );
  const found = await evaluator(config)(key(5), params, [batchOf([14, 14, 9])]);
  near(found.loss, await loss.item());
  near(found.mlmLoss, await mlm.item());
  near(found.rtdLoss, await rtd.item());
  const [losses, hidden, labels] = (
    await Promise.all([crossEntropy(guesses, masked.answers).data(), masked.hidden.data(), replaced.data()])
  ).map((values) => [...values]);
  const count = hidden.reduce((a, b) => a + b);
  near(found.mlmMaskedLoss, losses.reduce((total, x, i) => total + x * hidden[i], 0) / count);
  assert.is(found.maskedTokens, count);
  assert.is(found.tokens, 37);
  near(found.replacedRate, labels.reduce((a, b) => a + b) / 37);
});

test('an evaluation over several batches weighs every token alike, repeats for the same key, and leaves no buffers', async () => {
  await useDevice('wasm');
  const params = initElectra(key(1), config);
  const measure = evaluator(config);
  const chosen = key(5);
  const run = () => measure(chosen, params, [batchOf([14, 9]), batchOf([14, 14, 14], config.training, 1)]);
  const first = await run();
  const before = live();
  assert.equal(await run(), first);
  assert.is(live(), before);
  assert.is(first.tokens, 65);
  assert.ok(leaves(params).every((x) => x.buffer !== undefined));
});

test('an evaluation without a batch says so', async () => {
  const error = await evaluator(small)(key(0), initElectra(key(0), small), []).then(
    () => undefined,
    (error: Error) => error,
  );
  assert.match(error?.message ?? '', /expected at least one batch, got none/);
});

test('a score that is NaN makes the area NaN, without waiting for it to equal itself', () => {
  const { value, low, high } = areaUnderCurve([0.5, NaN, 0.2], [1, 0, 0]);
  assert.equal([value, low, high], [NaN, NaN, NaN]);
});

test.run();
