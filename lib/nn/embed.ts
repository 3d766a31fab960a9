/**
 * The embedding block: e = dropout(LayerNorm(word[ids] + type[segment] + position)). It is the part that ELECTRA's
 * generator and discriminator share, layer norm included.
 */
import { split } from '../key.ts';
import { add } from '../ops/arith.ts';
import { gather } from '../ops/gather.ts';
import { slice } from '../ops/move.ts';
import { dims } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { Norm } from './dense.ts';
import { drop, norm } from './dense.ts';
import type { Initializer } from './init.ts';
import { initNorm } from './init.ts';

export interface Embeddings {
  /** [v, e] */
  readonly word: Tensor;
  /** [longest sequence, e] */
  readonly position: Tensor;
  /** [segment types, e] */
  readonly type: Tensor;
  readonly norm: Norm;
}

export const initEmbeddings = (key: Tensor, sizes: { words: number; positions: number; types: number; width: number }, init: Initializer): Embeddings => {
  const { word, position, type } = split(key, 'word', 'position', 'type');
  return {
    word: init(word, [sizes.words, sizes.width]),
    position: init(position, [sizes.positions, sizes.width]),
    type: init(type, [sizes.types, sizes.width]),
    norm: initNorm(sizes.width),
  };
};

/**
 * Tokens and segment types [b, t] → [b, t, e].
 *
 * Throws when the sequence is longer than the position table.
 */
export const embed = (key: Tensor, { word, position, type, norm: scale }: Embeddings, tokens: Tensor, types: Tensor, rate: number, epsilon: number): Tensor => {
  const { t } = dims(tokens, 'b t');
  const { p, e } = dims(position, 'p e');
  if (t > p) throw new Error(`embed: the sequence has ${t} tokens, but there are only ${p} positions; shorten it, or set maxPositions`);
  const sum = add(add(gather(word, tokens), gather(type, types)), slice(position, [0, 0], [t, e]));
  return drop(key, 'embeddings', norm(scale, sum, epsilon), rate);
};
