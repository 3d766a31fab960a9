/** Laws of accuracy, F1 and Matthews' coefficient, and the examples in scikit-learn's documentation. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { accuracy, binaryF1, macroF1, matthews, microF1 } from '../../lib/metrics/classification.ts';
import { pearson } from '../../lib/metrics/correlation.ts';
import { near } from './near.ts';

const test = suite('classification');

/** Predictions and truths of up to `labels` labels. */
const judged = (labels: number) =>
  fc
    .array(fc.tuple(fc.nat(labels - 1), fc.nat(labels - 1)), { minLength: 1, maxLength: 40 })
    .map((pairs) => ({ predicted: pairs.map(([p]) => p), gold: pairs.map(([, g]) => g) }));

test("the examples of scikit-learn's documentation (accuracy_score, f1_score, matthews_corrcoef)", () => {
  near(accuracy([0, 2, 1, 3], [0, 1, 2, 3]), 0.5);
  // Documented as 0.26 and 0.33: the F1 of the labels are 0.8, 0 and 0.
  const [predicted, gold] = [
    [0, 2, 1, 0, 0, 1],
    [0, 1, 2, 0, 1, 2],
  ];
  near(macroF1(predicted, gold), 0.8 / 3);
  near(microF1(predicted, gold).f1, 1 / 3);
  near(binaryF1(predicted, gold, 0).f1, 0.8);
  near(matthews([1, -1, 1, 1], [1, 1, 1, -1]), -1 / 3);
});

test('Matthews by hand, for three labels: (c·s − Σ pt) / √((s² − Σ p²)(s² − Σ t²))', () => {
  // s = 6 and c = 5; a, b and c are predicted 3, 1 and 2 times, and right twice each.
  near(matthews(['a', 'a', 'a', 'b', 'c', 'c'], ['a', 'a', 'b', 'b', 'c', 'c']), (5 * 6 - 12) / Math.sqrt(22 * 24));
});

test('for two labels Matthews is (tp·tn − fp·fn) / √(…), and the correlation of the two columns', () => {
  fc.assert(
    fc.property(judged(2), ({ predicted, gold }) => {
      const count = (p: number, g: number) => gold.filter((t, i) => t === g && predicted[i] === p).length;
      const [tp, fp, fn, tn] = [count(1, 1), count(1, 0), count(0, 1), count(0, 0)];
      const root = Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
      near(matthews(predicted, gold), root === 0 ? 0 : (tp * tn - fp * fn) / root);
      if (root > 0) near(matthews(predicted, gold), pearson(predicted, gold));
    }),
  );
});

test('no average cares what the labels are called, and Matthews, macro F1 and accuracy not which column is the truth', () => {
  fc.assert(
    fc.property(judged(4), ({ predicted, gold }) => {
      const rename = (labels: number[]) => labels.map((label) => 'dacb'[label]);
      for (const metric of [accuracy, macroF1, matthews]) {
        near(metric(rename(predicted), rename(gold)), metric(predicted, gold));
        near(metric(gold, predicted), metric(predicted, gold));
      }
    }),
  );
});

test('micro F1 over all labels is the accuracy, and over one label that label’s F1', () => {
  fc.assert(
    fc.property(judged(4), ({ predicted, gold }) => {
      near(microF1(predicted, gold).f1, accuracy(predicted, gold));
      for (const label of [0, 1, 2, 3])
        assert.equal(microF1(predicted, gold, [label]), binaryF1(predicted, gold, label));
    }),
  );
});

test('F1 is the harmonic mean of precision and recall, and the two exchange with the columns', () => {
  fc.assert(
    fc.property(judged(2), ({ predicted, gold }) => {
      const { precision, recall, f1 } = binaryF1(predicted, gold);
      near(f1, precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall));
      assert.equal(binaryF1(gold, predicted), { precision: recall, recall: precision, f1 });
    }),
  );
});

test('macro F1 is the mean over the labels there are, or over those that are named', () => {
  fc.assert(
    fc.property(judged(4), ({ predicted, gold }) => {
      const mean = (labels: number[]) =>
        labels.reduce((total, label) => total + binaryF1(predicted, gold, label).f1, 0) / labels.length;
      near(macroF1(predicted, gold), mean([...new Set([...predicted, ...gold])]));
      near(macroF1(predicted, gold, [0, 1, 9]), mean([0, 1, 9]));
    }),
  );
});

test('right answers alone score 1, one label alone has no Matthews, and nothing has no accuracy', () => {
  assert.equal([accuracy([1, 2], [1, 2]), macroF1([1, 2], [1, 2]), matthews([1, 2], [1, 2])], [1, 1, 1]);
  assert.is(matthews([1, 1], [1, 1]), 0);
  assert.ok(Number.isNaN(accuracy([], [])));
});

test('a prediction too few is refused', () => {
  for (const metric of [accuracy, binaryF1, macroF1, microF1, matthews]) {
    assert.throws(() => metric([1], [1, 2]), /expected a prediction for each of 2; got 1/);
  }
});

test.run();
