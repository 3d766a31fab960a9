/**
 * Fine-tuning on a task as declared: rows in, a model that does the task out, with all that its use needs. What it says of
 * rows comes from the same functions that serve predictions (predict.ts), so that what is measured is what is used.
 */
import type { ElectraConfig, Pooling } from '../electra/config.ts';
import type { HeadStyle, TaskParams } from '../electra/heads.ts';
import { folded, initTaskHead, withTaskHead } from '../electra/heads.ts';
import type { Params } from '../electra/params.ts';
import { UserError } from '../io/error.ts';
import { key, split } from '../key.ts';
import { donating, scoped } from '../memory.ts';
import type { WordPiece } from '../text/wordpiece.ts';
import type { Epoch, Settings, Watch } from './finetune.ts';
import { finetune } from './finetune.ts';
import { takenBy } from './evaluate.ts';
import { goldsOf, labelsOf, requireLabels } from './labels.ts';
import { inRange, rangeOf, tagExamples, tagLearner, textExamples, textLearner, withDropout } from './learn.ts';
import type { TrainedModel } from './predict.ts';
import { classifier, regressor, tagger } from './predict.ts';
import type { Guess, Predicted, TaggedRow, TaskDeclaration, TextRow } from './task.ts';

/** Where fine-tuning begins: an encoder's sizes, its words, and its parameters, made anew for each run, which consumes them. */
export interface Start {
  readonly config: ElectraConfig;
  readonly tokenizer: WordPiece;
  readonly params: () => Pick<Params, 'embeddings' | 'discriminator'>;
}

export interface TaskSettings extends Settings {
  /** Tokens of a sequence, at most. */
  readonly sequenceLength: number;
  /** Whose head; Google's unless it is said. */
  readonly head?: HeadStyle;
  /** 0.1 unless it is said. */
  readonly dropout?: number;
  /** What Google's head for classes reads of a text; [CLS] unless it is said. HuggingFace's always reads [CLS]. */
  readonly pooling?: Pooling;
}

/** What a model says of a row, and how sure it is: of its class (and of all classes), or of each tag. */
export interface Judgement<R extends TextRow | TaggedRow = TextRow | TaggedRow> extends Guess<R> {
  readonly probability?: number | readonly number[];
}

export interface TunedModel {
  /** As `saveModel` takes it. */
  readonly model: TrainedModel & { readonly params: TaskParams };
  readonly best: Epoch;
  readonly epochs: readonly Epoch[];
}

const collected = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of stream) all.push(item);
  return all;
};

/** What a model says of rows, in their order; of sequences of `maxTokens` at most. */
export const judge = async <R extends TextRow | TaggedRow>(model: TrainedModel, rows: readonly R[], maxTokens?: number): Promise<Judgement<R>[]> => {
  const judgements = async (): Promise<Judgement[]> => {
    const options = { maxTokens };
    if (model.task === 'tagging') {
      const tagged = await collected(tagger<TaggedRow>(model, options)(rows as readonly TaggedRow[]));
      return tagged.map(({ tags, probabilities }) => ({ predicted: tags, probability: probabilities }));
    }
    const texts = rows as readonly TextRow[];
    if (model.labels?.length === 1) {
      return (await collected(regressor<TextRow>(model, options)(texts))).map(({ value }) => ({ predicted: value }));
    }
    const classified = await collected(classifier<TextRow>(model, options)(texts));
    return classified.map(({ label, probability, probabilities }) => ({ predicted: label, probability, probabilities: Array.from(probabilities) }));
  };
  return (await judgements()) as Judgement<R>[];
};

/**
 * Fine-tunes on the rows `train`; the task's first metric on the rows `dev` decides which epoch is kept.
 *
 * Throws, with file and line, where a row has no label, or one of `dev` has a label that no row of `train` has; and where
 * there is only one label, or no row in `dev`.
 */
export const finetuneTask = async <R extends TextRow | TaggedRow>(
  { config: sizes, tokenizer, params: initial }: Start,
  declaration: TaskDeclaration<R>,
  { train, dev }: { readonly train: readonly R[]; readonly dev: readonly R[] },
  { sequenceLength: length, head = 'google', dropout, pooling = 'cls', ...settings }: TaskSettings,
  watch?: Watch,
): Promise<TunedModel> => {
  const { task, regression = false, metrics } = declaration;
  const config = { ...withDropout(sizes, task, head, dropout), special: tokenizer.special, pooling: head === 'google' ? pooling : 'cls' };
  const { layers } = config.discriminator;
  if (dev.length === 0) throw new UserError('expected dev rows, which decide which epoch is kept, got none; give some, or more rows to hold a part of them out');
  const rows = declaration.augment?.(train) ?? train;
  const labels = regression ? ['value'] : labelsOf(declaration, rows);
  // A head of one output means a value, here as in HuggingFace's.
  if (!regression && labels.length < 2) throw new UserError(`expected rows of two classes or more to tell apart, but '${labels[0]}' is the only one; check the column of the labels`);
  const begin = () => scoped(() => withTaskHead(initial(), initTaskHead(split(key(settings.seed), 'head').head, task, labels.length, config, head)));
  const model = (params: TaskParams) => ({ config, params, tokenizer, task, labels, sequenceLength: length });
  /** As it is used and kept; what is folded away is freed. */
  const settled = (params: TaskParams) => model(donating((params: TaskParams) => ({ ...params, task: folded(params.task) }))(params));
  const gold = goldsOf(dev);
  const score = async (params: TaskParams, finish = (value: Predicted<R>) => value) => {
    const said = await judge(model(params), dev);
    return metrics[0].of(takenBy(metrics[0], said.map((one) => ({ ...one, predicted: finish(one.predicted) })), labels), gold);
  };

  if (regression) {
    const range = rangeOf(rows as readonly TextRow[]);
    const examples = textExamples(tokenizer, rows as readonly TextRow[], length, range);
    const stretched = (value: Predicted<R>) => (range.low + (range.high - range.low) * Number(value)) as Predicted<R>;
    const tuned = await finetune(begin(), layers, textLearner(config, { regression }), examples, (params) => score(params, stretched), settings, watch);
    return { ...tuned, model: settled(scoped(() => inRange(tuned.params, range))) };
  }
  requireLabels(labels, dev);
  const tuned =
    task === 'tagging'
      ? await finetune(begin(), layers, tagLearner(config), tagExamples(tokenizer, rows as readonly TaggedRow[], length, labels), score, settings, watch)
      : await finetune(begin(), layers, textLearner(config), textExamples(tokenizer, rows as readonly TextRow[], length, labels), score, settings, watch);
  return { ...tuned, model: settled(tuned.params) };
};
