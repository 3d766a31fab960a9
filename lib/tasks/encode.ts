/**
 * From rows of a task to batches for a network:
 *
 *     a text     [CLS] A [SEP]              a pair     [CLS] A [SEP] B [SEP], type 1 from B on
 *     words      [CLS] w₁ … wₖ [SEP], each word in its pieces; its tag is that of the first piece
 *
 * What is too long is cut as published (google-research/electra, finetune/classification/classification_tasks.py): one
 * token at a time from the end of the longer text of a pair, from the second where both are as long. Words are not cut off,
 * as published ones are (finetune/tagging/tagging_tasks.py), but go on in a further window, so that every word has its
 * tag; and their type is 0 there, published 1. A batch is as long as its longest example, not as the longest there can be.
 */
import type { ElectraConfig } from '../electra/config.ts';
import type { Batch } from '../electra/mask.ts';
import { tensor } from '../tensor.ts';
import type { WordPiece } from '../text/wordpiece.ts';
import type { TaggedRow, TextRow } from './task.ts';

/** What a network reads of one row, or of one window of it. */
export interface Encoded {
  readonly ids: readonly number[];
  /** Of each token, its text: 0 or 1. */
  readonly types: readonly number[];
  /** Which of the rows it is of. */
  readonly row: number;
}

/** A window of a list of words. */
export interface EncodedWords extends Encoded {
  /** The number of its first word in the row. */
  readonly word: number;
  /** The place of each word's first piece among the tokens. */
  readonly at: readonly number[];
}

/** Of two texts of `a` and `b` tokens, how many of each are kept where there is room for so many together. */
export const truncatedLengths = (a: number, b: number, room: number): readonly [number, number] => {
  // The longer one gives until both are as long, then the second, the first, the second, … in turn.
  const excess = Math.max(0, a + b - room);
  const alone = Math.min(excess, Math.abs(a - b));
  const [x, y] = a > b ? [a - alone, b] : [a, b - alone];
  const both = excess - alone;
  return [x - Math.floor(both / 2), y - Math.ceil(both / 2)];
};

const checkRoom = (name: string, length: number, least: number): void => {
  if (!(length >= least)) throw new RangeError(`${name}: expected sequences of ${least} or more tokens, got ${length}`);
};

/** Texts and pairs as sequences of at most `length` tokens, one for each row. An empty text is [CLS] [SEP]. */
export const encodeTexts = (tokenizer: WordPiece, rows: readonly Pick<TextRow, 'text' | 'pair'>[], length: number): Encoded[] => {
  const { cls, sep } = tokenizer.special;
  checkRoom('encodeTexts', length, 3);
  return rows.map(({ text, pair }, row) => {
    const [a, b] = [tokenizer.ids(text), pair === undefined ? undefined : tokenizer.ids(pair)];
    const [ofA, ofB] = b ? truncatedLengths(a.length, b.length, length - 3) : [length - 2, 0];
    const first = [cls, ...a.slice(0, ofA), sep];
    const second = b ? [...b.slice(0, ofB), sep] : [];
    return { row, ids: [...first, ...second], types: [...first.map(() => 0), ...second.map(() => 1)] };
  });
};

/**
 * Lists of words as sequences of at most `length` tokens: as many windows for a row as hold all its words, each in one. A
 * word without pieces (of control characters, say) is [UNK], and one that fits no window is cut.
 */
export const encodeWords = (tokenizer: WordPiece, rows: readonly Pick<TaggedRow, 'words'>[], length: number): EncodedWords[] => {
  const { cls, sep, unk } = tokenizer.special;
  checkRoom('encodeWords', length, 3);
  return rows.flatMap(({ words }, row) => {
    const windows: { word: number; ids: number[]; at: number[] }[] = [{ word: 0, ids: [cls], at: [] }];
    words.forEach((text, word) => {
      const pieces = tokenizer.ids(text).slice(0, length - 2);
      if (pieces.length === 0) pieces.push(unk);
      if (windows.at(-1)!.ids.length + pieces.length + 1 > length) windows.push({ word, ids: [cls], at: [] });
      const { ids, at } = windows.at(-1)!;
      at.push(ids.length);
      ids.push(...pieces);
    });
    return windows.map(({ word, ids, at }) => ({ row, word, at, ids: [...ids, sep], types: [...ids, sep].map(() => 0) }));
  });
};

/** Some sequences as a batch as long as the longest, or up to the next multiple, so that a network meets few different shapes. */
export const batchOf = (
  examples: readonly Pick<Encoded, 'ids' | 'types'>[],
  { special, maxPositions }: Pick<ElectraConfig, 'special' | 'maxPositions'>,
  multiple = 8,
): Batch => {
  const b = examples.length;
  const longest = Math.max(...examples.map(({ ids }) => ids.length));
  if (longest > maxPositions) throw new RangeError(`batchOf: a sequence has ${longest} tokens, but the network has ${maxPositions} positions`);
  const t = Math.min(Math.ceil(longest / multiple) * multiple, maxPositions);
  const tokens = new Int32Array(b * t).fill(special.pad);
  const types = new Int32Array(b * t);
  const attend = new Float32Array(b * t);
  examples.forEach((example, i) => {
    tokens.set(example.ids, i * t);
    types.set(example.types, i * t);
    attend.fill(1, i * t, i * t + example.ids.length);
  });
  return { tokens: tensor(tokens, [b, t], 'i32'), types: tensor(types, [b, t], 'i32'), attend: tensor(attend, [b, t]) };
};

/**
 * Examples in parts of like length, none more than twice as long as another in its part: what a step computes together, so
 * that little of it is padding. (Up to eight tokens all are alike.)
 */
export const alike = <E extends Pick<Encoded, 'ids'>>(examples: readonly E[]): E[][] => {
  const parts = new Map<number, E[]>();
  for (const example of examples) {
    const size = Math.ceil(Math.log2(Math.max(example.ids.length, 8)));
    const part = parts.get(size);
    if (part) part.push(example);
    else parts.set(size, [example]);
  }
  return [...parts].sort(([a], [b]) => a - b).map(([, part]) => part);
};

/**
 * All examples once, those of similar length together, for evaluation and use, where the order does not matter: so many that
 * with their padding they have `most` tokens at most, but one at least.
 */
export const batchesOf = <E extends Pick<Encoded, 'ids'>>(examples: readonly E[], most: number): E[][] => {
  const batches: E[][] = [];
  for (const example of [...examples].sort((a, b) => a.ids.length - b.ids.length)) {
    const batch = batches.at(-1);
    if (batch && (batch.length + 1) * example.ids.length <= most) batch.push(example);
    else batches.push([example]);
  }
  return batches;
};
