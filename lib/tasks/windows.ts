/**
 * Questions as sequences of bounded length (Devlin et al. 2019; google-research/electra, finetune/qa/qa_tasks.py). A context
 * that does not fit is read through windows that slide over its tokens, a `stride` from one start to the next,
 *
 *     [CLS] question [SEP] window [SEP]          types 0 … 0 1 … 1
 *
 * so that every token is in one window at least. The answer is the smallest range of tokens that covers its characters. Of
 * the windows that hold a token, that one speaks for it in which it has most context on its scarcer side (max context).
 *
 * A range of tokens is turned into text by cutting it out of the context as it was written: nothing is put together from
 * pieces. What the tokenizer drops (combining marks under `stripAccents`, joiners, control characters) belongs to the token
 * before it in its word, or else to the one behind it.
 */
import { SPACES } from '../text/normalize.ts';
import type { WordPiece } from '../text/wordpiece.ts';
import type { QuestionRow } from './task.ts';

export interface Windowing {
  /** Of a whole row; 512 as published. */
  readonly sequenceLength: number;
  /** Tokens from the start of a window to that of the next, or less where a window is shorter; 128, but at most half a sequence. */
  readonly stride?: number;
  /** Longer questions are cut; 64, but at most half a sequence. */
  readonly questionLength?: number;
}

/** From `first` to `last`, which is part of it. */
export interface TokenSpan {
  readonly first: number;
  readonly last: number;
}

/** A row, and which tokens of the context it holds: `count` of them from number `first` on, from position `at` on. */
export interface Window {
  readonly ids: readonly number[];
  readonly types: readonly number[];
  readonly at: number;
  readonly first: number;
  readonly count: number;
}

/** A question with all its windows. */
export interface WindowedQuestion {
  readonly row: QuestionRow;
  readonly windows: readonly Window[];
  /** Where each token of the context lies in it, [start, end) in UTF-16 units, as `slice` takes them. */
  readonly places: readonly (readonly [number, number])[];
  /** The tokens of the first answer; none where there is none, or it is not at its place in the context. */
  readonly answer?: TokenSpan;
}

/** A context by tokens, and the UTF-16 unit at which each of its code points starts (and the last one ends). */
interface Context {
  readonly text: string;
  readonly ids: readonly number[];
  readonly places: readonly (readonly [number, number])[];
  readonly units: readonly number[];
}

const readContext = (tokenizer: WordPiece, text: string): Context => {
  const units = [0];
  for (const point of text) units.push(units[units.length - 1] + point.length);
  const { ids, offsets } = tokenizer.encode(text);
  const places = offsets.slice(1, -1).map(([start, end]) => [units[start], units[end]]);
  // Between two tokens are spaces, and characters that were dropped on either side of them.
  for (let i = 0; i <= places.length; i++) {
    const [left, right] = [places[i - 1], places[i]];
    const between = text.slice(left?.[1] ?? 0, right?.[0]).split(SPACES);
    if (left) left[1] += between[0].length;
    if (right && (between.length > 1 || !left)) right[0] -= between[between.length - 1].length;
  }
  return { text, ids: ids.slice(1, -1), places: places as [number, number][], units };
};

/** The smallest range of tokens that covers the first answer. */
const findAnswer = ({ text, places, units }: Context, { answers: [answer] = [] }: QuestionRow): TokenSpan | undefined => {
  if (answer === undefined) return undefined;
  const start = units[answer.start];
  const end = start + answer.text.length;
  if (text.slice(start, end) !== answer.text) return undefined;
  const first = places.findIndex((place) => place[1] > start);
  const last = places.findLastIndex((place) => place[0] < end);
  return first >= 0 && first <= last ? { first, last } : undefined;
};

/**
 * The function that cuts questions into windows. It remembers the last context, since questions about one follow each other.
 *
 * Throws when a sequence has no room for a question and a token of the context.
 */
export const windower = (
  tokenizer: WordPiece,
  { sequenceLength, stride = Math.min(128, sequenceLength >> 1), questionLength = Math.min(64, sequenceLength >> 1) }: Windowing,
) => {
  if (!(Number.isInteger(stride) && stride >= 1)) throw new RangeError(`windower: expected a stride of 1 token or more, got ${stride}`);
  if (!(sequenceLength >= questionLength + 4)) {
    throw new RangeError(
      `windower: a question of ${questionLength} tokens, [CLS], two [SEP] and a token of the context need ${questionLength + 4} places, but sequenceLength is ${sequenceLength}; raise it, or lower questionLength`,
    );
  }
  const { cls, sep } = tokenizer.special;
  let context: Context | undefined;

  return (row: QuestionRow): WindowedQuestion => {
    if (context?.text !== row.context) context = readContext(tokenizer, row.context);
    const { ids, places } = context;
    const question = tokenizer.ids(row.question).slice(0, questionLength);
    const at = question.length + 2;
    const width = sequenceLength - at - 1;
    const windows: Window[] = [];
    let first = 0;
    for (;;) {
      const part = ids.slice(first, first + width);
      const row = [cls, ...question, sep, ...part, sep];
      windows.push({ ids: row, types: row.map((_, i) => (i < at ? 0 : 1)), at, first, count: part.length });
      if (first + part.length >= ids.length) break;
      first += Math.min(width, stride);
    }
    const answer = findAnswer(context, row);
    return { row, windows, places, ...(answer && { answer }) };
  };
};

/** The positions of a span in a window's row; [0, 0], which is [CLS], where the window does not hold all of it. */
export const positionsIn = ({ at, first, count }: Window, span: TokenSpan | undefined): readonly [number, number] =>
  span && span.first >= first && span.last < first + count ? [span.first - first + at, span.last - first + at] : [0, 0];

/** A span of tokens, as it was written. */
export const textOf = ({ row, places }: WindowedQuestion, { first, last }: TokenSpan): string =>
  row.context.slice(places[first][0], places[last][1]);

/** The number of the window that speaks for a token of the context; of several as good ones the first. */
export const mostContext = (windows: readonly Window[], token: number): number => {
  let [best, most] = [-1, -Infinity];
  windows.forEach(({ first, count }, i) => {
    if (token < first || token >= first + count) return;
    const context = Math.min(token - first, first + count - 1 - token) + 0.01 * count;
    if (context > most) [best, most] = [i, context];
  });
  return best;
};
