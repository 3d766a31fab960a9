/**
 * ELECTRA's optimisers, as published (google-research/electra, model/optimization.py). Both are one chain: clip by the
 * global norm, Adam without bias correction, decoupled decay of all but biases and layer norms, warm-up × linear decay.
 * Fine-tuning slows the layers down by their distance from the head, since what is near the input serves every task:
 *
 *     lr of layer i of n = lr · d^(n + 1 − i),  of the embeddings lr · d^(n + 2),  of the head lr
 *
 * (layers count from 0). So the top layer has d² rather than d: the code still counts a layer between it and the head that
 * ELECTRA does not have. The published results came about so; `topLayer: 'corrected'` takes that one d from all layers.
 */
import { scaleByAdam } from '../optim/adam.ts';
import { clipByGlobalNorm } from '../optim/clip.ts';
import { addDecayedWeights } from '../optim/decay.ts';
import { scaleByPath } from '../optim/scale.ts';
import type { WarmupDecay } from '../optim/schedule.ts';
import { scaleBySchedule, warmupLinearDecay } from '../optim/schedule.ts';
import type { Transform } from '../optim/transform.ts';
import { chain } from '../optim/transform.ts';

/** What the optimiser of pre-training needs; `config.training` has it all. */
export interface Optimisation extends WarmupDecay {
  readonly weightDecay: number;
  /** Largest global norm of the gradients. */
  readonly clipNorm: number;
}

/** How fine-tuning learns. */
export interface Finetuning {
  /** Of the head; the paper's Table 7 has 3e-4 for small, 1e-4 for base, 5e-5 for large. */
  readonly learningRate: number;
  /** All updates: examples × epochs / batch size. */
  readonly steps: number;
  /** The part of all steps until the warm-up ends; 0.1. (Not rounded to whole steps, as published.) */
  readonly warmup?: number;
  /** 0.01 in the code, 0 for GLUE in the paper (Table 7). */
  readonly weightDecay?: number;
  /** 1. Published losses are sums over a batch of b: for the same clipping of a mean, 1 / b. */
  readonly clipNorm?: number;
  /** d above: 0.8 for small and base, 0.9 for large; 1 gives all layers the same rate. */
  readonly layerDecay?: number;
  /** How many d the top layer has: two as published, or one. */
  readonly topLayer?: 'published' | 'corrected';
}

/** The optimiser of pre-training. */
export const pretrainOptimiser = (training: Optimisation): Transform =>
  chain(
    clipByGlobalNorm(training.clipNorm),
    scaleByAdam(),
    addDecayedWeights(training.weightDecay),
    scaleBySchedule(warmupLinearDecay(training)),
  );

/**
 * The part of the learning rate that a parameter of an encoder of `layers` layers has, by its path: the formula above.
 *
 * Throws when `layerDecay` is not above 0 and at most 1, and, when called, on a layer that the encoder does not have.
 */
export const layerRate = (layers: number, { layerDecay = 0.8, topLayer = 'published' }: Pick<Finetuning, 'layerDecay' | 'topLayer'> = {}) => {
  if (!(layerDecay > 0 && layerDecay <= 1)) throw new RangeError(`layerRate: layerDecay should be above 0 and at most 1; got ${layerDecay}`);
  const extra = topLayer === 'published' ? 1 : 0;
  return (path: string): number => {
    if (path.startsWith('task.')) return 1;
    const layer = /\.encoder\.(\d+)\./.exec(path)?.[1];
    if (Number(layer) >= layers) throw new RangeError(`layerRate: expected the layers of an encoder of ${layers}, got '${path}'`);
    return layerDecay ** (layers + extra - (layer === undefined ? -1 : Number(layer)));
  };
};

/**
 * The optimiser of fine-tuning a network `{ embeddings, discriminator, task }` whose encoder has `layers` layers.
 *
 * Throws when `steps` is no whole number from 1 on.
 */
export const finetuneOptimiser = (
  layers: number,
  { learningRate, steps, warmup = 0.1, weightDecay = 0.01, clipNorm = 1, ...rates }: Finetuning,
): Transform => {
  if (!(Number.isInteger(steps) && steps >= 1)) throw new RangeError(`finetuneOptimiser: steps should be a whole number from 1 on; got ${steps}`);
  return chain(
    pretrainOptimiser({ learningRate, steps, warmupSteps: warmup * steps, weightDecay, clipNorm }),
    scaleByPath(layerRate(layers, rates)),
  );
};
