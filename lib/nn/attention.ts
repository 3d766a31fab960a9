/**
 * Multi-head self-attention (Vaswani et al. 2017, §3.2): every token asks (query), every token answers to (key) and offers
 * (value); head by head, softmax(q·kᵀ / √d) says how much of each value a token takes. Padding is never attended to.
 */
import { attentionContext, attentionScores } from '../ops/heads.ts';
import { reshape } from '../ops/axes.ts';
import { maskedSoftmax } from '../ops/softmax.ts';
import { split } from '../key.ts';
import { dims } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { Dense } from './dense.ts';
import { drop, linear } from './dense.ts';
import type { Initializer } from './init.ts';
import { initDense } from './init.ts';

export interface Attention {
  readonly query: Dense;
  readonly key: Dense;
  readonly value: Dense;
  readonly output: Dense;
}

export const initAttention = (key: Tensor, width: number, init: Initializer): Attention => {
  const keys = split(key, 'query', 'key', 'value', 'output');
  return {
    query: initDense(keys.query, width, width, init),
    key: initDense(keys.key, width, width, init),
    value: initDense(keys.value, width, width, init),
    output: initDense(keys.output, width, width, init),
  };
};

/** [b, t, c] → [b, t, h, d]: each head gets its own d = c / h channels. */
const splitHeads = (x: Tensor, h: number): Tensor => {
  const { b, t, c } = dims(x, 'b t c');
  return reshape(x, [b, t, h, c / h]);
};

/** [b, t, h, d] → [b, t, c]. */
const joinHeads = (x: Tensor): Tensor => {
  const { b, t, h, d } = dims(x, 'b t h d');
  return reshape(x, [b, t, h * d]);
};

export interface AttentionOptions {
  readonly heads: number;
  /** Dropout rate of the probabilities. */
  readonly rate: number;
  /** Names the dropout; distinct for every layer. */
  readonly name: string;
  /** Those of the tokens that ask, [b, q, c]; all, unless it is said. */
  readonly asking?: Tensor;
  /** Is shown the probabilities [b, h, query, key]. */
  readonly look?: (probabilities: Tensor) => void;
}

/** x [b, t, c], attend [b, t] of ones (tokens) and zeros (padding) → what each asking token hears, [b, q, c]. */
export const attention = (key: Tensor, params: Attention, x: Tensor, attend: Tensor, { heads, rate, name, asking = x, look }: AttentionOptions): Tensor => {
  const q = splitHeads(linear(params.query, asking), heads);
  const k = splitHeads(linear(params.key, x), heads);
  const v = splitHeads(linear(params.value, x), heads);
  const { d } = dims(q, 'b t h d');
  const probabilities = maskedSoftmax(attentionScores(q, k), attend, 1 / Math.sqrt(d));
  look?.(probabilities);
  return linear(params.output, joinHeads(attentionContext(drop(key, `${name}.probabilities`, probabilities, rate), v)));
};
