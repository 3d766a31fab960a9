/**
 * What the replaced-token task is judged by. Accuracy says little, since nine tokens of ten are original; the area under
 * the ROC curve (AUC) is the probability that a replaced token gets a higher score than an original one, 0.5 for a guess.
 */
import type { Interval } from '../metrics/bootstrap.ts';
import { ranks } from '../metrics/correlation.ts';

/**
 * The exact area under the ROC curve: the Mann–Whitney statistic over ranks, ties counting half. The 95 % interval is
 * ± 1.96 standard errors by Hanley & McNeil (1982). NaN when there is only one class, or when a score is NaN.
 */
export const areaUnderCurve = (scores: ArrayLike<number>, positive: ArrayLike<number>): Interval => {
  if (Array.from(scores).some(Number.isNaN)) return { value: NaN, low: NaN, high: NaN };
  let positives = 0;
  let rankSum = 0;
  ranks(scores).forEach((rank, i) => {
    if (!positive[i]) return;
    positives++;
    rankSum += rank;
  });
  const negatives = scores.length - positives;
  const value = (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
  const q1 = value / (2 - value);
  const q2 = (2 * value * value) / (1 + value);
  const variance =
    (value * (1 - value) + (positives - 1) * (q1 - value * value) + (negatives - 1) * (q2 - value * value)) / (positives * negatives);
  const margin = 1.96 * Math.sqrt(Math.max(variance, 0));
  return { value, low: Math.max(0, value - margin), high: Math.min(1, value + margin) };
};

/** Counts of a two-class decision. */
export interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

/** Counts decisions at logit 0. */
export const confusion = (logits: ArrayLike<number>, positive: ArrayLike<number>): Confusion => {
  const counts = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 };
  for (let i = 0; i < logits.length; i++) {
    if (logits[i] > 0) counts[positive[i] ? 'truePositives' : 'falsePositives']++;
    else counts[positive[i] ? 'falseNegatives' : 'trueNegatives']++;
  }
  return counts;
};
