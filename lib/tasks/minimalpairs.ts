/**
 * What a network knows of grammar, asked without training: of two sentences that differ as little as can be, one right and
 * one wrong, does it score the right one higher (BLiMP, Warstadt et al. 2020)? There are two scores of a sentence x₁ … xₙ:
 *
 *     generator        Σ ln p_G(xᵢ | x with xᵢ hidden)     pseudo-log-likelihood, Salazar et al. 2020, eq. 1: n readings of it
 *     discriminator    Σ ln (1 − D(x, i))                  how surely no word of it was replaced: one reading
 *
 * A longer sentence has more terms, so both favour the shorter one; pairs are of nearly equal length.
 */
import type { ElectraConfig } from '../electra/config.ts';
import { withoutDropout } from '../electra/config.ts';
import { discriminate } from '../electra/discriminator.ts';
import { generate } from '../electra/generator.ts';
import type { Batch } from '../electra/mask.ts';
import type { Params } from '../electra/params.ts';
import { key } from '../key.ts';
import { donating } from '../memory.ts';
import { crossEntropy } from '../ops/loss.ts';
import type { Tensor } from '../tensor.ts';
import { tensor } from '../tensor.ts';
import type { WordPiece } from '../text/wordpiece.ts';
import type { Encoded } from './encode.ts';
import { batchesOf, batchOf } from './encode.ts';
import { refuse, someRows } from './read/lines.ts';
import { records } from './read/records.ts';
import type { Placed } from './task.ts';

/** A right sentence and a wrong one. */
export interface MinimalPair extends Placed {
  readonly good: string;
  readonly bad: string;
  /** What is wrong: `anaphor_agreement`. */
  readonly phenomenon: string;
  /** Which of its kinds: `anaphor_gender_agreement`. */
  readonly paradigm: string;
}

/**
 * The pairs of a file in BLiMP's JSONL: `sentence_good`, `sentence_bad`, and, if they are there, `linguistics_term` and `UID`.
 *
 * Throws a UserError, with file and line, where a line is not such an object.
 */
export const minimalPairs = (text: string, source: string): MinimalPair[] => {
  const pairs = records(text, source, { format: 'jsonl' }).map(({ where, columns, value }): MinimalPair => {
    const [good, bad, paradigm = source] = ['sentence_good', 'sentence_bad', 'UID'].map(value);
    if (typeof good !== 'string' || typeof bad !== 'string')
      return refuse(where, `expected texts 'sentence_good' and 'sentence_bad', got ${columns.join(', ') || 'neither'}`);
    return { where, good, bad, phenomenon: String(value('linguistics_term') ?? paradigm), paradigm: String(paradigm) };
  });
  return someRows(pairs, source);
};

/** Scores sentences, in their order; a higher score is a better sentence. One without words has 0. */
export type Scorer = (sentences: readonly string[]) => Promise<number[]>;

/** A scorer by one of a model's networks, which reads `batchTokens` (1,024) tokens at a time, padding included, without dropout. */
export type Scoring = (params: Params, trained: ElectraConfig, tokenizer: WordPiece, options?: { readonly batchTokens?: number }) => Scorer;

const BATCH_TOKENS = 1024;

const encodedAll = (tokenizer: WordPiece, sentences: readonly string[]): Encoded[] => {
  const { cls, sep } = tokenizer.special;
  return sentences.map((sentence, row) => {
    const ids = [cls, ...tokenizer.ids(sentence), sep];
    return { row, ids, types: ids.map(() => 0) };
  });
};

/**
 * Scores by a generator's pseudo-log-likelihood: every word hidden in a copy of its sentence, those of sentences of similar
 * length together, without dropout.
 */
export const pseudoLikelihood: Scoring = (params, trained, tokenizer, { batchTokens = BATCH_TOKENS } = {}) => {
  const config = withoutDropout(trained);
  const surprise = donating((batch: Batch, at: Tensor, words: Tensor) => crossEntropy(generate(key(0), params, { ...batch, at }, config), words));
  const { mask } = tokenizer.special;
  return async (sentences) => {
    const scores = sentences.map(() => 0);
    const hidden = encodedAll(tokenizer, sentences).flatMap(({ ids, types, row }) =>
      ids.slice(1, -1).map((word, i) => ({ row, ids: ids.with(i + 1, mask), types, at: i + 1, word })),
    );
    for (const some of batchesOf(hidden, batchTokens)) {
      const column = (values: number[]) => tensor(values, [values.length, 1], 'i32');
      const [at, words] = [column(some.map(({ at }) => at)), column(some.map(({ word }) => word))];
      const losses = await surprise(batchOf(some, config), at, words).data();
      some.forEach(({ row }, i) => (scores[row] -= losses[i]));
    }
    return scores;
  };
};

/** ln (1 − sigmoid(x)). */
const logOriginal = (x: number): number => -(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))));

/** Scores by a discriminator's verdicts: how surely every word is original, without dropout. */
export const originality: Scoring = (params, trained, tokenizer, { batchTokens = BATCH_TOKENS } = {}) => {
  const config = withoutDropout(trained);
  const judge = donating((batch: Batch) => discriminate(key(0), params, batch.tokens, batch, config));
  return async (sentences) => {
    const scores = sentences.map(() => 0);
    for (const some of batchesOf(encodedAll(tokenizer, sentences), batchTokens)) {
      const verdicts = judge(batchOf(some, config));
      const t = verdicts.shape[1];
      const logits = await verdicts.data();
      some.forEach(({ row, ids }, i) => {
        for (let place = 1; place < ids.length - 1; place++) scores[row] += logOriginal(logits[i * t + place]);
      });
    }
    return scores;
  };
};
