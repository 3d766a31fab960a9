/**
 * From documents to training examples, in memory: hold some documents out, learn a vocabulary, tokenise, pack. Files and
 * their cache are in text.ts; the page of examples/web takes the text that somebody pastes.
 */
import type { Batch, Examples, HostKey, TokenBatch } from '../../lib/index.ts';
import { buildExamples, derive, holdOut, sentences, tensor, trainWordPiece, unigramEntropy, unigramLogits, WordPiece } from '../../lib/index.ts';

/** Part of the documents that is never trained on. */
const HELD_OUT = 0.05;

export interface Text {
  readonly tokenizer: WordPiece;
  readonly train: Examples;
  readonly heldOut: Examples;
  /** Cross-entropy of guessing by frequency alone, in nats, on the held-out text. */
  readonly unigramLoss: number;
  /** ln frequency of each token in the training text. */
  readonly unigram: Float32Array;
  /** A held-out sentence to watch: [CLS] … [SEP], without padding. */
  readonly watched: Int32Array<ArrayBuffer>;
}

/**
 * The sentence to watch while a run goes on: whole, of ordinary length, without unknown words. It is the middle one of
 * those, since texts begin with salutations; where no sentence is such, the longest that fits, or the beginning of the first.
 */
export const chooseSentence = (sentences: readonly (readonly number[])[], seq: number, unknown: number): readonly number[] => {
  const most = Math.min(seq - 2, 40);
  const fitting = sentences.filter((ids) => ids.length <= most && !ids.includes(unknown));
  const ordinary = fitting.filter((ids) => ids.length >= 0.6 * most);
  const longest = [...fitting].sort((a, b) => b.length - a.length)[0];
  return ordinary[ordinary.length >> 1] ?? longest ?? sentences[0]?.slice(0, most) ?? [];
};

/** What a tokenizer is besides its vocabulary. */
type Rules = ConstructorParameters<typeof WordPiece>[1];

/** What is learned and made from documents. */
export type Packed = Pick<Text, 'train' | 'heldOut' | 'watched'> & { readonly words: readonly string[] };

/** Holds documents out and packs examples of `seq` tokens; `given` is the vocabulary, if it is not to be learned. */
export const packDocuments = (
  documents: readonly string[],
  { vocabSize, seq, seed, rules, given }: { vocabSize: number; seq: number; seed: number; rules: Rules; given?: readonly string[] },
): Packed => {
  const keys = [0, 1, 2].map((n): HostKey => derive([0, seed], n));
  const { train, heldOut } = holdOut(documents, HELD_OUT, keys[0]);
  const words = given ?? trainWordPiece(train, { size: vocabSize, lowerCase: rules.lowerCase });
  const tokenizer = new WordPiece(words, rules);
  const { special } = tokenizer;
  const tokenise = (texts: string[]) => texts.map((text) => sentences(text).map((sentence) => tokenizer.ids(sentence)));
  const pack = (documents: ReturnType<typeof tokenise>, key: HostKey) => buildExamples(documents, { seq, special, key });
  const aside = tokenise(heldOut);
  const sentence = chooseSentence(aside.flat(), seq, special.unk);
  const watched = Int32Array.of(special.cls, ...sentence, special.sep);
  return { words, watched, train: pack(tokenise(train), keys[1]), heldOut: pack(aside, keys[2]) };
};

/** The text of a run: what was packed, with its tokenizer, and what word frequencies alone are worth. */
export const textOf = ({ words, train, heldOut, watched }: Packed, rules: Rules): Text => {
  const tokenizer = new WordPiece(words, rules);
  const { special } = tokenizer;
  // An unknown word can be asked for, as in google's code; the others never are.
  const specials = [special.pad, special.cls, special.sep, special.mask];
  return {
    train,
    heldOut,
    tokenizer,
    watched,
    unigramLoss: unigramEntropy(train, heldOut, specials, words.length),
    unigram: unigramLogits(train, specials, words.length),
  };
};

/** A batch of token ids as tensors. */
export const toBatch = ({ b, t, tokens, types, attend }: TokenBatch): Batch => ({
  tokens: tensor(tokens, [b, t], 'i32'),
  types: tensor(types, [b, t], 'i32'),
  attend: tensor(attend, [b, t]),
});
