/**
 * Learning rates as functions of the step, a tensor, so that a step never depends on a number that changes. ELECTRA's is
 * lr(t) = lr₀ · (1 − min(t, T)/T) · min(1, t/W): a linear decay over all T steps, multiplied by a linear warm-up over the
 * first W. The step counts from 0, so the first update has rate 0 (google-research/electra, model/optimization.py).
 */
import { add, full, minimum, mul, sub, zeros } from '../ops/arith.ts';
import type { Tensor } from '../tensor.ts';
import { mapPacked } from './packed.ts';
import type { Schedule, Transform } from './transform.ts';

export interface WarmupDecay {
  readonly learningRate: number;
  /** Steps until the warm-up ends; 0 for none. */
  readonly warmupSteps: number;
  /** Steps until the rate reaches 0. */
  readonly steps: number;
}

/** Warm-up times linear decay. */
export const warmupLinearDecay =
  ({ learningRate, warmupSteps, steps }: WarmupDecay): Schedule =>
  (step) => {
    const decay = sub(1, mul(minimum(step, steps), 1 / steps));
    return mul(warmupSteps > 0 ? mul(decay, minimum(mul(step, 1 / warmupSteps), 1)) : decay, learningRate);
  };

/** The same rate at every step. */
export const constant =
  (learningRate: number): Schedule =>
  (step) =>
    full(step.shape, learningRate);

/** Multiplies updates by −lr(step), the step downhill, and counts the steps. */
export const scaleBySchedule = (schedule: Schedule): Transform => ({
  init: () => ({ step: zeros([], 'i32') }),
  update(gradients, state) {
    const { step } = state as { step: Tensor };
    const rate = mul(schedule(step), -1);
    return [mapPacked((g) => mul(g, rate), gradients), { step: add(step, 1) }];
  },
});
