/**
 * The published learning curve of ELECTRA-Small: OpenWebText, batches of 128 sequences of 128 tokens, measured without
 * dropout. Google's authors posted it as a plot in issue 3 of google-research/electra; the numbers were read off it, to
 * about one hundredth of each axis. None was published for other sizes.
 */
import type { ElectraConfig } from '../../lib/index.ts';
import { configs } from '../../lib/index.ts';
import type { Point } from './charts.ts';

export const publishedSmall: readonly Point[] = [
  [5_000, 23.6, 6.36, 0.344, 0.7],
  [10_000, 20.0, 5.92, 0.28, 0.79],
  [20_000, 16.9, 4.42, 0.25, 0.85],
  [40_000, 15.2, 3.77, 0.229, 0.867],
  [100_000, 13.9, 3.52, 0.208, 0.889],
  [200_000, 13.1, 3.43, 0.195, 0.903],
  [400_000, 12.4, 3.36, 0.181, 0.917],
  [600_000, 12.0, 3.32, 0.173, 0.923],
  [800_000, 11.5, 3.29, 0.165, 0.931],
  [1_000_000, 11.2, 3.25, 0.159, 0.935],
].map(([step, loss, mlmLoss, rtdLoss, rtdAuc]) => ({ step, split: 'heldout', loss, mlmLoss, rtdLoss, rtdAuc }));

/** The published curve to compare a configuration with, if there is one of its size. */
export const publishedCurve = ({ vocabSize, discriminator, generator, training }: ElectraConfig): readonly Point[] | undefined => {
  const sizes = (config: Pick<ElectraConfig, 'discriminator' | 'generator' | 'training'>) =>
    JSON.stringify([config.discriminator, config.generator, config.training.batchSize, config.training.sequenceLength]);
  const same = sizes({ discriminator, generator, training }) === sizes(configs.small);
  return same && vocabSize === configs.small.vocabSize ? publishedSmall : undefined;
};
