/**
 * Fine-tuning: the discriminator's encoder stays, and a small head on its hidden states h [b, t, c] takes the place of the
 * one that found replaced tokens. HuggingFace's heads (modeling_electra.py: ElectraForSequenceClassification,
 * ElectraForTokenClassification, ElectraForQuestionAnswering) and those of google-research/electra
 * (finetune/classification/classification_tasks.py, finetune/tagging/tagging_tasks.py):
 *
 *                HuggingFace                                              Google
 *     a text     dropout(h[CLS]) → dense → GELU → dropout → output        dropout(h[CLS]) → output      n logits a text
 *     tokens     dropout(h) → output                                      h → output                    n logits a token
 *     an answer  h → output                                               spans.ts                      start and end
 *
 * Kernels of fresh heads are normal with σ 0.02 in HuggingFace's code, Glorot's in Google's. The published results have
 * Google's heads, which are the default; HuggingFace's are what other programs load. In place of h[CLS], Google's can read
 * the mean of a text's h (`pooling`): no pre-training of ELECTRA's asks anything of [CLS]. Or the means of all layers: the last
 * one knows best what was replaced, and lower ones what the text is about.
 */
import { normal, split } from '../key.ts';
import { drop, linear } from '../nn/dense.ts';
import type { Dense, Norm } from '../nn/dense.ts';
import type { Embeddings } from '../nn/embed.ts';
import { glorot, initDense } from '../nn/init.ts';
import type { Initializer } from '../nn/init.ts';
import { add, div, maximum, mul, square, sub } from '../ops/arith.ts';
import { reshape } from '../ops/axes.ts';
import { gelu } from '../ops/gelu.ts';
import { softmaxCrossEntropy } from '../ops/loss.ts';
import { matmul } from '../ops/matmul.ts';
import { concat, slice } from '../ops/move.ts';
import { mean, sum } from '../ops/reduce.ts';
import { dims } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { ElectraConfig } from './config.ts';
import type { Look } from './generator.ts';
import { hiddenStates } from './generator.ts';
import type { Batch } from './mask.ts';
import type { Network, Params } from './params.ts';

/** What a fine-tuned network does: gives a text a class, each token a tag, or a question its answer in the text. */
export type Task = 'classification' | 'tagging' | 'answering';

/** Whose head it is. */
export type HeadStyle = 'huggingface' | 'google';

/** `dense` [c, c] only for HuggingFace's classification; `output` [c, n], or [textWidth, n] for Google's. */
export interface TaskHead {
  /** While a head learns from all layers: how each number that it reads is scaled and shifted (tasks/standardise.ts), then `folded`. */
  readonly norm?: Norm;
  readonly dense?: Dense;
  readonly output: Dense;
}

export interface TaskParams<Head = TaskHead> {
  readonly embeddings: Embeddings;
  readonly discriminator: Network;
  readonly task: Head;
}

/** How many numbers Google's head for classes reads of a text. */
export const textWidth = ({ pooling, discriminator: { hiddenSize, layers } }: ElectraConfig): number =>
  pooling === 'layers' ? (layers + 1) * hiddenSize : hiddenSize;

/** How many numbers a head's output layer reads: of a text, or of a token. */
export const outputWidth = (config: ElectraConfig, task: Task, style: HeadStyle): number =>
  task === 'classification' && style === 'google' ? textWidth(config) : config.discriminator.hiddenSize;

/** HuggingFace's σ for every kernel of a fresh head (`initializer_range`). */
const ranged: Initializer = (key, shape) => mul(normal(key, shape), 0.02);

/** A fresh head of `outputs` logits: classes, tags, or 2 for answering (Google's own head for answers is `initSpanHead`). */
export const initTaskHead = (
  key: Tensor,
  task: Task,
  outputs: number,
  config: ElectraConfig,
  style: HeadStyle = 'google',
): TaskHead => {
  const { hiddenSize } = config.discriminator;
  const { dense, output } = split(key, 'dense', 'output');
  const init = style === 'google' ? glorot : ranged;
  return {
    ...(task === 'classification' && style === 'huggingface' && { dense: initDense(dense, hiddenSize, hiddenSize, init) }),
    output: initDense(output, outputWidth(config, task, style), outputs, init),
  };
};

/** The same head without `norm`, which its output takes over: (g·x + β)·K + b = x·(g·K) + (β·K + b). */
export const folded = ({ norm, ...head }: TaskHead): TaskHead => {
  if (norm === undefined) return head;
  const { kernel, bias } = head.output;
  const [width, outputs] = kernel.shape;
  const shifted = reshape(matmul(reshape(norm.bias, [1, width]), kernel), [outputs]);
  return { ...head, output: { kernel: mul(reshape(norm.gain, [width, 1]), kernel), bias: add(shifted, bias) } };
};

/** Pre-trained parameters with a head for a task in place of the pre-training one. */
export const withTaskHead = <Head>({ embeddings, discriminator }: Pick<Params, 'embeddings' | 'discriminator'>, task: Head): TaskParams<Head> => {
  const { projection, encoder } = discriminator;
  return { embeddings, discriminator: { ...(projection && { projection }), encoder }, task };
};

/** The discriminator's last hidden states [b, t, c]. */
export const encoded = (key: Tensor, { embeddings, discriminator }: Omit<TaskParams, 'task'>, batch: Batch, config: ElectraConfig, look?: Look): Tensor =>
  hiddenStates(key, embeddings, discriminator, config.discriminator, batch, config, look);

/**
 * What a head for classes reads of each text, [b, textWidth]: the last hidden state of its first token, [CLS], or means over all
 * its tokens, as `config.pooling` says. Whoever looks is shown those of all tokens.
 */
export const encodedText = (key: Tensor, { embeddings, discriminator }: Omit<TaskParams, 'task'>, batch: Batch, config: ElectraConfig, look?: Look): Tensor => {
  const first = config.pooling === 'cls' && !look ? 1 : undefined;
  const layers: Tensor[] = [];
  const seen: Look = (name, x) => {
    if (name.startsWith('hidden.')) layers.push(x);
    look?.(name, x);
  };
  const h = hiddenStates(key, embeddings, discriminator, config.discriminator, batch, config, config.pooling === 'layers' ? seen : look, first);
  const { b, t, c } = dims(h, 'b t c');
  if (config.pooling === 'cls') return reshape(slice(h, [0, 0, 0], [b, 1, c]), [b, c]);
  const shares = reshape(div(batch.attend, sum(batch.attend, { axis: 1, keepDims: true })), [b, 1, t]);
  return concat((config.pooling === 'layers' ? layers : [h]).map((x) => reshape(matmul(shares, x), [b, c])), 1);
};

/** The logits of each text's classes, [b, n]. A head without `dense` is Google's. */
export const classify = (key: Tensor, params: TaskParams, batch: Batch, config: ElectraConfig, look?: Look): Tensor => {
  const { norm, dense, output } = params.task;
  const read = encodedText(key, params, batch, config, look);
  const text = drop(key, 'task.first', norm ? add(mul(read, norm.gain), norm.bias) : read, config.classifierDropout);
  return linear(output, dense ? drop(key, 'task.dense', gelu(linear(dense, text)), config.classifierDropout) : text);
};

/** The logits of each token's tags: [b, t, n]. Google's head has no dropout: its `classifierDropout` is 0. */
export const tag = (key: Tensor, params: TaskParams, batch: Batch, config: ElectraConfig, look?: Look): Tensor =>
  linear(params.task.output, drop(key, 'task', encoded(key, params, batch, config, look), config.classifierDropout));

/** Of each token [b, t], the logit that the answer starts there, and that it ends there. */
export interface Spans {
  readonly start: Tensor;
  readonly end: Tensor;
}

/** Where the answer starts and ends. Padding and the question have logits too; whoever decodes leaves them out. */
export const answer = (key: Tensor, params: TaskParams, batch: Batch, config: ElectraConfig, look?: Look): Spans => {
  const logits = linear(params.task.output, encoded(key, params, batch, config, look));
  const { b, t } = dims(logits, 'b t n');
  const column = (n: number) => reshape(slice(logits, [0, 0, n], [b, t, 1]), [b, t]);
  return { start: column(0), end: column(1) };
};

/**
 * The loss of `classify`: mean cross-entropy with classes i32 [b]; a head of one output is a regression, with the mean
 * squared error from values f32 [b].
 */
export const classificationLoss = (logits: Tensor, labels: Tensor): Tensor => {
  const { b, n } = dims(logits, 'b n');
  return n === 1 ? mean(square(sub(reshape(logits, [b]), labels))) : softmaxCrossEntropy(logits, labels);
};

/** The loss of `tag`: mean cross-entropy over the tokens whose tag, i32 [b, t], is not −100. */
export const taggingLoss = (logits: Tensor, labels: Tensor): Tensor => softmaxCrossEntropy(logits, labels);

/**
 * The loss of `answer`: the mean of the cross-entropies of start and end, i32 [b] each, over all positions, padding
 * included. A place beyond the sequence is not counted, one below 0 counts as 0.
 */
export const answeringLoss = ({ start, end }: Spans, starts: Tensor, ends: Tensor): Tensor =>
  mul(add(softmaxCrossEntropy(start, maximum(starts, 0)), softmaxCrossEntropy(end, maximum(ends, 0))), 0.5);
