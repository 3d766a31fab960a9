/** Rows of a task from files: UTF-8 text, plain or packed (`.gz`), read by the task's declaration. */
import { paste } from '../tasks/read/lines.ts';
import type { FileName, Reading, Row, TaskDeclaration } from '../tasks/task.ts';
import { texts } from './corpus.ts';

const textOf = (path: string): string => [...texts(path)].join('');

/**
 * The rows of a file, or of several whose lines stand beside each other.
 *
 * Throws a UserError, with the file's name and line, where a file is missing, not UTF-8 or not as declared.
 */
export const readRows = <R extends Row>(
  declaration: Pick<TaskDeclaration<R>, 'read'>,
  file: FileName,
  reading?: Reading,
): R[] => {
  const paths = typeof file === 'string' ? [file] : file;
  const whole = paths.map(textOf);
  return declaration.read(whole.length === 1 ? whole[0] : paste(whole, paths), paths.join('+'), reading);
};
