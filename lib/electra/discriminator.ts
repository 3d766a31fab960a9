/**
 * The discriminator D (paper §2): says of every token whether it was replaced, D(x, t) = sigmoid(wᵀ h_D(x)ₜ). Its encoder is
 * what one keeps after pre-training. A positive logit means replaced (the paper's D is the probability of *original*; code
 * and published models use the other sign, and put a dense layer with GELU before w).
 */
import { reshape } from '../ops/axes.ts';
import { gelu } from '../ops/gelu.ts';
import { linear } from '../nn/dense.ts';
import type { Tensor } from '../tensor.ts';
import type { ElectraConfig } from './config.ts';
import type { Look } from './generator.ts';
import { hiddenStates } from './generator.ts';
import type { Batch } from './mask.ts';
import type { Params } from './params.ts';

/** One logit a token: tokens [b, t], with the batch's segments and padding → [b, t]. */
export const discriminate = (key: Tensor, params: Params, tokens: Tensor, batch: Batch, config: ElectraConfig, look?: Look): Tensor => {
  const { head } = params.discriminator;
  const h = hiddenStates(key, params.embeddings, params.discriminator, config.discriminator, { ...batch, tokens }, config, look);
  const logits = linear(head.output, gelu(linear(head.dense, h)));
  return reshape(logits, tokens.shape);
};
