/** From files of text to training examples: read, hold some documents out, learn a vocabulary, tokenise, pack. */
import type { Batch, ElectraConfig } from '../../lib/index.ts';
import { buildExamples, derive, holdOut, sentences, tensor, trainWordPiece, unigramEntropy, unigramLogits, WordPiece } from '../../lib/index.ts';
import type { Examples, HostKey, TokenBatch } from '../../lib/index.ts';
import type { CachedArray } from '../../lib/node.ts';
import { cached, hashOf, readCorpus, readVocabulary, UserError } from '../../lib/node.ts';
import type { Options } from './options.ts';

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
  readonly watched: Int32Array;
}

/** Cached arrays of a set of examples, under names that begin with `prefix`. */
const store = (prefix: string, { tokens, lengths, splits }: Examples) => ({
  [`${prefix}.tokens`]: tokens,
  [`${prefix}.lengths`]: lengths,
  [`${prefix}.splits`]: splits,
});

export interface Documents {
  readonly texts: readonly string[];
  /** Their number and hash, in words: two corpora are the same if and only if these are. */
  readonly identity: string;
}

export const readDocuments = ({ corpus }: Options): Documents => {
  const texts = [...readCorpus(corpus)];
  return { texts, identity: `${texts.length} documents, SHA-256 ${hashOf({}, texts)}` };
};

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

/**
 * Tokenises documents; what comes out is kept in the folder `cache` for the next run. A tokenizer that is `known` is used
 * instead of one with a vocabulary from a file or learned from the text.
 */
export const prepareText = async (
  { texts: documents, identity }: Documents,
  { vocab, cased, seed }: Options,
  { vocabSize, training }: ElectraConfig,
  cache: string,
  known?: WordPiece,
): Promise<Text> => {
  const { sequenceLength: seq, batchSize } = training;
  const keys = [0, 1, 2].map((n): HostKey => derive([0, seed], n));
  const given = known?.vocab ?? (vocab === undefined ? undefined : readVocabulary(vocab));
  const rules = known?.options ?? { lowerCase: !cased };

  const stored = await cached<Record<string, CachedArray>>(cache, hashOf({ format: 4, vocabSize, given, seq, seed, rules, identity }), () => {
    const { train, heldOut } = holdOut(documents, HELD_OUT, keys[0]);
    const words = given ?? trainWordPiece(train, { size: vocabSize, lowerCase: !cased });
    const tokenizer = new WordPiece(words, rules);
    const { special } = tokenizer;
    const tokenise = (texts: string[]) => texts.map((text) => sentences(text).map((sentence) => tokenizer.ids(sentence)));
    const pack = (documents: ReturnType<typeof tokenise>, key: HostKey) => buildExamples(documents, { seq, special, key });
    const aside = tokenise(heldOut);
    const sentence = chooseSentence(aside.flat(), seq, special.unk);
    const watched = Int32Array.of(special.cls, ...sentence, special.sep);
    const words8 = new TextEncoder().encode(words.join('\n'));
    return { words: words8, watched, ...store('train', pack(tokenise(train), keys[1])), ...store('heldOut', pack(aside, keys[2])) };
  });

  const load = (prefix: string): Examples => {
    const [tokens, lengths, splits] = ['tokens', 'lengths', 'splits'].map((name) => stored[`${prefix}.${name}`]);
    return { count: lengths.length, seq, tokens: tokens as Int32Array, lengths: lengths as Uint16Array, splits: splits as Uint16Array };
  };
  const words = new TextDecoder().decode(stored.words as Uint8Array).split('\n');
  const tokenizer = new WordPiece(words, rules);
  const { special } = tokenizer;
  const [train, heldOut] = [load('train'), load('heldOut')];
  if (train.count < batchSize) {
    throw new UserError(
      `the corpus makes ${train.count} examples of ${seq} tokens, fewer than one batch of ${batchSize}; give more text, or a smaller --batch`,
    );
  }
  // An unknown word can be asked for, as in google's code; the others never are.
  const specials = [special.pad, special.cls, special.sep, special.mask];
  return {
    train,
    heldOut,
    tokenizer,
    unigramLoss: unigramEntropy(train, heldOut, specials, words.length),
    unigram: unigramLogits(train, specials, words.length),
    watched: stored.watched as Int32Array,
  };
};

/** A batch of token ids as tensors. */
export const toBatch = ({ b, t, tokens, types, attend }: TokenBatch): Batch => ({
  tokens: tensor(tokens, [b, t], 'i32'),
  types: tensor(types, [b, t], 'i32'),
  attend: tensor(attend, [b, t]),
});
