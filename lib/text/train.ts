/**
 * Learns a WordPiece vocabulary from text. Every word starts as its characters, those after the first written with
 * `##`; then the pair of neighbouring pieces that is most frequent in the text is made one piece everywhere, again
 * and again, until the vocabulary is full:
 *
 *     (a, b) = argmax count(ab),   ties to the pair whose pieces are older.
 *
 * This is byte-pair encoding (Sennrich, Haddow and Birch 2016) on characters with BERT's `##`, as `WordPieceTrainer`
 * of HuggingFace's tokenizers has it. The name stands for another score, count(ab) / (count(a) · count(b)), after
 * Schuster and Nakajima (2012); it was not published in detail, and where tried it favours rare pairs.
 *
 * Counts are kept per distinct word. A merge touches only the words that hold its pair, and a heap offers the best
 * pair; its entries may be out of date, so they are compared with the true count when they come up.
 */
import { SPACES, wordSplitter, type Normalization } from './normalize.ts';
import { SPECIAL_TOKENS } from './wordpiece.ts';

export interface VocabularyOptions extends Normalization {
  /** Tokens at most, the five special ones included. There are fewer when the text gives no more. */
  size: number;
  /** Pairs that are rarer than this are not merged. Default 2. */
  minFrequency?: number;
  /** Single-character pieces at most, the most frequent. Default: 1,000 or half of `size`, whichever is more. */
  alphabet?: number;
}

/** A word as pieces, with how often the text has it. */
type Count = { pieces: number[]; count: number };

/** A pair of piece ids in one number: ids stay below 2^26. */
const pairOf = (left: number, right: number): number => left * 2 ** 26 + right;
const leftOf = (pair: number): number => Math.floor(pair / 2 ** 26);
const rightOf = (pair: number): number => pair % 2 ** 26;

const increase = <K>(counts: Map<K, number>, key: K, by: number): void => {
  counts.set(key, (counts.get(key) ?? 0) + by);
};

/** How often each normalised word occurs. Raw chunks are counted first, so that each is normalised once. */
const countWords = (lines: Iterable<string>, normalization: Normalization): Map<string, number> => {
  const chunks = new Map<string, number>();
  for (const line of lines) for (const chunk of line.split(SPACES)) increase(chunks, chunk, 1);
  const words = new Map<string, number>();
  const split = wordSplitter(normalization);
  for (const [chunk, count] of chunks) for (const { text } of split(chunk)) increase(words, text, count);
  return words;
};

const charactersOf = (word: string): string[] => Array.from(word, (char, i) => (i === 0 ? char : `##${char}`));

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The `most` most frequent single-character pieces, in the order of their code units. */
const alphabetOf = (words: Map<string, number>, most: number): string[] => {
  const counts = new Map<string, number>();
  for (const [word, count] of words) for (const piece of charactersOf(word)) increase(counts, piece, count);
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || compareText(a, b))
    .slice(0, most)
    .map(([piece]) => piece)
    .sort(compareText);
};

type Entry = { pair: number; count: number };

const before = (a: Entry, b: Entry): boolean => a.count > b.count || (a.count === b.count && a.pair < b.pair);

const pushHeap = (heap: Entry[], entry: Entry): void => {
  let child = heap.length;
  heap.push(entry);
  while (child > 0) {
    const parent = (child - 1) >> 1;
    if (!before(entry, heap[parent])) break;
    heap[child] = heap[parent];
    child = parent;
  }
  heap[child] = entry;
};

const popHeap = (heap: Entry[]): Entry | undefined => {
  const top = heap[0];
  const last = heap.pop();
  if (!last || heap.length === 0) return top;
  let parent = 0;
  for (;;) {
    let child = 2 * parent + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
    if (!before(heap[child], last)) break;
    heap[parent] = heap[child];
    parent = child;
  }
  heap[parent] = last;
  return top;
};

/** A word's pieces with every (left, right) made `merged`, from left to right; `undefined` if there is none. */
const mergeIn = (pieces: number[], left: number, right: number, merged: number): number[] | undefined => {
  const shorter: number[] = [];
  for (let i = 0; i < pieces.length; i++) {
    const here = pieces[i] === left && pieces[i + 1] === right;
    shorter.push(here ? merged : pieces[i]);
    if (here) i++;
  }
  return shorter.length < pieces.length ? shorter : undefined;
};

/** The vocabulary of a text: special tokens, then characters, then merged pieces, the most frequent first. */
export const trainWordPiece = (lines: Iterable<string>, options: VocabularyOptions): string[] => {
  const { size, minFrequency = 2, alphabet = Math.max(1000, Math.floor(size / 2)) } = options;
  const room = size - SPECIAL_TOKENS.length;
  if (!Number.isInteger(size) || room < 1) {
    throw new RangeError(`trainWordPiece: expected a size of 6 or more (5 special tokens and text), got ${size}`);
  }
  const counted = countWords(lines, options);
  if (counted.size === 0)
    throw new Error('trainWordPiece: expected text to learn from, got none: is the corpus empty?');

  const vocab: string[] = [...SPECIAL_TOKENS, ...alphabetOf(counted, Math.min(alphabet, room))];
  const ids = new Map(vocab.map((token, id) => [token, id]));

  // A word with a character outside the alphabet will be [UNK], so it has nothing to teach.
  const words: Count[] = [];
  for (const [word, count] of counted) {
    const pieces = charactersOf(word).map((piece) => ids.get(piece) ?? -1);
    if (!pieces.includes(-1)) words.push({ pieces, count });
  }

  const pairCounts = new Map<number, number>();
  const wordsWith = new Map<number, number[]>();
  const addPairs = (at: number, changed?: Set<number>): void => {
    const { pieces, count } = words[at];
    for (let i = 0; i + 1 < pieces.length; i++) {
      const pair = pairOf(pieces[i], pieces[i + 1]);
      increase(pairCounts, pair, count);
      const where = wordsWith.get(pair);
      if (!where) wordsWith.set(pair, [at]);
      else if (where[where.length - 1] !== at) where.push(at);
      changed?.add(pair);
    }
  };
  words.forEach((_, at) => addPairs(at));

  const heap: Entry[] = [];
  for (const [pair, count] of pairCounts) pushHeap(heap, { pair, count });

  while (vocab.length < size) {
    const best = popHeap(heap);
    if (!best || best.count < minFrequency) break;
    const { pair } = best;
    const count = pairCounts.get(pair) ?? 0;
    if (count !== best.count) {
      if (count > 0) pushHeap(heap, { pair, count });
      continue;
    }

    const [left, right] = [leftOf(pair), rightOf(pair)];
    const token = vocab[left] + vocab[right].slice(2);
    const merged = ids.get(token) ?? vocab.push(token) - 1;
    ids.set(token, merged);

    const changed = new Set<number>();
    for (const at of wordsWith.get(pair) ?? []) {
      const { pieces, count } = words[at];
      const shorter = mergeIn(pieces, left, right, merged);
      if (!shorter) continue;
      for (let i = 0; i + 1 < pieces.length; i++) increase(pairCounts, pairOf(pieces[i], pieces[i + 1]), -count);
      words[at] = { pieces: shorter, count };
      addPairs(at, changed);
    }
    wordsWith.delete(pair);
    for (const pair of changed) {
      const count = pairCounts.get(pair) ?? 0;
      if (count > 0) pushHeap(heap, { pair, count });
    }
  }
  return vocab;
};
