/**
 * WordPiece, BERT's tokenizer (Schuster and Nakajima 2012; Devlin et al. 2019): each word is cut greedily from the
 * left into the longest pieces that the vocabulary holds, where a piece inside a word is written with `##` before it.
 * A word that cannot be cut, or is longer than `maxCharsPerWord`, becomes [UNK] as a whole. The special tokens are
 * found in the raw text before anything else, as HuggingFace's tokenizers do, and
 *
 *     encode(A) = [CLS] A [SEP]          encode(A, B) = [CLS] A [SEP] B [SEP]
 *
 * with type 1 for B and its [SEP]. Offsets count code points of the text a token came from: [start, end).
 */
import { SPACES, wordSplitter, type Normalization, type Word } from './normalize.ts';

export interface WordPieceOptions extends Normalization {
  /** Longer words are [UNK]. HuggingFace has 100, the default here; google-research/electra has 200. */
  maxCharsPerWord?: number;
  /** Treat a special token in the text, such as `[MASK]`, as any other text, as google-research/electra does; false here. */
  splitSpecialTokens?: boolean;
}

export interface Encoding {
  ids: number[];
  typeIds: number[];
  tokens: string[];
  offsets: [number, number][];
}

/** The ids of the special tokens; each vocabulary has its own. */
export type SpecialIds = Record<'pad' | 'unk' | 'cls' | 'sep' | 'mask', number>;

/** The five tokens every BERT vocabulary needs, in the order in which a trained one has them. */
export const SPECIAL_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;

const SPECIAL = /(\[(?:PAD|UNK|CLS|SEP|MASK)\])/;
const NO_SPACE_BEFORE = new Set(['.', ',', '?', '!']);
const REMEMBERED = 100_000;

/** Where a piece lies in its word, in UTF-16 units, and its id. */
type Piece = { id: number; start: number; end: number };

const codePoints = (text: string): number => {
  let count = 0;
  for (const _ of text) count++;
  return count;
};

const indexOf = (vocab: readonly string[]): Map<string, number> => {
  const index = new Map<string, number>();
  vocab.forEach((token, id) => {
    const before = index.get(token);
    if (before !== undefined) {
      const which = `${JSON.stringify(token)} is both token ${before} and token ${id}`;
      throw new Error(`WordPiece: a vocabulary lists each token once, but ${which}; remove one of them`);
    }
    index.set(token, id);
  });
  const missing = SPECIAL_TOKENS.filter((token) => !index.has(token));
  if (missing.length > 0) {
    const need = `a vocabulary needs ${SPECIAL_TOKENS.join(' ')}`;
    throw new Error(
      `WordPiece: ${need}; these ${vocab.length} tokens lack ${missing.join(' ')}: add them, or check the file`,
    );
  }
  return index;
};

export class WordPiece {
  readonly vocab: readonly string[];
  readonly options: Required<WordPieceOptions>;
  readonly special: SpecialIds;
  readonly #index: Map<string, number>;
  readonly #longest: number;
  readonly #words: (text: string) => Word[];
  readonly #remembered = new Map<string, number[]>();

  constructor(vocab: readonly string[], options: WordPieceOptions) {
    const { lowerCase, stripAccents = lowerCase, maxCharsPerWord = 100, splitSpecialTokens = false } = options;
    this.vocab = vocab;
    this.options = { lowerCase, stripAccents, maxCharsPerWord, splitSpecialTokens };
    this.#index = indexOf(vocab);
    this.#longest = vocab.reduce((longest, token) => Math.max(longest, token.length), 0);
    this.#words = wordSplitter(this.options);
    const [pad, unk, cls, sep, mask] = SPECIAL_TOKENS.map((token) => this.#index.get(token)!);
    this.special = { pad, unk, cls, sep, mask };
  }

  /** The id of a token, [UNK]'s if the vocabulary does not have it. */
  id(token: string): number {
    return this.#index.get(token) ?? this.special.unk;
  }

  /** Everything a model and a reader need to know of a text, or of a pair of texts. */
  encode(text: string, pair?: string): Encoding {
    const encoding: Encoding = { ids: [], typeIds: [], tokens: [], offsets: [] };
    const append = (id: number, type: number, start: number, end: number): void => {
      encoding.ids.push(id);
      encoding.typeIds.push(type);
      encoding.tokens.push(this.vocab[id]);
      encoding.offsets.push([start, end]);
    };
    append(this.special.cls, 0, 0, 0);
    [text, pair].forEach((segment, type) => {
      if (segment === undefined) return;
      this.#tokenize(segment, (id, start, end) => append(id, type, start, end));
      append(this.special.sep, type, 0, 0);
    });
    return encoding;
  }

  /** The ids of a text alone, without [CLS] and [SEP]: what `encode` has between them, but made for whole corpora. */
  ids(text: string): number[] {
    const ids: number[] = [];
    for (const chunk of text.split(SPACES)) {
      let known = this.#remembered.get(chunk);
      if (!known) {
        const found: number[] = (known = []);
        this.#tokenize(chunk, (id) => found.push(id));
        if (this.#remembered.size < REMEMBERED) this.#remembered.set(chunk, known);
      }
      for (const id of known) ids.push(id);
    }
    return ids;
  }

  /** Readable text again: pieces joined, special tokens left out unless asked for, no space before . , ? and ! */
  decode(ids: Iterable<number>, { keepSpecial = false } = {}): string {
    const special = new Set(Object.values(this.special));
    let text = '';
    for (const id of ids) {
      const token = this.vocab[id];
      if (token === undefined) {
        throw new RangeError(
          `decode: expected ids from 0 to ${this.vocab.length - 1}, got ${id}: is it this vocabulary's?`,
        );
      }
      if (special.has(id) && !keepSpecial) continue;
      if (text === '') text = token;
      else if (token.startsWith('##')) text += token.slice(2);
      else text += NO_SPACE_BEFORE.has(token) ? token : ` ${token}`;
    }
    return text;
  }

  /** Calls `emit` for every token of a text. Odd parts of the split are the special tokens. */
  #tokenize(text: string, emit: (id: number, start: number, end: number) => void): void {
    let from = 0;
    const parts = this.options.splitSpecialTokens ? [text] : text.split(SPECIAL);
    parts.forEach((part, i) => {
      const to = from + codePoints(part);
      if (i % 2 === 1) emit(this.id(part), from, to);
      else {
        for (const word of this.#words(part)) {
          for (const { id, start, end } of this.#pieces(word.text)) {
            emit(id, from + word.at[start], from + word.at[end - 1] + 1);
          }
        }
      }
      from = to;
    });
  }

  /** Greedy longest match first. */
  #pieces(word: string): Piece[] {
    const unknown = [{ id: this.special.unk, start: 0, end: word.length }];
    if (codePoints(word) > this.options.maxCharsPerWord) return unknown;
    const pieces: Piece[] = [];
    for (let start = 0; start < word.length; start = pieces[pieces.length - 1].end) {
      let end = Math.min(word.length, start + this.#longest);
      let id: number | undefined;
      while (end > start) {
        id = this.#index.get((start === 0 ? '' : '##') + word.slice(start, end));
        if (id !== undefined) break;
        end--;
      }
      if (id === undefined) return unknown;
      pieces.push({ id, start, end });
    }
    return pieces;
  }
}
