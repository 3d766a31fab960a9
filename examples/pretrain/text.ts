/** From files of text to training examples: read, then what prepare.ts does, kept in a cache. */
import type { ElectraConfig, Examples, WordPiece } from '../../lib/index.ts';
import type { CachedArray } from '../../lib/node.ts';
import { cached, hashOf, readCorpus, readVocabulary, UserError } from '../../lib/node.ts';
import type { Options } from './options.ts';
import { packDocuments, textOf } from './prepare.ts';
import type { Text } from './prepare.ts';

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
  const given = known?.vocab ?? (vocab === undefined ? undefined : readVocabulary(vocab));
  const rules = known?.options ?? { lowerCase: !cased };

  const stored = await cached<Record<string, CachedArray>>(cache, hashOf({ format: 4, vocabSize, given, seq, seed, rules, identity }), () => {
    const { words, watched, train, heldOut } = packDocuments(documents, { vocabSize, seq, seed, rules, given });
    const words8 = new TextEncoder().encode(words.join('\n'));
    return { words: words8, watched, ...store('train', train), ...store('heldOut', heldOut) };
  });

  const load = (prefix: string): Examples => {
    const [tokens, lengths, splits] = ['tokens', 'lengths', 'splits'].map((name) => stored[`${prefix}.${name}`]);
    return { count: lengths.length, seq, tokens: tokens as Int32Array, lengths: lengths as Uint16Array, splits: splits as Uint16Array };
  };
  const words = new TextDecoder().decode(stored.words as Uint8Array).split('\n');
  const [train, heldOut] = [load('train'), load('heldOut')];
  if (train.count < batchSize) {
    throw new UserError(
      `the corpus makes ${train.count} examples of ${seq} tokens, fewer than one batch of ${batchSize}; give more text, or a smaller --batch`,
    );
  }
  return textOf({ words, train, heldOut, watched: stored.watched as Int32Array<ArrayBuffer> }, rules);
};
