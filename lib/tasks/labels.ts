/** From labels to numbers of outputs: which there are, in which order, and that no row has another. */
import { refuse } from './read/lines.ts';
import type { Gold, Placed, Row, TaskDeclaration } from './task.ts';

/** What would be right for a row; undefined where it is to be predicted. */
export const goldOf = <R extends Row>(row: R): Gold<R> | undefined => {
  const known: Row = row;
  const gold =
    'words' in known ? known.tags : 'question' in known ? known.answers?.map(({ text }) => text) : known.label;
  return gold as Gold<R> | undefined;
};

/** What would be right for each row. Throws a UserError, with file and line, at one without a label. */
export const goldsOf = <R extends Row>(rows: readonly R[]): Gold<R>[] =>
  rows.map((row) => goldOf(row) ?? refuse(row.where, 'there is no label to compare with; only rows with labels can be evaluated'));

/** The classes or tags of a row. */
const classesOf = (row: Row): readonly string[] =>
  'words' in row ? (row.tags ?? []) : 'text' in row && typeof row.label === 'string' ? [row.label] : [];

/** The classes or tags of a task in the order of its outputs: the declared ones, or those of the training rows, sorted. */
export const labelsOf = ({ labels }: Pick<TaskDeclaration, 'labels'>, rows: readonly Row[]): readonly string[] =>
  labels ?? [...new Set(rows.flatMap(classesOf))].sort();

/** Throws a UserError with file and line at the first row that has another label than these. */
export const requireLabels = (labels: readonly string[], rows: readonly (Row & Placed)[]): void => {
  const known = new Set(labels);
  for (const row of rows) {
    const other = classesOf(row).find((label) => !known.has(label));
    if (other === undefined) continue;
    const shown = labels.slice(0, 20).join(', ') + (labels.length > 20 ? ', …' : '');
    refuse(
      row.where,
      `the label '${other}' is none of the ${labels.length} that are known, ${shown}; training rows must have every label`,
    );
  }
};
