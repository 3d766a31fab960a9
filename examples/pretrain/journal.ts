/**
 * What a run measures: at each evaluation the training text, the held-out text and one held-out sentence, into
 * metrics.jsonl; at the end the comparison with the baselines, a look inside the model, and the report. All of it follows
 * from the state, the step and the seed.
 */
import type { Batch, ElectraConfig, Evaluation, Observation, State } from '../../lib/index.ts';
import { countParams, donating, evaluator, key, observer, rowsAt, split, tensor, warmupLinearDecay } from '../../lib/index.ts';
import type { Examples, WordPiece } from '../../lib/index.ts';
import type { Measured, Run } from '../../lib/node.ts';
import { appendMetrics } from '../../lib/node.ts';
import { writeReport } from '../report/folder.ts';
import { percent } from '../report/format.ts';
import type { Word } from '../report/sample.ts';
import { neighbourhoods, sharpestHeads } from './inside.ts';
import type { Text } from './text.ts';
import { toBatch } from './text.ts';

/** Batches of held-out text in an evaluation on the way, and in the last one; of training text, always a few. */
const ON_THE_WAY = 12;
const AT_THE_END = 60;
const OF_TRAINING = 4;

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

export interface Journal {
  /** Measures the state after `step` steps; returns the watched sentence as words. */
  evaluate(step: number, state: State, tokensPerSecond?: number): Promise<{ words: Word[]; heldOut: Evaluation }>;
  /** The last evaluation beside what knows nothing of context, in lines to print. */
  summary(): string[];
  /** Looks inside the model and writes the report. */
  finish(state: State, seconds: number, done: number): Promise<void>;
}

export const openJournal = (run: Run, config: ElectraConfig, text: Text, about: { device: string; seed: number }): Journal => {
  const measure = evaluator(config);
  const observe = observer(config);
  // One key for all evaluations: the same tokens are hidden each time. The sentence has another.
  const evaluationKey = key(about.seed);
  const { sentence: sentenceKey } = split(evaluationKey, 'sentence');
  const { steps, batchSize, sequenceLength } = config.training;
  const rate = donating(warmupLinearDecay(config.training));
  let final: Evaluation | undefined;

  const record = (step: number, split: Measured['split'], evaluation: Evaluation, learningRate: number, tokensPerSecond: number, sample?: Word[]) => {
    const { rtdAuc, ...numbers } = evaluation;
    const auc = { rtdAuc: rtdAuc.value, rtdAucLow: rtdAuc.low, rtdAucHigh: rtdAuc.high };
    appendMetrics(run.metrics, { step, split, ...numbers, ...auc, learningRate, tokensPerSecond, sample });
  };

  return {
    async evaluate(step, { params }, tokensPerSecond = NaN) {
      const size = Math.min(batchSize, text.heldOut.count);
      const learningRate = await rate(tensor([step], [], 'i32')).item();
      const train = await measure(evaluationKey, params, firstBatches(text.train, size, OF_TRAINING));
      const heldOut = await measure(evaluationKey, params, firstBatches(text.heldOut, size, step === steps ? AT_THE_END : ON_THE_WAY));
      record(step, 'train', train, learningRate, tokensPerSecond);
      const words = wordsOf(await observe(sentenceKey, params, sentenceBatch(text)), text.tokenizer);
      record(step, 'heldout', heldOut, learningRate, tokensPerSecond, words);
      final = heldOut;
      return { words, heldOut };
    },
    summary() {
      const { mlmMaskedLoss, rtdAuc, rtdAccuracy, sampledAccuracy, replacedRate, rtdPrecision, rtdRecall } = final!;
      return [
        `masked MLM loss      ${mlmMaskedLoss.toFixed(3)} nats   (by frequency alone ${text.unigramLoss.toFixed(3)})`,
        `samples right        ${percent(sampledAccuracy)}`,
        `replaced-token AUC   ${rtdAuc.value.toFixed(3)}   (95 %: ${rtdAuc.low.toFixed(3)} to ${rtdAuc.high.toFixed(3)}; a coin 0.5)`,
        `  accuracy           ${percent(rtdAccuracy)}   (always 'original' ${percent(1 - replacedRate)})`,
        `  precision          ${percent(rtdPrecision)}, recall ${percent(rtdRecall)}`,
      ];
    },
    async finish({ params }, seconds, done) {
      const { tokenizer, unigram, unigramLoss } = text;
      const observation = await observe(sentenceKey, params, sentenceBatch(text));
      writeReport(run, {
        config,
        baselines: { unigramLoss },
        evaluation: final!,
        device: about.device,
        timing: { seconds, steps: done, tokens: done * batchSize * sequenceLength, parameters: countParams(config) },
        attention: sharpestHeads(observation, tokenizer),
        neighbourhoods: await neighbourhoods(params.embeddings.word, tokenizer, unigram),
      });
    },
  };
};
