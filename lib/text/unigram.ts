/**
 * The unigram baseline: how well tokens are guessed by one who knows only how frequent each is. With c(w) the count of
 * token w among the N maskable tokens of the training examples, V maskable tokens in the vocabulary and one added to
 * every count (Laplace), it is the mean of
 *
 *     −ln p(w),   p(w) = (c(w) + 1) / (N + V),
 *
 * over the maskable tokens of the held-out examples, in nats. A masked language model that stays above it has not
 * learned to use context.
 */
import type { Examples } from './examples.ts';

const countTokens = (examples: Examples, special: ReadonlySet<number>, vocabSize: number): Float64Array => {
  const counts = new Float64Array(vocabSize);
  for (let row = 0; row < examples.count; row++) {
    const start = row * examples.seq;
    for (let i = start; i < start + examples.lengths[row]; i++) {
      const token = examples.tokens[i];
      if (token >= vocabSize) {
        throw new RangeError(`unigramEntropy: expected ids below ${vocabSize}, got ${token}: is it this vocabulary's?`);
      }
      if (!special.has(token)) counts[token]++;
    }
  }
  return counts;
};

/** Cross-entropy, in nats, of the training examples' token counts on the held-out examples. */
export const unigramEntropy = (
  train: Examples,
  heldOut: Examples,
  specialIds: Iterable<number>,
  vocabSize: number,
): number => {
  const special = new Set(specialIds);
  const seen = countTokens(train, special, vocabSize);
  const asked = countTokens(heldOut, special, vocabSize);
  const total = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0);
  if (total(asked) === 0) throw new Error('unigramEntropy: expected held-out tokens, got none: hold out more text');
  const normalizer = Math.log(total(seen) + vocabSize - special.size);
  let nats = 0;
  asked.forEach((count, token) => (nats += count * (normalizer - Math.log(seen[token] + 1))));
  return nats / total(asked);
};

/** ln p(w) of every token, as above; of the special ones, which are never guessed, a little less than the rarest token's. */
export const unigramLogits = (train: Examples, specialIds: Iterable<number>, vocabSize: number): Float32Array => {
  const special = new Set(specialIds);
  const counts = countTokens(train, special, vocabSize);
  const all = counts.reduce((sum, count) => sum + count, 0) + vocabSize - special.size;
  const rarest = Math.log(1 / all) - 3;
  return Float32Array.from(counts, (count, token) => (special.has(token) ? rarest : Math.log((count + 1) / all)));
};
