/**
 * How far a measured value may be from that of other examples: the percentile bootstrap (Efron 1979). The examples are drawn
 * again, with replacement and as many, a thousand times; between the 2.5 % smallest and largest values of the metric lies its
 * 95 % interval. It needs no formula for the metric, only that examples are independent. All draws follow from a key.
 */
import type { HostKey } from '../text/order.ts';
import { derive, uniformAt } from '../text/order.ts';

export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Columns of equally many values, and such columns as lists. */
type Columns<T extends readonly unknown[]> = { readonly [K in keyof T]: ArrayLike<T[K]> };
type Lists<T extends readonly unknown[]> = { [K in keyof T]: T[K][] };

/** The q-quantile of sorted numbers, between two of them by a straight line. */
const quantile = (sorted: readonly number[], q: number): number => {
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  return sorted[below] + (place - below) * (sorted[Math.ceil(place)] - sorted[below]);
};

/**
 * A metric of some columns (such as predictions and truth, an example a row) with its interval:
 *
 *     bootstrap([1, 0], [predicted, gold], macroF1)
 *
 * Samples on which the metric is NaN are left out; when all are, so are the bounds.
 *
 * Throws when there is no row, or columns differ in length.
 */
export const bootstrap = <T extends readonly unknown[]>(
  key: HostKey,
  columns: Columns<T>,
  metric: (...columns: Lists<T>) => number,
  { samples = 1000, level = 0.95 }: { readonly samples?: number; readonly level?: number } = {},
): Interval => {
  const lengths = columns.map(({ length }) => length);
  const [n] = lengths;
  if (!(n > 0) || lengths.some((length) => length !== n)) {
    throw new RangeError(`bootstrap: expected columns of one length above 0, got ${lengths.join(' and ') || 'none'}`);
  }
  const of = (rows: readonly number[]) => metric(...(columns.map((column) => rows.map((row) => column[row])) as Lists<T>));
  const drawn = Array.from({ length: samples }, (_, sample) => {
    const stream = derive(key, sample);
    return of(Array.from({ length: n }, (_, i) => Math.floor(uniformAt(stream, i) * n)));
  });
  const sorted = drawn.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const bound = (q: number) => (sorted.length === 0 ? NaN : quantile(sorted, q));
  return { value: of(Array.from({ length: n }, (_, i) => i)), low: bound((1 - level) / 2), high: bound((1 + level) / 2) };
};
