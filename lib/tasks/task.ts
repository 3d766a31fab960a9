/**
 * What a fine-tuning task is: one declaration that says how its files are read, which head it needs, what is measured and
 * the published recipe. A task of one's own is a few lines (docs: README, "Fine-tuning"). Everything else, training,
 * evaluation, baselines, prediction and the report, follows from it.
 */
import type { Pooling } from '../electra/config.ts';
import type { Task } from '../electra/heads.ts';

/** Where a row comes from, for errors: `train.csv:17`. */
export interface Placed {
  readonly where: string;
}

/** A text, or a pair of texts, and its class (a string) or value (a number); without a label it is to be predicted. */
export interface TextRow extends Placed {
  readonly text: string;
  readonly pair?: string;
  readonly label?: string | number;
}

/** Words, and one tag for each. */
export interface TaggedRow extends Placed {
  readonly words: readonly string[];
  readonly tags?: readonly string[];
}

/** A question, the text that holds its answer, and the answers that annotators gave; none where it has none (SQuAD 2.0). */
export interface QuestionRow extends Placed {
  readonly id: string;
  readonly question: string;
  readonly context: string;
  /** `start` counts code points of the context. */
  readonly answers?: readonly { readonly text: string; readonly start: number }[];
}

export type Row = TextRow | TaggedRow | QuestionRow;

/** How a task is trained; what is left out is the published default for the model's size (electra-reference §7). */
export interface Recipe {
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly sequenceLength?: number;
  readonly learningRate?: number;
  readonly layerDecay?: number;
  readonly weightDecay?: number;
  readonly dropout?: number;
  /** Whether what the head reads is standardised first (standardise.ts). */
  readonly standardise?: boolean;
  /** What Google's head for classes reads of a text. */
  readonly pooling?: Pooling;
  /** Tokens from the start of one window of a long context to that of the next: answering alone. */
  readonly stride?: number;
}

/** What is predicted of a row: the class or value of a text, a tag for each word, or an answer, '' for none. */
export type Predicted<R extends Row> = R extends TaggedRow
  ? readonly string[]
  : R extends QuestionRow
    ? string
    : string | number;

/** What would be right: as predicted, but of a question all the answers that are. */
export type Gold<R extends Row> = R extends QuestionRow ? readonly string[] : Predicted<R>;

/** What is said of a row; of a class also, where it is known, how likely each is, in the order of the labels. */
export interface Guess<R extends Row = Row> {
  readonly predicted: Predicted<R>;
  readonly probabilities?: readonly number[];
}

/** A number, higher is better, from predictions and truths, one of each for a row. */
export interface Metric<R extends Row = Row> {
  readonly name: string;
  /** The class whose probabilities it takes in place of predictions. */
  readonly probabilityOf?: string;
  of(predicted: readonly Predicted<R>[], gold: readonly Gold<R>[]): number;
}

/** How files are read: `unlabelled` rows are to be predicted, so their labels may be missing. */
export interface Reading {
  readonly unlabelled?: boolean;
}

/** A file's name in a folder, or of several files whose lines stand beside each other: `paste`. */
export type FileName = string | readonly string[];

export interface TaskDeclaration<R extends Row = Row> {
  readonly name: string;
  /** One sentence. */
  readonly about: string;
  readonly task: Task;
  /** The labels are numbers to be approached, not classes. */
  readonly regression?: boolean;
  /** The rows of one file's text; `source` is its name. Throws a UserError with file and line. */
  readonly read: (text: string, source: string, reading?: Reading) => R[];
  /** What its files are called in the folder of the official download. */
  readonly files?: { readonly train: FileName; readonly dev?: FileName; readonly test?: FileName };
  /** The classes or tags in the order of the outputs; without it, those of the training rows, sorted. */
  readonly labels?: readonly string[];
  /** The first one decides early stopping. */
  readonly metrics: readonly Metric<R>[];
  readonly recipe: Recipe;
  /** More training rows from those that there are: MRPC and STS-B are symmetrised. */
  augment?(rows: readonly R[]): R[];
}

/** What predicts without a network, to stand beside a result. */
export interface Baseline<R extends Row = Row> {
  readonly name: string;
  predict(rows: readonly R[]): Promise<Guess<R>[]>;
}
