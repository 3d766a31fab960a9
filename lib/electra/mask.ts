/**
 * Choosing what the generator must guess (paper §2): about 15 % of a sequence's tokens, never a special one or padding.
 * Of the chosen, 85 % are hidden behind [MASK] and the rest stay visible; all of them are guessed, and all are replaced
 * for the discriminator. Google's code draws positions with replacement; here they are distinct.
 */
import { split, uniform } from '../key.ts';
import { add, differs, full, less, mul, sub, where } from '../ops/arith.ts';
import { reshape } from '../ops/axes.ts';
import { put, topIndices } from '../ops/choose.ts';
import { gatherPositions } from '../ops/gather.ts';
import { sum } from '../ops/reduce.ts';
import { dims } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { tensor } from '../tensor.ts';
import type { ElectraConfig } from './config.ts';

/** Sequences of one length. */
export interface Batch {
  /** Ids, i32 [b, t]. */
  readonly tokens: Tensor;
  /** Segment of each token, 0 or 1, i32 [b, t]. */
  readonly types: Tensor;
  /** 1 for tokens, 0 for padding [b, t]. */
  readonly attend: Tensor;
}

/** A batch in which some tokens are hidden, with the answers: n slots a row, of which short rows use fewer. */
export interface Masked extends Batch {
  /** The chosen positions, i32 [b, n]; −1 in an unused slot. */
  readonly at: Tensor;
  /** The tokens that were there, i32 [b, n]; −1 in an unused slot. */
  readonly answers: Tensor;
  /** 1 for used slots, 0 for unused ones [b, n]. */
  readonly weights: Tensor;
  /** 1 where the token is hidden behind [MASK], 0 where it was left visible [b, n]. */
  readonly hidden: Tensor;
}

/** Slots a row: google's ⌊(p + 0.005) · t⌋, at least one (configure_pretraining.py). */
export const maskSlots = (t: number, probability: number): number => Math.max(1, Math.floor((probability + 0.005) * t));

/** The values of x [b, t] at positions [b, n]; 0 at −1. */
const valuesAt = (x: Tensor, at: Tensor): Tensor => reshape(gatherPositions(reshape(x, [...x.shape, 1]), at), at.shape);

/** Hides tokens of a batch. Every row with anything to choose gets at least one guess. */
export const maskTokens = (key: Tensor, batch: Batch, { maskProbability, hideProbability, special }: ElectraConfig): Masked => {
  const { b, t } = dims(batch.tokens, 'b t');
  const n = maskSlots(t, maskProbability);
  const { choose, hide } = split(key, 'choose', 'hide');

  // Candidates draw a number from 1 to 2, the others have 0: the n largest are a fair choice without replacement.
  const text = [special.cls, special.sep, special.mask, special.pad].map((id) => differs(batch.tokens, id));
  const candidates = text.reduce((all, one) => mul(all, one), batch.attend);
  const draws = mul(candidates, add(uniform(choose, [b, t]), 1));
  const best = topIndices(draws, n);

  // Slot j is used when j is below 15 % of the row's length, rounded (or j = 0), and a candidate was left for it.
  const wanted = mul(sum(batch.attend, { axis: 1, keepDims: true }), maskProbability);
  const enough = sub(1, less(wanted, tensor(Array.from({ length: n }, (_, j) => (j === 0 ? 0 : j + 0.5)), [1, n])));
  const weights = mul(enough, less(0, valuesAt(draws, best)));

  const at = where(weights, best, full([], -1, 'i32'));
  const answers = where(weights, valuesAt(batch.tokens, at), full([], -1, 'i32'));
  const hidden = mul(weights, less(uniform(hide, [b, n]), hideProbability));
  const tokens = put(batch.tokens, where(hidden, at, full([], -1, 'i32')), full([b, n], special.mask, 'i32'));
  return { ...batch, tokens, at, answers, weights, hidden };
};

/** Writes tokens at the chosen positions: the guesses, for the discriminator, or the answers, which restore the text. */
export const replaceTokens = (tokens: Tensor, at: Tensor, chosen: Tensor): Tensor => put(tokens, at, chosen);
