/**
 * What a run measures: at each evaluation the training text and the held-out text, into metrics.jsonl; at the end the
 * comparison with the baselines, and the report.
 */
import type { Batch, ElectraConfig, Evaluation, Sample, State } from '../../lib/index.ts';
import { countParams, evaluator, key, rowsAt, tensor, warmupLinearDecay } from '../../lib/index.ts';
import type { Examples, WordPiece } from '../../lib/index.ts';
import type { Measured, Run } from '../../lib/node.ts';
import { appendMetrics, readMetrics, writeFileAtomic } from '../../lib/node.ts';
import { renderReport } from '../report.ts';
import type { Word } from '../report.ts';
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

/** A sample as words to show: the original text with what was hidden, what was put there, and the verdict. */
const wordsOf = ({ tokens, corrupted, attend, verdicts, at, hidden }: Sample, { vocab, special }: WordPiece): Word[] =>
  tokens.flatMap((original, i) => {
    if (attend[i] === 0 || original === special.cls || original === special.sep) return [];
    const slot = at.indexOf(i);
    const replaced = corrupted[i] !== original;
    return {
      text: vocab[corrupted[i]],
      ...(slot >= 0 && { original: vocab[original] }),
      hidden: slot >= 0 && hidden[slot] === 1,
      replaced,
      probability: 1 / (1 + Math.exp(-verdicts[i])),
    };
  });

export interface Journal {
  /** Measures the state after `step` steps; returns the held-out sample as words. */
  evaluate(step: number, state: State, tokensPerSecond?: number): Promise<{ words: Word[]; heldOut: Evaluation }>;
  /** The last evaluation beside what knows nothing of context, in lines to print. */
  summary(): string[];
  /** Writes the report. */
  finish(seconds: number, done: number): void;
}

export const openJournal = (run: Run, config: ElectraConfig, text: Text, about: { device: string; seed: number }): Journal => {
  const measure = evaluator(config);
  const { steps, batchSize, sequenceLength } = config.training;
  const rate = warmupLinearDecay(config.training);
  const samples: { step: number; words: Word[] }[] = [];
  let final: Evaluation | undefined;

  const record = (step: number, split: Measured['split'], evaluation: Evaluation, learningRate: number, tokensPerSecond: number) => {
    const { rtdAuc, ...numbers } = evaluation;
    const auc = { rtdAuc: rtdAuc.value, rtdAucLow: rtdAuc.low, rtdAucHigh: rtdAuc.high };
    appendMetrics(run.metrics, { step, split, ...numbers, ...auc, learningRate, tokensPerSecond });
  };

  return {
    async evaluate(step, { params }, tokensPerSecond = NaN) {
      const evaluationKey = key(about.seed);
      const size = Math.min(batchSize, text.heldOut.count);
      const learningRate = await rate(tensor([step], [], 'i32')).item();
      const train = await measure(evaluationKey, params, firstBatches(text.train, size, OF_TRAINING));
      const heldOut = await measure(evaluationKey, params, firstBatches(text.heldOut, size, step === steps ? AT_THE_END : ON_THE_WAY));
      record(step, 'train', train, learningRate, tokensPerSecond);
      record(step, 'heldout', heldOut, learningRate, tokensPerSecond);
      const words = wordsOf(heldOut.sample, text.tokenizer);
      samples.push({ step, words });
      final = heldOut;
      return { words, heldOut };
    },
    summary() {
      const { mlmMaskedLoss, rtdAuc, rtdAccuracy, sampledAccuracy, replacedRate, rtdPrecision, rtdRecall } = final!;
      const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
      return [
        `masked MLM loss      ${mlmMaskedLoss.toFixed(3)} nats   (by frequency alone ${text.unigramLoss.toFixed(3)})`,
        `samples right        ${percent(sampledAccuracy)}`,
        `RTD AUC              ${rtdAuc.value.toFixed(3)}   (95 %: ${rtdAuc.low.toFixed(3)} to ${rtdAuc.high.toFixed(3)}; a coin 0.5)`,
        `RTD accuracy         ${percent(rtdAccuracy)}   (always 'original' ${percent(1 - replacedRate)})`,
        `RTD precision        ${percent(rtdPrecision)}, recall ${percent(rtdRecall)}`,
      ];
    },
    finish(seconds, done) {
      const page = renderReport({
        config,
        records: readMetrics(run.metrics),
        samples,
        baselines: { unigramLoss: text.unigramLoss },
        evaluation: final!,
        device: about.device,
        timing: { seconds, steps: done, tokens: done * batchSize * sequenceLength, parameters: countParams(config) },
      });
      writeFileAtomic(run.report, page);
    },
  };
};
