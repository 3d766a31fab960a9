/**
 * The generator G (paper §2): a small masked language model. At each chosen position t it gives a distribution over the
 * vocabulary, from the hidden state h_G(x)ₜ there and the embeddings e of all tokens,
 *
 *     p_G(xₜ | x) = exp(e(xₜ)ᵀ h_G(x)ₜ) / Σ_x′ exp(e(x′)ᵀ h_G(x)ₜ),
 *
 * so its output matrix is the word table. (The code, as published, puts a dense layer, GELU and layer norm before it and a
 * bias behind it.) Its samples are what the discriminator must find.
 */
import { categorical } from '../key.ts';
import { gelu } from '../ops/gelu.ts';
import { add, div, mul, sub } from '../ops/arith.ts';
import { gatherPositions, oneHot } from '../ops/gather.ts';
import { matmul } from '../ops/matmul.ts';
import { linear, norm } from '../nn/dense.ts';
import { embed } from '../nn/embed.ts';
import type { Embeddings } from '../nn/embed.ts';
import { encode } from '../nn/encoder.ts';
import type { EncoderSize } from '../nn/encoder.ts';
import type { Tensor } from '../tensor.ts';
import type { ElectraConfig } from './config.ts';
import type { Batch, Masked } from './mask.ts';
import type { Network, Params } from './params.ts';

/** Is shown every intermediate value by name, as it is computed. */
export type Look = (name: string, x: Tensor) => void;

/** Embeddings, projection, encoder: what generator and discriminator have in common. Tokens [b, t] → hidden states [b, t, c], or [b, first, c]. */
export const hiddenStates = (
  key: Tensor,
  embeddings: Embeddings,
  { projection, encoder }: Network,
  { heads }: EncoderSize,
  { tokens, types, attend }: Batch,
  config: ElectraConfig,
  look?: Look,
  first?: number,
): Tensor => {
  const e = embed(key, embeddings, tokens, types, config.dropout, config.layerNormEpsilon);
  look?.('embeddings', e);
  const x = projection ? linear(projection, e) : e;
  return encode(key, encoder, x, attend, { ...config, heads, first, look });
};

/** The generator's logits at the chosen positions: [b, n, v]. */
export const generate = (key: Tensor, params: Params, masked: Batch & Pick<Masked, 'at'>, config: ElectraConfig, look?: Look): Tensor => {
  const { embeddings = params.embeddings, projection, encoder, head } = params.generator;
  const network = encoder ? { projection, encoder } : params.discriminator;
  const h = gatherPositions(hiddenStates(key, embeddings, network, config.generator, masked, config, look), masked.at);
  const y = norm(head.norm, gelu(linear(head.dense, h)), config.layerNormEpsilon);
  return add(matmul(y, embeddings.word, { transposeB: true }), head.bias);
};

/**
 * One token for each slot, sampled from softmax(logits / temperature): logits [b, n, v] → ids [b, n]. With `forbidden`
 * ids [b, n], those are never sampled (google's disallow_correct).
 */
export const sampleTokens = (key: Tensor, logits: Tensor, temperature: number, forbidden?: Tensor): Tensor => {
  const scaled = temperature === 1 ? logits : div(logits, temperature);
  return categorical(key, forbidden ? sub(scaled, mul(oneHot(forbidden, logits.shape.at(-1)!), 1000)) : scaled);
};
