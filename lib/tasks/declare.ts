/**
 * How tasks are declared. One's own task over a table, with a text in the column `message` and a class in `kind`:
 *
 *     export const mail = table({ name: 'mail', about: 'What a customer writes about.', text: 'message', label: 'kind' });
 *
 * `tags` does the same for words with tags, `questions` for questions and answers. What is not said has a default: metrics
 * by the kind of task, the published recipe, labels from the training rows.
 */
import { areaUnderCurve } from '../electra/metrics.ts';
import { exactMatch, tokenF1 } from '../metrics/answers.ts';
import { accuracy, binaryF1, macroF1, matthews } from '../metrics/classification.ts';
import type { Label } from '../metrics/classification.ts';
import { pearson, spearman } from '../metrics/correlation.ts';
import { entityF1 } from '../metrics/entities.ts';
import { questionRows } from './read/questions.ts';
import type { TagColumns } from './read/tagged.ts';
import { taggedRows } from './read/tagged.ts';
import type { TextColumns } from './read/texts.ts';
import { textRows } from './read/texts.ts';
import type { Metric, QuestionRow, Row, TaggedRow, TaskDeclaration, TextRow } from './task.ts';

const mean = (scores: readonly number[]): number => scores.reduce((a, b) => a + b, 0) / scores.length;

/** What a task of this kind may be measured by; all are from 0, or −1 where they correlate, to 1. */
export const metrics = {
  accuracy: { name: 'accuracy', of: accuracy },
  macroF1: { name: 'macro F1', of: (predicted, gold) => macroF1(predicted, gold) },
  /** The F1 of one class. */
  f1: (positive: Label): Metric<TextRow> => ({
    name: 'F1',
    of: (predicted, gold) => binaryF1(predicted, gold, positive).f1,
  }),
  matthews: { name: 'Matthews', of: matthews },
  /** The area under the ROC curve, from the probabilities of one of two classes, of whichever: how often, of a row of each, the right one has the higher. */
  auc: (positive: string): Metric<TextRow> => ({
    name: 'AUC',
    probabilityOf: positive,
    of: (probabilities, gold) => {
      const other = probabilities.find((one) => typeof one !== 'number');
      if (other !== undefined)
        throw new Error(`AUC: expected probabilities of '${positive}', got the class '${other}'`);
      return areaUnderCurve(
        probabilities.map(Number),
        gold.map((label) => Number(label === positive)),
      ).value;
    },
  }),
  pearson: { name: 'Pearson', of: (predicted, gold) => pearson(predicted.map(Number), gold.map(Number)) },
  spearman: { name: 'Spearman', of: (predicted, gold) => spearman(predicted.map(Number), gold.map(Number)) },
} satisfies Record<string, Metric<TextRow> | ((label: string) => Metric<TextRow>)>;

/** As `metrics`, of tagged words: the part of the words whose tag is right, and the F1 of spans by kind and both ends. */
export const tagMetrics = {
  accuracy: { name: 'accuracy', of: (predicted, gold) => accuracy(predicted.flat(), gold.flat()) },
  spanF1: { name: 'span F1', of: (predicted, gold) => entityF1(predicted, gold).f1 },
} satisfies Record<string, Metric<TaggedRow>>;

/** As `metrics`, of answers. */
export const answerMetrics = {
  f1: { name: 'F1', of: (predicted, gold) => mean(gold.map((answers, i) => tokenF1(predicted[i], answers))) },
  exactMatch: {
    name: 'exact match',
    of: (predicted, gold) => mean(gold.map((answers, i) => exactMatch(predicted[i], answers))),
  },
} satisfies Record<string, Metric<QuestionRow>>;

/** What may be said of any task, and need not be. */
type Said<R extends Row> = Partial<Omit<TaskDeclaration<R>, 'task' | 'read'>>;

/** A task of texts or pairs in CSV, TSV or JSONL. A class is measured by accuracy and macro F1, a value by Spearman and Pearson. */
export const table = (said: Said<TextRow> & TextColumns): TaskDeclaration<TextRow> => ({
  name: 'table',
  about: 'Rows of a table.',
  task: 'classification',
  read: textRows(said),
  metrics: said.regression ? [metrics.spearman, metrics.pearson] : [metrics.accuracy, metrics.macroF1],
  recipe: {},
  ...said,
});

/** A task of tagged words in the manner of CoNLL. `spans` says that tags are B-kind, I-kind and O, measured by span F1. */
export const tags = (said: Said<TaggedRow> & TagColumns): TaskDeclaration<TaggedRow> => ({
  name: 'tags',
  about: 'Words and tags.',
  task: 'tagging',
  read: taggedRows(said),
  metrics: said.spans ? [tagMetrics.spanF1, tagMetrics.accuracy] : [tagMetrics.accuracy],
  recipe: {},
  ...said,
});

/** A task of questions in SQuAD's JSON; `unanswerable` ones come in SQuAD 2.0. */
export const questions = (
  said: Said<QuestionRow> & { readonly unanswerable?: boolean },
): TaskDeclaration<QuestionRow> => ({
  name: 'questions',
  about: 'Questions and answers in a text.',
  task: 'answering',
  read: questionRows(said),
  metrics: [answerMetrics.f1, answerMetrics.exactMatch],
  ...said,
  recipe: { epochs: 2, sequenceLength: 512, stride: 128, ...said.recipe },
});
