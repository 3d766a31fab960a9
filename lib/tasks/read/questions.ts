/**
 * Questions in the JSON of SQuAD 1.1 and 2.0 (Rajpurkar et al. 2016, 2018): data, of paragraphs, of a context and its
 * questions. `answer_start` counts characters as Python does, in code points. A place in the file is told by its path and
 * the question's id, since such files are one line.
 */
import type { QuestionRow, Reading } from '../task.ts';
import { refuse, someRows, withoutMark } from './lines.ts';

type Json = { readonly [name: string]: unknown };

const list = (parent: unknown, name: string, where: string): Json[] => {
  const value = typeof parent === 'object' && parent !== null ? (parent as Json)[name] : undefined;
  return Array.isArray(value) ? value : refuse(where, `expected a list '${name}', as in SQuAD's files`);
};

const string = (parent: Json, name: string, where: string): string => {
  const value = parent?.[name];
  return typeof value === 'string' ? value : refuse(where, `expected a string '${name}', got ${JSON.stringify(value)}`);
};

/** An answer at its place in the code points of the context. */
const placed = (answer: Json, context: readonly string[], where: string) => {
  const text = string(answer, 'text', where);
  const start = answer.answer_start;
  if (typeof start !== 'number' || !Number.isInteger(start))
    return refuse(where, `expected a whole number 'answer_start', got ${JSON.stringify(start)}`);
  const there = context.slice(Math.max(0, start), Math.max(0, start) + Array.from(text).length).join('');
  if (start < 0 || there !== text || text === '')
    refuse(
      where,
      `the answer '${text.slice(0, 80)}' is not at character ${start} of its context, where '${there.slice(0, 80)}' is; answer_start counts code points from 0`,
    );
  return { text, start };
};

/**
 * A reader of questions. `unanswerable` ones, as in SQuAD 2.0, have no answers; without them a question must have one.
 *
 * Throws a UserError where the file is not such JSON, and where an answer is not at its place.
 */
export const questionRows =
  ({ unanswerable = false }: { readonly unanswerable?: boolean } = {}) =>
  (file: string, source: string, { unlabelled = false }: Reading = {}): QuestionRow[] => {
    let root: unknown;
    try {
      root = JSON.parse(withoutMark(file));
    } catch (cause) {
      refuse(source, `expected JSON in SQuAD's form; ${(cause as Error).message}`, cause);
    }
    const rows = list(root, 'data', source).flatMap((article, a) => {
      const inArticle = `${source}: data[${a}]`;
      return list(article, 'paragraphs', inArticle).flatMap((paragraph, p) => {
        const inParagraph = `${inArticle}.paragraphs[${p}]`;
        const context = string(paragraph, 'context', inParagraph);
        const characters = Array.from(context);
        return list(paragraph, 'qas', inParagraph).map((entry, q): QuestionRow => {
          const id = string(entry, 'id', `${inParagraph}.qas[${q}]`);
          const where = `${inParagraph}.qas[${q}] (${id})`;
          const row = { where, id, question: string(entry, 'question', where), context };
          if (unlabelled && entry.answers === undefined) return row;
          const answers =
            entry.is_impossible === true
              ? []
              : list(entry, 'answers', where).map((answer) => placed(answer, characters, where));
          if (answers.length === 0 && !unanswerable && !unlabelled)
            refuse(where, 'the question has no answer; files with such questions are read as SQuAD 2.0');
          return { ...row, answers };
        });
      });
    });
    return someRows(rows, source);
  };
