/**
 * What a run measures: at each evaluation the training text, the held-out text and one held-out sentence, into
 * metrics.jsonl; at the end the comparison with the baselines, a look inside the model, and the report. All of it follows
 * from the state, the step and the seed.
 */
import type { ElectraConfig, Evaluation, State } from '../../lib/index.ts';
import { countParams, donating, tensor, warmupLinearDecay } from '../../lib/index.ts';
import type { Measured, Run } from '../../lib/node.ts';
import { appendMetrics } from '../../lib/node.ts';
import { writeReport } from '../report/folder.ts';
import { percent } from '../report/format.ts';
import type { Word } from '../report/sample.ts';
import { neighbourhoods, sharpestHeads } from './inside.ts';
import { numbersOf, openMeasurer } from './measure.ts';
import type { Text } from './prepare.ts';

/** Batches of held-out text in an evaluation on the way, and in the last one; of training text, always a few. */
const ON_THE_WAY = 12;
const AT_THE_END = 60;
const OF_TRAINING = 4;

export interface Journal {
  /** Measures the state after `step` steps; returns the watched sentence as words. */
  evaluate(step: number, state: State, tokensPerSecond?: number): Promise<{ words: Word[]; heldOut: Evaluation }>;
  /** The last evaluation beside what knows nothing of context, in lines to print. */
  summary(): string[];
  /** Looks inside the model and writes the report. */
  finish(state: State, seconds: number, done: number): Promise<void>;
}

export const openJournal = (run: Run, config: ElectraConfig, text: Text, about: { device: string; seed: number }): Journal => {
  const measurer = openMeasurer(config, text, about.seed);
  const { steps, batchSize, sequenceLength } = config.training;
  const rate = donating(warmupLinearDecay(config.training));
  let final: Evaluation | undefined;

  const record = (step: number, split: Measured['split'], evaluation: Evaluation, learningRate: number, tokensPerSecond: number, sample?: Word[]) => {
    appendMetrics(run.metrics, { step, split, ...numbersOf(evaluation), learningRate, tokensPerSecond, sample });
  };

  return {
    async evaluate(step, { params }, tokensPerSecond = NaN) {
      const learningRate = await rate(tensor([step], [], 'i32')).item();
      const train = await measurer.evaluate(params, text.train, OF_TRAINING);
      const heldOut = await measurer.evaluate(params, text.heldOut, step === steps ? AT_THE_END : ON_THE_WAY);
      record(step, 'train', train, learningRate, tokensPerSecond);
      const words = await measurer.words(params);
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
      const observation = await measurer.observe(params);
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
