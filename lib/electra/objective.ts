/**
 * The combined objective (paper §2): min Σ_x L_MLM(x, θ_G) + λ · L_Disc(x, θ_D), with
 *
 *     L_MLM  = mean over the chosen positions i of −ln p_G(xᵢ | x^masked)
 *     L_Disc = mean over all tokens t of −ln P(xₜ^corrupt is what it is: original, if equal to xₜ, or replaced)
 *
 * The paper writes sums over positions; its code, and this, takes means, of tokens that are not padding: λ = 50 belongs to them.
 */
import { rowKeys, split } from '../key.ts';
import { stopGradient } from '../grad.ts';
import { add, differs, mul } from '../ops/arith.ts';
import { sigmoidCrossEntropy, softmaxCrossEntropy } from '../ops/loss.ts';
import type { Tensor } from '../tensor.ts';
import type { ElectraConfig } from './config.ts';
import { discriminate } from './discriminator.ts';
import type { Look } from './generator.ts';
import { generate, sampleTokens } from './generator.ts';
import type { Batch, Masked } from './mask.ts';
import { maskTokens, replaceTokens } from './mask.ts';
import type { Params } from './params.ts';

/** The sum of losses times their weights. */
export const weighted = (...terms: readonly (readonly [number, Tensor])[]): Tensor =>
  terms.map(([weight, loss]) => mul(loss, weight)).reduce((a, b) => add(a, b));

/**
 * The whole objective of one batch without a gradient, and everything on the way to it: what a step computes, to look at
 * or to measure. `key` is one key, from which every row gets its own, or a list of them [b, 4]; `hidden` is the batch with
 * its tokens hidden, where somebody has done it with the same key; `look` is shown what happens inside the discriminator.
 * Use a configuration without dropout to evaluate.
 */
export const pretrainLoss = (key: Tensor, params: Params, batch: Batch, config: ElectraConfig, hidden?: Masked, look?: Look) => {
  const { hide, choose, dropG, dropD } = split(rowKeys(key, batch.tokens.shape[0]), 'hide', 'choose', 'dropG', 'dropD');
  const masked = hidden ?? maskTokens(hide, batch, config);
  const guesses = generate(dropG, params, masked, config);
  const mlm = softmaxCrossEntropy(guesses, masked.answers, masked.weights, config.lossEpsilon);
  const chosen = sampleTokens(choose, stopGradient(guesses), config.temperature, config.disallowCorrect ? masked.answers : undefined);
  const corrupted = replaceTokens(batch.tokens, masked.at, chosen, config.maskWithReplacement);
  const replaced = differs(corrupted, batch.tokens);
  const verdicts = discriminate(dropD, params, corrupted, batch, config, look);
  const rtd = sigmoidCrossEntropy(verdicts, replaced, batch.attend, config.lossEpsilon);
  const loss = weighted([config.generatorWeight, mlm], [config.discriminatorWeight, rtd]);
  return { loss, mlm, rtd, masked, guesses, chosen, corrupted, replaced, verdicts };
};
