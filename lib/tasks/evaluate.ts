/** What predictions are worth: every metric of a task with its 95 % interval, by drawing rows again (bootstrap). */
import { requirePairs } from '../metrics/classification.ts';
import type { Interval } from '../metrics/bootstrap.ts';
import { bootstrap } from '../metrics/bootstrap.ts';
import type { HostKey } from '../text/order.ts';
import { goldsOf } from './labels.ts';
import type { Gold, Predicted, Row, TaskDeclaration } from './task.ts';

export interface Measurement extends Interval {
  readonly name: string;
}

/**
 * All metrics of a task, the deciding one first; a sentence with its tags, or a question, is drawn as a whole.
 *
 * Throws when there is not one prediction a row, and, with file and line, where a row has no label.
 */
export const evaluateTask = <R extends Row>(
  { metrics }: Pick<TaskDeclaration<R>, 'metrics'>,
  predictions: readonly Predicted<R>[],
  rows: readonly R[],
  { key = [0, 0], samples = 1000 }: { readonly key?: HostKey; readonly samples?: number } = {},
): Measurement[] => {
  requirePairs('evaluateTask', predictions, rows);
  const gold = goldsOf(rows);
  return metrics.map((metric) => ({
    name: metric.name,
    ...bootstrap<[Predicted<R>, Gold<R>]>(key, [predictions, gold], (p, g) => metric.of(p, g), { samples }),
  }));
};
