/**
 * A fine-tuned network in use: from a stream of texts to classes, values or tags (to sentence vectors: embed.ts).
 *
 *     for await (const { row, label, probability } of classifier(model)([{ text: 'One.' }, { text: 'Two.' }])) …
 *
 * Rows may come from an array, a generator or anything that is read piece by piece, of any length. A window of them is
 * encoded, sorted by length and cut into batches that are padded only to their longest row; while the device computes, the
 * next window is read (stream.ts). Predictions come in the order of the rows, each with its row, which may carry whatever
 * else the caller wants to find beside them. No tensor outlives its batch.
 */
import type { ElectraConfig } from '../electra/config.ts';
import { withoutDropout } from '../electra/config.ts';
import type { Task, TaskHead, TaskParams } from '../electra/heads.ts';
import { classify, tag } from '../electra/heads.ts';
import type { Batch } from '../electra/mask.ts';
import { key } from '../key.ts';
import { scoped } from '../memory.ts';
import { softmax } from '../ops/softmax.ts';
import type { Tensor } from '../tensor.ts';
import type { WordPiece } from '../text/wordpiece.ts';
import type { Encoded } from './encode.ts';
import { batchesOf, batchOf, encodeTexts, encodeWords } from './encode.ts';
import { inWindows } from './stream.ts';
import type { TaggedRow, TextRow } from './task.ts';

/** A network with all that its use needs, as `loadModel` gives it: fine-tuned, or, for vectors, a discriminator. */
export interface TrainedModel {
  readonly config: ElectraConfig;
  readonly params: Pick<TaskParams, 'embeddings'> & Partial<TaskParams<object>>;
  readonly tokenizer?: WordPiece;
  /** Tokens of a sequence at most, as it was fine-tuned; all positions unless it is said. */
  readonly sequenceLength?: number;
  readonly task?: Task;
  readonly labels?: readonly string[];
}

export interface Prediction {
  /** Tokens of a sequence at most; by default the model's `sequenceLength`. Longer texts are cut, lists of words continued. */
  readonly maxTokens?: number;
  /** Tokens of a batch at most, padding included (a longer sequence is a batch of its own): what bounds the memory. */
  readonly batchTokens?: number;
}

export type Text = Pick<TextRow, 'text' | 'pair'>;
export type Words = Pick<TaggedRow, 'words'>;

export interface Classified<Row> {
  readonly row: Row;
  /** The likeliest class, and how likely it is. */
  readonly label: string;
  readonly probability: number;
  /** Of all classes, in the order of the model's labels. */
  readonly probabilities: Float32Array | Float64Array;
}

export interface Valued<Row> {
  readonly row: Row;
  readonly value: number;
}

/** A tag for each word, and how likely it is. */
export interface Tagged<Row> {
  readonly row: Row;
  readonly tags: readonly string[];
  readonly probabilities: readonly number[];
}

type Rows<Row> = Iterable<Row> | AsyncIterable<Row>;
type Values = Float32Array | Float64Array;

/** From a stream of rows to a stream of results, in their order. */
export type Streaming<In, Out> = (rows: Rows<In>) => AsyncGenerator<Out, void>;

const BATCH_TOKENS = 2048;

/** What `run` computes for each sequence: the part of its result, [b, …], that is the sequence's. All is started at once. */
const started = <E extends Encoded>(
  sequences: readonly E[],
  run: (batch: Batch) => Tensor,
  config: ElectraConfig,
  most: number,
) =>
  batchesOf(sequences, most).map((batch) => {
    // Devices keep the order of commands, so what is read may be freed before it has arrived.
    const { values } = scoped(() => ({ values: run(batchOf(batch, config, 1)).data() as Promise<Values> }));
    return values.then((all) => {
      const size = all.length / batch.length;
      return batch.map((sequence, i) => ({ sequence, values: all.subarray(i * size, (i + 1) * size) }));
    });
  });

interface Work<Row, E extends Encoded, Result> {
  readonly encode: (tokenizer: WordPiece, rows: readonly Row[], length: number) => E[];
  readonly run: (batch: Batch) => Tensor;
  /** From the sequences of a row, in order, and what was computed for each. */
  readonly result: (row: Row, parts: readonly { sequence: E; values: Values }[]) => Result;
}

/** The function that takes a stream of rows through a network. Throws when it has no tokenizer, or too few positions. */
export const streaming = <Row, E extends Encoded, Result>(
  { config, tokenizer, sequenceLength = config.maxPositions }: TrainedModel,
  { encode, run, result }: Work<Row, E, Result>,
  { maxTokens = sequenceLength, batchTokens = BATCH_TOKENS }: Prediction,
): Streaming<Row, Result> => {
  if (tokenizer === undefined)
    throw new Error(
      'a model without a tokenizer cannot read texts: give one, as loadModel does for a folder with vocab.txt',
    );
  if (!(maxTokens <= config.maxPositions))
    throw new RangeError(`maxTokens: expected at most the model's ${config.maxPositions} positions, got ${maxTokens}`);
  return (rows) =>
    inWindows(rows, async (window) => {
      const parts = window.map((): { sequence: E; values: Values }[] => []);
      const batches = await Promise.all(started(encode(tokenizer, window, maxTokens), run, config, batchTokens));
      for (const part of batches.flat()) parts[part.sequence.row].push(part);
      return window.map((row, i) => result(row, parts[i]));
    });
};

/** The parameters of a network that was fine-tuned for `task`. Throws when the model is something else. */
const fineTuned = ({ params, task: does }: TrainedModel, task: Task, name: string): TaskParams => {
  const { embeddings, discriminator, task: head } = params;
  if (does === task && discriminator && head) return { embeddings, discriminator, task: head as TaskHead };
  const what = does === undefined ? 'was not fine-tuned' : `does ${does}`;
  throw new Error(`${name}: expected a model fine-tuned for ${task}, but this one ${what}`);
};

const outputsOf = ({ task }: TaskParams): number => task.output.bias.shape[0];

/** The name of each output. Throws when there is another number of them. */
const labelsOf = ({ labels }: TrainedModel, params: TaskParams): readonly string[] => {
  const n = outputsOf(params);
  if (labels?.length !== n)
    throw new Error(`expected ${n} labels, one for each output of the model, got ${labels?.length ?? 'none'}`);
  return labels;
};

const indexOfMost = (values: Values): number => {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
};

/** The class of each text or pair. Throws when the model was fine-tuned for anything else, a single value included. */
export const classifier = <Row extends Text>(
  model: TrainedModel,
  options: Prediction = {},
): Streaming<Row, Classified<Row>> => {
  const params = fineTuned(model, 'classification', 'classifier');
  if (outputsOf(params) === 1)
    throw new Error('classifier: a model with one output gives values, not classes; use regressor');
  const [labels, config] = [labelsOf(model, params), withoutDropout(model.config)];
  return streaming(
    model,
    {
      encode: encodeTexts,
      run: (batch) => softmax(classify(key(0), params, batch, config)),
      result: (row: Row, [{ values }]) => {
        const best = indexOfMost(values);
        return { row, label: labels[best], probability: values[best], probabilities: values.slice() };
      },
    },
    options,
  );
};

/** The value of each text or pair. Throws when the model was fine-tuned for anything else. */
export const regressor = <Row extends Text>(
  model: TrainedModel,
  options: Prediction = {},
): Streaming<Row, Valued<Row>> => {
  const params = fineTuned(model, 'classification', 'regressor');
  if (outputsOf(params) !== 1)
    throw new Error(`regressor: a model with ${outputsOf(params)} outputs gives classes, not values; use classifier`);
  const config = withoutDropout(model.config);
  return streaming(
    model,
    {
      encode: encodeTexts,
      run: (batch) => classify(key(0), params, batch, config),
      result: (row: Row, [{ values }]) => ({ row, value: values[0] }),
    },
    options,
  );
};

/** The tag of each word, which is that of its first piece. Throws when the model was fine-tuned for anything else. */
export const tagger = <Row extends Words>(
  model: TrainedModel,
  options: Prediction = {},
): Streaming<Row, Tagged<Row>> => {
  const params = fineTuned(model, 'tagging', 'tagger');
  const [labels, config] = [labelsOf(model, params), withoutDropout(model.config)];
  return streaming(
    model,
    {
      encode: encodeWords,
      run: (batch) => softmax(tag(key(0), params, batch, config)),
      result: (row: Row, windows) => {
        const words = [...windows]
          .sort((a, b) => a.sequence.word - b.sequence.word)
          .flatMap(({ sequence: { at }, values }) =>
            at.map((i) => {
              const own = values.subarray(i * labels.length, (i + 1) * labels.length);
              const best = indexOfMost(own);
              return { tag: labels[best], probability: own[best] };
            }),
          );
        return { row, tags: words.map(({ tag }) => tag), probabilities: words.map(({ probability }) => probability) };
      },
    },
    options,
  );
};
