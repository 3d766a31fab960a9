/** An ELECTRA so small that a test may train it: its sizes, its optimiser, and batches of made-up text. */
import type { ElectraConfig } from '../../lib/electra/config.ts';
import { configs } from '../../lib/electra/config.ts';
import type { Batch } from '../../lib/electra/mask.ts';
import { scaleByAdam } from '../../lib/optim/adam.ts';
import { clipByGlobalNorm } from '../../lib/optim/clip.ts';
import { addDecayedWeights } from '../../lib/optim/decay.ts';
import { constant, scaleBySchedule } from '../../lib/optim/schedule.ts';
import { chain } from '../../lib/optim/transform.ts';
import { tensor } from '../../lib/tensor.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { leaves, paths } from '../../lib/tree.ts';

export const small: ElectraConfig = {
  ...configs.tiny,
  vocabSize: 23,
  embeddingSize: 8,
  maxPositions: 16,
  discriminator: { hiddenSize: 12, layers: 2, heads: 2, feedForwardSize: 16 },
  generator: { hiddenSize: 8, layers: 1, heads: 2, feedForwardSize: 12 },
  training: { ...configs.tiny.training, sequenceLength: 14, batchSize: 3 },
};

/** `small` under the three ways of tying; equal sizes where all is tied. */
export const tyings: Record<ElectraConfig['tying'], ElectraConfig> = {
  embeddings: small,
  none: { ...small, tying: 'none', generator: { ...small.generator, hiddenSize: 6 } },
  all: { ...small, tying: 'all', generator: small.discriminator },
};

/** The published optimiser at a constant rate, so that already the first update moves something. */
export const optimiser = (learningRate = 1e-2) =>
  chain(clipByGlobalNorm(1), scaleByAdam(), addDecayedWeights(0.01), scaleBySchedule(constant(learningRate)));

/** Rows of these lengths: [CLS], words that follow from `seed`, [SEP], padding; the second half is segment 1. */
export const batchOf = (
  lengths: readonly number[],
  { sequenceLength: t }: { sequenceLength: number } = small.training,
  seed = 0,
): Batch => {
  const place = <T>(f: (row: number, i: number, length: number) => T) =>
    lengths.flatMap((length, row) => Array.from({ length: t }, (_, i) => f(row, i, length)));
  const word = (row: number, i: number) => 5 + ((seed * 7 + row * 5 + i * (row + 3)) % (small.vocabSize - 5));
  const shape = [lengths.length, t];
  return {
    tokens: tensor(
      place((row, i, length) => (i >= length ? 0 : i === 0 ? 2 : i === length - 1 ? 3 : word(row, i))),
      shape,
      'i32',
    ),
    types: tensor(
      place((_, i, length) => (i < length && 2 * i >= length ? 1 : 0)),
      shape,
      'i32',
    ),
    attend: tensor(
      place((_, i, length) => (i < length ? 1 : 0)),
      shape,
    ),
  };
};

/** All values of a tree by path. */
export const valuesOf = async (tree: unknown): Promise<Record<string, number[]>> => {
  const names = paths(tree);
  const read = await Promise.all(leaves(tree).map((x: Tensor) => x.data()));
  return Object.fromEntries(names.map((name, i) => [name, [...read[i]]]));
};
