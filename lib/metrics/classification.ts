/**
 * How often predicted labels are the right ones. Accuracy is their part; it says little where one label is common. The
 * F1 of a label is the harmonic mean of precision (of those predicted, the part that is right) and recall (of those there
 * are, the part that was found), 2·tp / (2·tp + fp + fn). Matthews' coefficient is the correlation of prediction and truth
 * as indicator variables: 1 is perfect, 0 is chance, whatever the frequencies.
 *
 * Labels are numbers or strings. Where a quotient is 0/0 it counts as 0, as in scikit-learn; nothing at all has accuracy NaN.
 */
export type Label = string | number;

export interface F1 {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

const quotient = (a: number, b: number): number => (b === 0 ? 0 : a / b);

/** Precision, recall and F1 from counts: of those predicted and those there are, how many are in both. */
export const f1Of = (both: number, predicted: number, gold: number): F1 => ({
  precision: quotient(both, predicted),
  recall: quotient(both, gold),
  f1: quotient(2 * both, predicted + gold),
});

/** Throws when there is not one prediction for each truth. */
export const requirePairs = (name: string, { length }: ArrayLike<unknown>, gold: ArrayLike<unknown>): void => {
  if (length !== gold.length) throw new RangeError(`${name}: expected a prediction for each of ${gold.length}; got ${length}`);
};

/** How often each label is predicted, is right, and both. */
const count = (name: string, predicted: ArrayLike<Label>, gold: ArrayLike<Label>) => {
  requirePairs(name, predicted, gold);
  const counts = new Map<Label, { predicted: number; gold: number; both: number }>();
  const of = (label: Label) => {
    const found = counts.get(label) ?? { predicted: 0, gold: 0, both: 0 };
    counts.set(label, found);
    return found;
  };
  for (let i = 0; i < gold.length; i++) {
    of(predicted[i]).predicted++;
    of(gold[i]).gold++;
    if (predicted[i] === gold[i]) of(gold[i]).both++;
  }
  return counts;
};

/** The part of the labels that is right. */
export const accuracy = (predicted: ArrayLike<Label>, gold: ArrayLike<Label>): number => {
  requirePairs('accuracy', predicted, gold);
  let right = 0;
  for (let i = 0; i < gold.length; i++) if (predicted[i] === gold[i]) right++;
  return right / gold.length;
};

/** Precision, recall and F1 of one label. */
export const binaryF1 = (predicted: ArrayLike<Label>, gold: ArrayLike<Label>, positive: Label = 1): F1 => {
  const { both = 0, predicted: p = 0, gold: g = 0 } = count('binaryF1', predicted, gold).get(positive) ?? {};
  return f1Of(both, p, g);
};

/** The mean of the F1 of single labels: of these, or of all that are predicted or right. */
export const macroF1 = (predicted: ArrayLike<Label>, gold: ArrayLike<Label>, labels?: readonly Label[]): number => {
  const counts = count('macroF1', predicted, gold);
  const each = (labels ?? [...counts.keys()]).map((label) => {
    const { both = 0, predicted: p = 0, gold: g = 0 } = counts.get(label) ?? {};
    return f1Of(both, p, g).f1;
  });
  return each.reduce((a, b) => a + b, 0) / each.length;
};

/** The F1 of all decisions for one of these labels together. Over all labels it is the accuracy, so some are left out. */
export const microF1 = (predicted: ArrayLike<Label>, gold: ArrayLike<Label>, labels?: readonly Label[]): F1 => {
  const totals = { both: 0, predicted: 0, gold: 0 };
  for (const [label, found] of count('microF1', predicted, gold)) {
    if (labels && !labels.includes(label)) continue;
    totals.both += found.both;
    totals.predicted += found.predicted;
    totals.gold += found.gold;
  }
  return f1Of(totals.both, totals.predicted, totals.gold);
};

/**
 * Matthews' correlation coefficient, for any number of labels (Gorodkin 2004): with s decisions, c of them right, and label
 * k predicted pₖ times and right tₖ times, (c·s − Σ pₖtₖ) / √((s² − Σ pₖ²)(s² − Σ tₖ²)). CoLA is judged by it.
 */
export const matthews = (predicted: ArrayLike<Label>, gold: ArrayLike<Label>): number => {
  const s = gold.length;
  let [c, pt, pp, tt] = [0, 0, 0, 0];
  for (const { predicted: p, gold: t, both } of count('matthews', predicted, gold).values()) {
    c += both;
    pt += p * t;
    pp += p * p;
    tt += t * t;
  }
  return quotient(c * s - pt, Math.sqrt((s * s - pp) * (s * s - tt)));
};
