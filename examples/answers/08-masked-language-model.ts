/** Exercise 8: one row with one position hidden behind [MASK], whose id is `mask`. */
import type { Batch, Masked } from '../../lib/index.ts';
import { ones, replaceTokens, slice, tensor } from '../../lib/index.ts';

export const maskOne = (batch: Batch, position: number, mask: number): Masked => {
  const at = tensor([position], [1, 1], 'i32');
  return {
    ...batch,
    tokens: replaceTokens(batch.tokens, at, tensor([mask], [1, 1], 'i32')),
    at,
    answers: slice(batch.tokens, [0, position], [1, 1]),
    weights: ones([1, 1]),
    hidden: ones([1, 1]),
  };
};
