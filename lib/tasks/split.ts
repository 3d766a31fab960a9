/**
 * A part of the rows held out, for sets that have no dev file. It follows from a key; each class gives its share (within one
 * text), and no text is on both sides: rows of equal texts, of equal pairs or lists of words, and questions on one text are
 * all in it or all out. Else what was learned by heart would count as understood.
 */
import type { HostKey } from '../text/order.ts';
import { derive, permutation } from '../text/order.ts';
import type { Row } from './task.ts';

export interface Split<R extends Row> {
  readonly train: R[];
  readonly dev: R[];
}

/** Lists of the items of equal name, in the order of names. */
const grouped = <T>(items: readonly T[], name: (item: T) => string): T[][] => {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(name(item));
    if (group) group.push(item);
    else groups.set(name(item), [item]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
};

/** What is read of a row, as a string. */
const textOf = (row: Row): string =>
  'question' in row ? row.context : JSON.stringify('words' in row ? row.words : [row.text, row.pair]);

/**
 * The rows in two, in their order: `part` of their different texts, rounded, for `dev`. Classes (of equal texts, that of the
 * first) are shuffled one after the other into one list, of which every 1/part-th is taken.
 *
 * Throws a RangeError unless 0 < part < 1.
 */
export const splitRows = <R extends Row>(key: HostKey, rows: readonly R[], part = 0.1): Split<R> => {
  if (!(part > 0 && part < 1)) throw new RangeError(`splitRows: expected a part between 0 and 1, got ${part}`);
  const units = grouped(
    rows.map((row, place) => ({ row: row as Row, place })),
    ({ row }) => textOf(row),
  );
  const classes = grouped(units, ([{ row }]) => ('text' in row && typeof row.label === 'string' ? row.label : ''));
  const list = classes.flatMap((members, i) =>
    permutation(members.length, derive(key, i)).map((place) => members[place]),
  );
  const taken = (i: number) => Math.round(i * part);
  const dev = new Set(list.flatMap((unit, i) => (taken(i + 1) > taken(i) ? unit.map(({ place }) => place) : [])));
  return { train: rows.filter((_, i) => !dev.has(i)), dev: rows.filter((_, i) => dev.has(i)) };
};
