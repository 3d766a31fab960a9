/** Rows of texts or pairs of texts with a class or value, from a table: which column is which is all that is to be said. */
import type { Reading, TextRow } from '../task.ts';
import { refuse, someRows } from './lines.ts';
import type { Column, Layout, TableRecord } from './records.ts';
import { records } from './records.ts';

export interface TextColumns extends Layout {
  readonly text: Column;
  readonly pair?: Column;
  readonly label?: Column;
  /** The labels are numbers, and are divided by this: STS-B's similarities from 0 to 5 are learnt as 0 to 1. */
  readonly regression?: boolean;
  readonly scale?: number;
}

const quotedNames = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

const found = ({ where, columns, value }: TableRecord, column: Column): string | number | boolean => {
  const it = value(column);
  if (it === undefined) {
    const name = typeof column === 'number' ? `number ${column}` : `'${column}'`;
    return refuse(where, `there is no column ${name}; there are ${quotedNames(columns)}`);
  }
  if (typeof it === 'string' || typeof it === 'number' || typeof it === 'boolean') return it;
  return refuse(where, `expected a string or number as '${column}', got ${JSON.stringify(it).slice(0, 80)}`);
};

const textOf = (record: TableRecord, column: Column): string => {
  const text = found(record, column);
  return typeof text === 'string' ? text : refuse(record.where, `expected a string as '${column}', got ${text}`);
};

const numberOf = (record: TableRecord, column: Column): number => {
  const label = found(record, column);
  const value = typeof label === 'string' && label.trim() === '' ? NaN : Number(label);
  return Number.isFinite(value) && typeof label !== 'boolean'
    ? value
    : refuse(record.where, `expected a number as label, got '${label}'`);
};

const classOf = (record: TableRecord, column: Column): string => {
  const label = String(found(record, column)).trim();
  return label === '' ? refuse(record.where, 'the label is empty; name a class or leave the row out') : label;
};

const isMissing = (label: unknown): boolean => label === undefined || label === null || label === '';

/**
 * A reader of a table's rows: `textRows({ text: 'sentence', label: 'label' })(text, 'train.tsv')`. Texts stay as they are,
 * empty ones too; white space around a class is cut.
 */
export const textRows =
  ({ text, pair, label, regression, scale = 1, ...layout }: TextColumns) =>
  (file: string, source: string, { unlabelled = false }: Reading = {}): TextRow[] => {
    const named = [text, pair, label].some((column) => typeof column === 'string');
    const labelOf = (record: TableRecord, column: Column) =>
      regression ? numberOf(record, column) / scale : classOf(record, column);
    const rows = records(file, source, { header: named, ...layout }).map((record) => ({
      where: record.where,
      text: textOf(record, text),
      ...(pair !== undefined && { pair: textOf(record, pair) }),
      ...(label !== undefined && !(unlabelled && isMissing(record.value(label))) && { label: labelOf(record, label) }),
    }));
    return someRows(rows, source);
  };
