/**
 * The training loop that is timed: full sequences made from the number of the step, which each runtime can make alike, and
 * the published optimiser.
 */
import type { ElectraConfig, Tensor } from '../lib/index.ts';
import { initState, ones, pretrainOptimiser, pretrainStep, tensor, zeros } from '../lib/index.ts';

/** Steps that are not timed: meanwhile the engine compiles the code that runs often, ours and that of the peers. */
export const WARM_UP = 30;

export interface TrainingLoop {
  /** The tokens of a step. */
  tokens(step: number): Int32Array;
  /** One step on these tokens; its loss. */
  advance(tokens: Int32Array): Tensor;
}

/** Makes a loop on the current device. */
export const openTraining = (config: ElectraConfig): TrainingLoop => {
  const { batchSize: b, sequenceLength: t } = config.training;
  const { cls, sep, mask } = config.special;
  const words = Math.min(1000, config.vocabSize - mask - 1);
  const optimiser = pretrainOptimiser({ learningRate: 5e-4, warmupSteps: 10, steps: 1000, weightDecay: 0.01, clipNorm: 1 });
  const step = pretrainStep(config, optimiser);
  let state = initState(config, optimiser, 0);
  return {
    tokens: (i) =>
      Int32Array.from({ length: b * t }, (_, k) => {
        if (k % t === 0) return cls;
        return k % t === t - 1 ? sep : mask + 1 + (((k + i * 31) * 7919) % words);
      }),
    advance(tokens) {
      const [next, { loss }] = step(state, { tokens: tensor(tokens, [b, t], 'i32'), types: zeros([b, t], 'i32'), attend: ones([b, t]) });
      state = next;
      return loss;
    },
  };
};
