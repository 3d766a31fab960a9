/**
 * One sequence watched over a run: what was hidden in it, what the generator holds likely there and what it sampled, what
 * the discriminator makes of every token, and where its heads look. The same key hides the same tokens and draws the same
 * noise, so that from one observation to the next nothing but the model changes.
 */
import { donating } from '../memory.ts';
import { stack } from '../ops/move.ts';
import { sigmoid } from '../ops/arith.ts';
import { softmax } from '../ops/softmax.ts';
import type { Tensor } from '../tensor.ts';
import type { ElectraConfig } from './config.ts';
import { withoutDropout } from './config.ts';
import type { Batch } from './mask.ts';
import { pretrainLoss } from './objective.ts';
import type { Params } from './params.ts';

/** A position that the generator had to guess. */
export interface Slot {
  readonly at: number;
  /** Whether it saw [MASK] there; else the token was left visible. */
  readonly hidden: boolean;
  /** The likeliest tokens with their p_G, best first. */
  readonly guesses: readonly { readonly token: number; readonly probability: number }[];
}

export interface Observation {
  /** Ids before the generator's samples were put in, and after. */
  readonly tokens: readonly number[];
  readonly corrupted: readonly number[];
  /** That a token was replaced, according to the discriminator: the sigmoid of its logit. */
  readonly suspicion: readonly number[];
  readonly slots: readonly Slot[];
  /** The discriminator's attention, [layer][head][query][key]; each row of keys sums to 1. */
  readonly attention: readonly (readonly number[][][])[];
}

/** A flat array in `count` equal rows. */
const rows = (flat: readonly number[], count: number): number[][] =>
  Array.from({ length: count }, (_, i) => flat.slice((i * flat.length) / count, ((i + 1) * flat.length) / count));

const likeliest = (distribution: readonly number[], count: number) =>
  distribution
    .map((probability, token) => ({ token, probability }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, count);

/**
 * A function that observes parameters on one sequence, without dropout: `observe(key, params, batch)` with a batch of one
 * row and no padding, which is donated. Of each slot it tells the `guesses` likeliest tokens.
 */
export const observer = (training: ElectraConfig, guesses = 3) => {
  const config = withoutDropout(training);
  const { layers, heads } = config.discriminator;
  let params: Params;
  let key: Tensor;
  const run = donating((batch: Batch) => {
    const looks: Tensor[] = [];
    const look = (name: string, x: Tensor) => name.startsWith('attention') && looks.push(x);
    const made = pretrainLoss(key, params, batch, config, undefined, look);
    const { at, hidden } = made.masked;
    return { at, hidden, p: softmax(made.guesses), corrupted: made.corrupted, suspicion: sigmoid(made.verdicts), attention: stack(looks) };
  });

  return async (observationKey: Tensor, observed: Params, batch: Batch): Promise<Observation> => {
    [key, params] = [observationKey, observed];
    const t = batch.tokens.shape[1];
    const asked = batch.tokens.data();
    const seen = run(batch);
    const names = Object.keys(seen) as (keyof typeof seen)[];
    const values = await Promise.all(names.map(async (name) => [name, Array.from(await seen[name].data())] as const));
    const { at, hidden, p, corrupted, suspicion, attention } = Object.fromEntries(values) as Record<keyof typeof seen, number[]>;
    const distributions = rows(p, at.length);
    return {
      tokens: Array.from(await asked),
      corrupted,
      suspicion,
      slots: at.flatMap((place, j) => (place < 0 ? [] : { at: place, hidden: hidden[j] === 1, guesses: likeliest(distributions[j], guesses) })),
      attention: rows(attention, layers).map((layer) => rows(layer, heads).map((head) => rows(head, t))),
    };
  };
};
