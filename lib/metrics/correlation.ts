/**
 * How well predicted numbers follow the true ones. Pearson's coefficient Σ(x − x̄)(y − ȳ) / √(Σ(x − x̄)² Σ(y − ȳ)²) asks for
 * a straight line; Spearman's is Pearson's of the ranks, and asks only that the order is the same. STS-B reports both.
 */
import { requirePairs } from './classification.ts';

/** Pearson's correlation coefficient, from −1 to 1; NaN when all numbers of one side are equal, or one is NaN. */
export const pearson = (x: ArrayLike<number>, y: ArrayLike<number>): number => {
  requirePairs('pearson', x, y);
  const centred = (values: ArrayLike<number>) => {
    const list = Array.from(values);
    // A constant's mean may differ from it in the last bit, which must not look like variation.
    if (list.every((value) => value === list[0])) return list.map(() => 0);
    const mean = list.reduce((a, b) => a + b, 0) / list.length;
    return list.map((value) => value - mean);
  };
  const [a, b] = [centred(x), centred(y)];
  const dot = (p: number[], q: number[]) => p.reduce((total, value, i) => total + value * q[i], 0);
  const r = dot(a, b) / (Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b)));
  return Math.max(-1, Math.min(1, r));
};

/** The ranks of some numbers, from 1 on; equal numbers share the mean of theirs. */
export const ranks = (x: ArrayLike<number>): number[] => {
  const order = Array.from({ length: x.length }, (_, i) => i).sort((a, b) => x[a] - x[b]);
  const rank: number[] = [];
  for (let i = 0; i < order.length; ) {
    let end = i;
    while (end < order.length && x[order[end]] === x[order[i]]) end++;
    for (const mean = (i + 1 + end) / 2; i < end; i++) rank[order[i]] = mean;
  }
  return rank;
};

/** Spearman's rank correlation, ties averaged; NaN as Pearson's. */
export const spearman = (x: ArrayLike<number>, y: ArrayLike<number>): number => {
  requirePairs('spearman', x, y);
  if ([x, y].some((values) => Array.from(values).some(Number.isNaN))) return NaN;
  return pearson(ranks(x), ranks(y));
};
