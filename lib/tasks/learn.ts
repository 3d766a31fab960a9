/**
 * What the kinds of task learn from: rows with their labels as examples, examples as batches, and the loss of a batch.
 *
 *     a class     cross-entropy of the classes of each text
 *     a value     squared error, of values moved to 0 … 1 by the smallest and largest of the training rows
 *     tags        cross-entropy of the tags at the first piece of each word
 */
import type { ElectraConfig } from '../electra/config.ts';
import { withoutDropout } from '../electra/config.ts';
import type { HeadStyle, Task, TaskHead, TaskParams } from '../electra/heads.ts';
import { classificationLoss, classify, encoded, encodedText, tag, taggingLoss } from '../electra/heads.ts';
import { key } from '../key.ts';
import { add, differs, mul, ones } from '../ops/arith.ts';
import type { Tensor } from '../tensor.ts';
import { tensor } from '../tensor.ts';
import type { WordPiece } from '../text/wordpiece.ts';
import type { Encoded, EncodedWords } from './encode.ts';
import { batchOf, encodeTexts, encodeWords } from './encode.ts';
import type { Learner, TaskBatch } from './finetune.ts';
import { refuse } from './read/lines.ts';
import type { Placed, Recipe, TaggedRow, TextRow } from './task.ts';

/** A text and the number of its class, or its value. */
export interface TextExample extends Encoded {
  readonly target: number;
}

/** Words and the numbers of their tags. */
export interface TagExample extends EncodedWords {
  readonly tags: readonly number[];
}

/** i32 or f32 [b] of texts, i32 [b, t] of tags. */
export interface LabelledBatch extends TaskBatch {
  readonly labels: Tensor;
}

/** The number of each label. Throws a UserError, with the place of the row, on one that is not there. */
const numbered = (labels: readonly string[]) => {
  const numbers = new Map(labels.map((label, i) => [label, i]));
  return (label: unknown, { where }: Placed): number => {
    const number = numbers.get(String(label));
    if (label === undefined || number === undefined) {
      return refuse(where, `expected a label to learn, one of ${labels.slice(0, 20).join(', ')}, got ${JSON.stringify(label)}`);
    }
    return number;
  };
};

/** Where values lie. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** The smallest and largest value of some rows. */
export const rangeOf = (rows: readonly TextRow[]): Range => {
  const values = rows.map(({ label, where }) => {
    if (typeof label !== 'number' || !Number.isFinite(label)) return refuse(where, `expected a number to learn, got ${JSON.stringify(label)}`);
    return label;
  });
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  return { low, high: high > low ? high : low + 1 };
};

/** Texts with the numbers of their classes, or with their values from 0 to 1. */
export const textExamples = (tokenizer: WordPiece, rows: readonly TextRow[], length: number, targets: readonly string[] | Range): TextExample[] => {
  const target = 'low' in targets ? ({ label }: TextRow) => (Number(label) - targets.low) / (targets.high - targets.low) : classOf(numbered(targets));
  return encodeTexts(tokenizer, rows, length).map((encoded) => ({ ...encoded, target: target(rows[encoded.row]) }));
};

const classOf = (number: ReturnType<typeof numbered>) => (row: TextRow) => number(row.label, row);

/** Words with the numbers of their tags. */
export const tagExamples = (tokenizer: WordPiece, rows: readonly TaggedRow[], length: number, labels: readonly string[]): TagExample[] => {
  const number = numbered(labels);
  return encodeWords(tokenizer, rows, length).map((encoded) => {
    const row = rows[encoded.row];
    return { ...encoded, tags: encoded.at.map((_, i) => number(row.tags?.[encoded.word + i], row)) };
  });
};

/** How classes, or values, are learned. */
export const textLearner = (config: ElectraConfig, { regression = false } = {}): Learner<TextExample, LabelledBatch> => ({
  batch: (examples) => {
    const targets = examples.map(({ target }) => target);
    return { ...batchOf(examples, config), count: examples.length, labels: tensor(targets, [targets.length], regression ? 'f32' : 'i32') };
  },
  loss: (key, params, batch) => classificationLoss(classify(key, params, batch, config), batch.labels),
  read: (params, batch) => [encodedText(key(0), params, batch, withoutDropout(config)), ones([batch.count])],
});

/** In place of a tag where a word does not begin. */
const UNTAGGED = -100;

/** How tags are learned. */
export const tagLearner = (config: ElectraConfig): Learner<TagExample, LabelledBatch> => ({
  batch: (examples) => {
    const batch = batchOf(examples, config);
    const [b, t] = batch.tokens.shape;
    const labels = new Int32Array(b * t).fill(UNTAGGED);
    examples.forEach(({ at, tags }, row) => at.forEach((place, i) => (labels[row * t + place] = tags[i])));
    return { ...batch, count: examples.reduce((sum, { tags }) => sum + tags.length, 0), labels: tensor(labels, [b, t], 'i32') };
  },
  loss: (key, params, batch) => taggingLoss(tag(key, params, batch, config), batch.labels),
  read: (params, batch) => [encoded(key(0), params, batch, withoutDropout(config)), differs(batch.labels, UNTAGGED)],
});

/** A network that learned values from 0 to 1 as one that says them as they were: its last layer is stretched and moved. */
export const inRange = ({ task, ...encoder }: TaskParams, { low, high }: Range): TaskParams => {
  const { kernel, bias } = task.output;
  return { ...encoder, task: { ...task, output: { kernel: mul(kernel, high - low), bias: add(mul(bias, high - low), low) } } satisfies TaskHead };
};

/** A configuration with the dropout of fine-tuning; Google's head for tags has none. */
export const withDropout = (config: ElectraConfig, task: Task, style: HeadStyle, rate = 0.1): ElectraConfig => ({
  ...config,
  dropout: rate,
  attentionDropout: rate,
  classifierDropout: task === 'tagging' && style === 'google' ? 0 : rate,
});

/**
 * A recipe with what it leaves out: as published for the model's size (the paper's Table 7; google-research/electra,
 * configure_finetuning.py), but no longer than the model has positions. Models narrower than the published ones get 5e-4
 * for all layers (tags 2e-3), no dropout, as they were pre-trained, the means of all layers and standardised hidden states
 * (docs/decisions.md).
 */
export const completed = (
  { epochs = 3, batchSize = 32, sequenceLength = 128, weightDecay = 0.01, stride = 128, ...recipe }: Recipe,
  { discriminator: { hiddenSize: c }, maxPositions }: ElectraConfig,
  task: Task,
): Required<Recipe> => {
  const narrower = c < 256;
  const rate = narrower ? (task === 'tagging' ? 2e-3 : 5e-4) : c < 768 ? 3e-4 : c < 1024 ? 1e-4 : 5e-5;
  return {
    epochs,
    batchSize,
    sequenceLength: Math.min(sequenceLength, maxPositions),
    learningRate: recipe.learningRate ?? rate,
    layerDecay: recipe.layerDecay ?? (narrower ? 1 : c < 1024 ? 0.8 : 0.9),
    dropout: recipe.dropout ?? (narrower ? 0 : 0.1),
    standardise: recipe.standardise ?? narrower,
    pooling: recipe.pooling ?? (narrower ? 'layers' : 'cls'),
    weightDecay,
    stride,
  };
};
