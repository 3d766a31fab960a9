/**
 * One step of ELECTRA pre-training, as the paper's section 2 tells it. Everything that a step needs is in its arguments,
 * everything that it changes is in its result.
 */
import { grad, stopGradient } from '../grad.ts';
import { fold, key, rowKeys, split } from '../key.ts';
import { donating, scoped } from '../memory.ts';
import { add, differs, zeros } from '../ops/arith.ts';
import { sigmoidCrossEntropy, softmaxCrossEntropy } from '../ops/loss.ts';
import { packed } from '../optim/packed.ts';
import type { Moments, Transform } from '../optim/transform.ts';
import { applyUpdates } from '../optim/transform.ts';
import type { Tensor } from '../tensor.ts';
import type { ElectraConfig } from './config.ts';
import { discriminate } from './discriminator.ts';
import { generate, sampleTokens } from './generator.ts';
import type { Batch } from './mask.ts';
import { maskTokens, replaceTokens } from './mask.ts';
import { weighted } from './objective.ts';
import type { Params } from './params.ts';
import { initElectra } from './params.ts';

/** All that a run carries from one step to the next. */
export interface State {
  readonly params: Params;
  readonly moments: Moments;
  /** Steps done, an i32 scalar. */
  readonly step: Tensor;
  /** The run's key; each step folds its number into it, and each row of its batch the row's. */
  readonly key: Tensor;
}

/** The state before the first step; `unigram` as for `initElectra`. */
export const initState = (config: ElectraConfig, optimiser: Transform, seed: number, unigram?: Tensor): State =>
  scoped(() => {
    const { params: paramsKey, steps } = split(key(seed), 'params', 'steps');
    const params = packed(initElectra(paramsKey, config, unigram));
    return { params, moments: optimiser.init(params), step: zeros([], 'i32'), key: steps };
  });

const next = (step: Tensor): Tensor => add(step, 1);

/** One step of ELECTRA pre-training (Clark et al. 2020, §2). State and batch are donated. */
export const pretrainStep = (config: ElectraConfig, optimiser: Transform) =>
  donating((state: State, batch: Batch) => {
    const keys = rowKeys(fold(state.key, state.step), batch.tokens.shape[0]);
    const { hide, choose, dropG, dropD } = split(keys, 'hide', 'choose', 'dropG', 'dropD');

    // 1. Hide 15 % of the tokens: `at` says where, `answers` what was there.
    const masked = maskTokens(hide, batch, config);

    const { grads, ...metrics } = grad((params: Params) => {
      // 2. The generator, a small masked language model, guesses the hidden tokens.
      const guesses = generate(dropG, params, masked, config);
      const mlm = softmaxCrossEntropy(guesses, masked.answers, masked.weights, config.lossEpsilon);

      // 3. Sampled guesses replace the hidden tokens. No gradient crosses the choice: this is not a GAN.
      const forbidden = config.disallowCorrect ? masked.answers : undefined;
      const chosen = sampleTokens(choose, stopGradient(guesses), config.temperature, forbidden);
      const corrupted = replaceTokens(batch.tokens, masked.at, chosen, config.maskWithReplacement);

      // 4. The discriminator says, of every token, whether it was replaced. A lucky guess counts as original.
      const replaced = differs(corrupted, batch.tokens);
      const verdicts = discriminate(dropD, params, corrupted, batch, config);
      const rtd = sigmoidCrossEntropy(verdicts, replaced, batch.attend, config.lossEpsilon);

      return { loss: weighted([config.generatorWeight, mlm], [config.discriminatorWeight, rtd]), mlm, rtd };
    })(state.params);

    // 5. Every parameter moves a little downhill.
    const [updates, moments] = optimiser.update(grads, state.moments, state.params);
    return [{ ...state, params: applyUpdates(state.params, updates), moments, step: next(state.step) }, metrics] as const;
  });
