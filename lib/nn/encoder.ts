/**
 * The transformer encoder of BERT, post-norm: each layer is attention, then a feed-forward network, each added to its own
 * input and normalised: a = LN(x + attention(x)), y = LN(a + W₂ · gelu(W₁ · a)).
 */
import { split } from '../key.ts';
import { scoped } from '../memory.ts';
import { add } from '../ops/arith.ts';
import { gelu } from '../ops/gelu.ts';
import { slice } from '../ops/move.ts';
import type { Tensor } from '../tensor.ts';
import type { Attention } from './attention.ts';
import { attention, initAttention } from './attention.ts';
import type { Dense, Norm } from './dense.ts';
import { drop, linear, norm } from './dense.ts';
import type { Initializer } from './init.ts';
import { initDense, initNorm } from './init.ts';

export interface Layer {
  readonly attention: Attention & { readonly norm: Norm };
  readonly feedForward: { readonly inner: Dense; readonly outer: Dense; readonly norm: Norm };
}

/** The sizes of an encoder. */
export interface EncoderSize {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly feedForwardSize: number;
}

export const initLayer = (key: Tensor, { hiddenSize, feedForwardSize }: EncoderSize, init: Initializer): Layer => {
  const keys = split(key, 'attention', 'inner', 'outer');
  return {
    attention: { ...initAttention(keys.attention, hiddenSize, init), norm: initNorm(hiddenSize) },
    feedForward: {
      inner: initDense(keys.inner, hiddenSize, feedForwardSize, init),
      outer: initDense(keys.outer, feedForwardSize, hiddenSize, init),
      norm: initNorm(hiddenSize),
    },
  };
};

export const initEncoder = (key: Tensor, size: EncoderSize, init: Initializer): Layer[] =>
  Array.from({ length: size.layers }, (_, i) => initLayer(split(key, `${i}`)[`${i}`], size, init));

export interface EncoderOptions {
  readonly heads: number;
  /** Dropout rate of the two residual branches, and of the attention probabilities. */
  readonly dropout: number;
  readonly attentionDropout: number;
  readonly layerNormEpsilon: number;
  /** How many tokens from the first on the last hidden state is wanted of; all, unless it is said. The last layer computes no others. */
  readonly first?: number;
  /** Is shown what happens inside: `hidden.0` … and `attention.0` …, as they are computed. */
  readonly look?: (name: string, x: Tensor) => void;
}

/** x [b, t, c], attend [b, t] → the last hidden state [b, t, c], or [b, first, c]. */
export const encode = (key: Tensor, layers: readonly Layer[], x: Tensor, attend: Tensor, options: EncoderOptions): Tensor => {
  const { heads, dropout: rate, attentionDropout, layerNormEpsilon: epsilon, first, look } = options;

  const layer = ({ attention: att, feedForward: ff }: Layer, x: Tensor, i: number): Tensor => {
    const showAttention = look && ((p: Tensor) => look(`attention.${i}`, p));
    const wanted = first === undefined || i < layers.length - 1 ? x : slice(x, [0, 0, 0], [x.shape[0], first, x.shape[2]]);
    const heard = attention(key, att, x, attend, { heads, rate: attentionDropout, name: `${i}.attention`, asking: wanted, look: showAttention });
    const a = norm(att.norm, add(wanted, drop(key, `${i}.attention`, heard, rate)), epsilon);
    const thought = linear(ff.outer, gelu(linear(ff.inner, a)));
    return norm(ff.norm, add(a, drop(key, `${i}.feedForward`, thought, rate)), epsilon);
  };

  look?.('hidden.0', x);
  return layers.reduce((x, params, i) => {
    // What only this layer needs is freed with it; under a gradient, the tape holds what backward needs.
    const y = look ? layer(params, x, i) : scoped(() => layer(params, x, i));
    look?.(`hidden.${i + 1}`, y);
    return y;
  }, x);
};
