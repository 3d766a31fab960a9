/**
 * The lines of a text, numbered as editors number them: they end with \n, \r\n or \r, whichever comes, and a byte order mark
 * is none of the first one. `paste` puts the lines of several texts beside each other, as the program of that name does.
 */
import { UserError } from '../../io/error.ts';
import type { Placed } from '../task.ts';

export const LINE_END = /\r\n|\n|\r/;

/** How many line ends a text has. */
export const lineEnds = (text: string): number => text.split(LINE_END).length - 1;

export const withoutMark = (text: string): string => (text.startsWith('\uFEFF') ? text.slice(1) : text);

/** The lines of a text; a last line end ends the last line. */
export const linesOf = (text: string): string[] => {
  const lines = withoutMark(text).split(LINE_END);
  if (lines.at(-1) === '') lines.pop();
  return lines;
};

/** Refuses what is at a place of a file: `train.csv:17: expected …`. */
export const refuse = (where: string, message: string, cause?: unknown): never => {
  throw new UserError(`${where}: ${message}`, { cause });
};

/** The rows, of which a file must have some. */
export const someRows = <R extends Placed>(rows: R[], source: string): R[] =>
  rows.length > 0 ? rows : refuse(source, 'there are no rows in it; check that it is the right file');

/**
 * One text whose lines are those of several, with tabs between them: sets that keep texts and labels in files of their own
 * are read as a table of these columns, `{ text: 0, label: 1 }`.
 *
 * Throws a UserError when one has more lines than another.
 */
export const paste = (texts: readonly string[], sources: readonly string[]): string => {
  const columns = texts.map(linesOf);
  const counts = columns.map(({ length }, i) => `${length} in ${sources[i]}`);
  if (columns.some(({ length }) => length !== columns[0].length)) {
    throw new UserError(
      `expected as many lines in each file, got ${counts.join(', ')}; they belong together line by line`,
    );
  }
  return columns[0].map((_, row) => columns.map((lines) => lines[row]).join('\t')).join('\n');
};
