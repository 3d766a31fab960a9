/**
 * Choosing what the generator must guess (paper §2), and replacing tokens, which it writes
 *
 *     x^masked = REPLACE(x, m, [MASK]),   x^corrupt = REPLACE(x, m, x̂),   x̂ᵢ ~ p_G(xᵢ | x^masked) for i in m,
 *
 * with m the chosen positions (here `at`): about 15 % of a sequence's tokens, never a special one or padding. Of the chosen,
 * 85 % are hidden behind [MASK] and the rest stay visible; all of them are guessed, and all are replaced for the
 * discriminator. Here positions are distinct; google's code draws them with replacement, which is an option.
 */
import { categorical, split, uniform } from '../key.ts';
import { add, differs, equal, full, less, maximum, mul, sub, where, zeros } from '../ops/arith.ts';
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

/** n positions of each row, drawn fairly among its candidates (1 where one is) [b, t] → i32 [b, n]. */
const drawPositions = (key: Tensor, candidates: Tensor, n: number, withReplacement: boolean): Tensor => {
  const { b, t } = dims(candidates, 'b t');
  if (withReplacement) return categorical(key, add(zeros([b, n, t]), reshape(mul(sub(candidates, 1), 1e9), [b, 1, t])));
  // Candidates draw a number from 1 to 2, the others have 0: the n largest are a fair choice.
  return topIndices(mul(candidates, add(uniform(key, [b, t]), 1)), n);
};

/** 1 for each of the first round(wanted) of n slots, at least one: wanted [b, 1] → [b, n]. Halves go to the even number. */
const firstSlots = (wanted: Tensor, n: number): Tensor => {
  const row = (f: (slot: number) => number) => tensor(Array.from({ length: n }, (_, j) => f(j)), [1, n]);
  const half = row((j) => (j === 0 ? -1 : j + 0.5));
  return maximum(less(half, wanted), mul(equal(half, wanted), row((j) => j % 2)));
};

/** Hides tokens of a batch. Every row with anything to choose gets at least one guess. */
export const maskTokens = (key: Tensor, batch: Batch, config: ElectraConfig): Masked => {
  const { maskProbability, hideProbability, maskWithReplacement, special } = config;
  const { b, t } = dims(batch.tokens, 'b t');
  const n = maskSlots(t, maskProbability);
  const { choose, hide } = split(key, 'choose', 'hide');

  const text = [special.cls, special.sep, special.mask, special.pad].map((id) => differs(batch.tokens, id));
  const candidates = text.reduce((all, one) => mul(all, one), batch.attend);
  const best = drawPositions(choose, candidates, n, maskWithReplacement);

  // 15 % of the row's length are wanted, as far as there are candidates.
  const wanted = mul(sum(batch.attend, { axis: 1, keepDims: true }), maskProbability);
  const weights = mul(firstSlots(wanted, n), valuesAt(candidates, best));

  const at = where(weights, best, full([], -1, 'i32'));
  const answers = where(weights, valuesAt(batch.tokens, at), full([], -1, 'i32'));
  const hidden = mul(weights, less(uniform(hide, [b, n]), hideProbability));
  const tokens = put(batch.tokens, where(hidden, at, full([], -1, 'i32')), full([b, n], special.mask, 'i32'));
  return { ...batch, tokens, at, answers, weights, hidden };
};

/** ⌊total / count⌋ below 2^17, as i32, by long division: a device's own division may round up. */
const quotient = (total: Tensor, count: Tensor): Tensor => {
  let rest = total;
  let result = zeros(total.shape, 'i32');
  for (let bit = 2 ** 16; bit >= 1; bit /= 2) {
    const fits = sub(1, less(rest, mul(count, bit)));
    rest = sub(rest, mul(fits, mul(count, bit)));
    result = where(fits, add(result, bit), result);
  }
  return result;
};

/** For each slot, the mean of the tokens of all slots at its position, rounded down: what google's scatter writes there. */
const meanOfDuplicates = (at: Tensor, chosen: Tensor): Tensor => {
  const { b, n } = dims(at, 'b n');
  const same = equal(reshape(at, [b, n, 1]), reshape(at, [b, 1, n]));
  return quotient(sum(mul(same, reshape(chosen, [b, 1, n])), { axis: 2 }), sum(same, { axis: 2 }));
};

/**
 * Writes tokens at the chosen positions: the guesses, for the discriminator, or the answers, which restore the text. Where
 * positions were drawn with replacement, different guesses for one become an arbitrary token, as published.
 */
export const replaceTokens = (tokens: Tensor, at: Tensor, chosen: Tensor, withReplacement = false): Tensor =>
  put(tokens, at, withReplacement ? meanOfDuplicates(at, chosen) : chosen);
