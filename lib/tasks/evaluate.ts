/** What guesses are worth: every metric of a task with its 95 % interval, by drawing rows again (bootstrap). */
import { UserError } from '../io/error.ts';
import { requirePairs } from '../metrics/classification.ts';
import type { Interval } from '../metrics/bootstrap.ts';
import { bootstrap } from '../metrics/bootstrap.ts';
import type { HostKey } from '../text/order.ts';
import { goldsOf } from './labels.ts';
import type { Guess, Metric, Predicted, Row, TaskDeclaration } from './task.ts';

/** The mean over all runs, and its interval. */
export interface Measurement extends Interval {
  readonly name: string;
  /** The value of each run. */
  readonly runs: readonly number[];
}

/**
 * What a metric takes of guesses: what is predicted, or the probability of its class, which is one of `labels`.
 *
 * Throws a UserError when it is none of them.
 */
export const takenBy = <R extends Row>(
  { name, probabilityOf }: Metric<R>,
  guesses: readonly Guess<R>[],
  labels: readonly string[] = [],
): Predicted<R>[] => {
  if (probabilityOf === undefined) return guesses.map(({ predicted }) => predicted);
  const place = labels.indexOf(probabilityOf);
  if (place < 0)
    throw new UserError(`${name}: there is no class '${probabilityOf}'; there are ${labels.join(', ') || 'no labels'}`);
  return guesses.map(({ probabilities }) => (probabilities?.[place] ?? NaN) as Predicted<R>);
};

/**
 * All metrics of a task, the deciding one first, of the guesses of one run or of several (of other seeds), whose mean counts.
 * A sentence with its tags, or a question, is drawn as a whole, and the same rows for each run.
 *
 * Throws when there is not one guess a row, and, with file and line, where a row has no label.
 */
export const evaluateTask = <R extends Row>(
  { metrics, labels }: Pick<TaskDeclaration<R>, 'metrics' | 'labels'>,
  runs: readonly (readonly Guess<R>[])[],
  rows: readonly R[],
  { key = [0, 0], samples = 1000 }: { readonly key?: HostKey; readonly samples?: number } = {},
): Measurement[] => {
  for (const guesses of runs) requirePairs('evaluateTask', guesses, rows);
  const gold = goldsOf(rows);
  const all = [...rows.keys()];
  return metrics.map((metric) => {
    const taken = runs.map((guesses) => takenBy(metric, guesses, labels));
    const of = (at: readonly number[]) =>
      taken.map((run) =>
        metric.of(
          at.map((i) => run[i]),
          at.map((i) => gold[i]),
        ),
      );
    const mean = (at: readonly number[]) => of(at).reduce((a, b) => a + b, 0) / runs.length;
    return { name: metric.name, ...bootstrap<[number]>(key, [all], mean, { samples }), runs: of(all) };
  });
};
