/**
 * Measuring a state: on examples, and on one held-out sentence in which the same words are hidden each time. All of it
 * follows from the parameters and the seed.
 */
import type { Batch, ElectraConfig, Evaluation, Examples, Observation, Params, WordPiece } from '../../lib/index.ts';
import { evaluator, key, observer, rowsAt, split } from '../../lib/index.ts';
import type { MetricsRecord } from '../../lib/node.ts';
import type { Word } from '../report/sample.ts';
import type { Text } from './prepare.ts';
import { toBatch } from './prepare.ts';

/** The first batches of some examples, in order. */
function* firstBatches(examples: Examples, size: number, most: number): Generator<Batch> {
  const rows = Math.min(size, examples.count);
  for (let i = 0; i < most && (i + 1) * rows <= examples.count; i++) {
    yield toBatch(rowsAt(examples, Array.from({ length: rows }, (_, k) => i * rows + k)));
  }
}

/** The watched sentence as a batch of its own. */
const sentenceBatch = ({ watched }: Text): Batch => toBatch({ b: 1, t: watched.length, tokens: watched, types: new Int32Array(watched.length), attend: new Float32Array(watched.length).fill(1) });

const rounded = (probability: number): number => Math.round(1e4 * probability) / 1e4;

/** What was observed, as words without [CLS] and [SEP]. */
const wordsOf = ({ tokens, corrupted, suspicion, slots }: Observation, { vocab, special }: WordPiece): Word[] =>
  tokens.flatMap((original, i) => {
    if (original === special.cls || original === special.sep) return [];
    const slot = slots.find(({ at }) => at === i);
    const guesses = slot?.guesses.map(({ token, probability }): [string, number] => [vocab[token], rounded(probability)]);
    return {
      text: vocab[corrupted[i]],
      ...(slot && { original: vocab[original], guesses }),
      hidden: slot?.hidden ?? false,
      replaced: corrupted[i] !== original,
      probability: rounded(suspicion[i]),
    };
  });

/** An evaluation as the numbers of a line of metrics. */
export const numbersOf = ({ rtdAuc, ...numbers }: Evaluation) => ({ ...numbers, rtdAuc: rtdAuc.value, rtdAucLow: rtdAuc.low, rtdAucHigh: rtdAuc.high }) satisfies Partial<MetricsRecord>;

export interface Measurer {
  /** Losses and metrics on the first batches of examples, at most so many. */
  evaluate(params: Params, examples: Examples, batches: number): Promise<Evaluation>;
  /** The watched sentence, as the networks see it. */
  observe(params: Params): Promise<Observation>;
  /** The same as words. */
  words(params: Params): Promise<Word[]>;
}

export const openMeasurer = (config: ElectraConfig, text: Text, seed: number): Measurer => {
  const measure = evaluator(config);
  const observe = observer(config);
  // One key for all evaluations: the same tokens are hidden each time. The sentence has another.
  const evaluationKey = key(seed);
  const { sentence: sentenceKey } = split(evaluationKey, 'sentence');
  const measurer: Measurer = {
    evaluate(params, examples, batches) {
      const size = Math.min(config.training.batchSize, text.heldOut.count);
      return measure(evaluationKey, params, firstBatches(examples, size, batches));
    },
    observe: (params) => observe(sentenceKey, params, sentenceBatch(text)),
    words: async (params) => wordsOf(await measurer.observe(params), text.tokenizer),
  };
  return measurer;
};
