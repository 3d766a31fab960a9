/**
 * The published head for answers in a text (google-research/electra, finetune/qa/qa_tasks.py; the paper's §3.1 takes it from
 * XLNet). Where an answer ends depends on where it starts, and a logit of its own says that there is no answer:
 *
 *     start       sₜ = h[t] · w                                over the text and [CLS], which stands for no answer
 *     end         eₜ = dense(GELU(dense([h[start], h[t]])))    in training after the true start, in use after the likely ones
 *     no answer   n  = dense(GELU(dense([h[CLS], Σ softmax(s)ₜ h[t]])))
 *
 * with the loss (CE(s) + CE(e))/2 + BCE(n)/2. There is no dropout, and fresh kernels are Glorot's.
 */
import { split } from '../key.ts';
import type { Dense } from '../nn/dense.ts';
import { linear } from '../nn/dense.ts';
import { glorot, initDense } from '../nn/init.ts';
import { add, mul, sub, zeros } from '../ops/arith.ts';
import { broadcastTo, reshape } from '../ops/axes.ts';
import { topIndices } from '../ops/choose.ts';
import { gatherPositions, oneHot } from '../ops/gather.ts';
import { gelu } from '../ops/gelu.ts';
import { sigmoidCrossEntropy } from '../ops/loss.ts';
import { matmul } from '../ops/matmul.ts';
import { concat, slice } from '../ops/move.ts';
import { logSoftmax, softmax } from '../ops/softmax.ts';
import { dims } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { ElectraConfig } from './config.ts';
import type { Spans, TaskParams } from './heads.ts';
import { answeringLoss, encoded } from './heads.ts';
import type { Batch } from './mask.ts';

/** A logit of one vector [c], or, with a `dense` layer [2c, width], of two. */
export interface LogitHead {
  readonly dense?: Dense;
  readonly output: Dense;
}

export interface SpanHead {
  readonly start: Dense;
  /** Without `dense`, ends do not depend on starts. */
  readonly end: LogitHead;
  /** Without `dense`, from [CLS] alone. */
  readonly noAnswer?: LogitHead;
}

/** What the published head may leave out, by the names of configure_finetuning.py; all is there by default. */
export interface SpanOptions {
  /** joint_prediction */
  readonly joint?: boolean;
  /** answerable_classifier, and answerable_uses_start_logits */
  readonly noAnswer?: 'starts' | 'cls' | false;
  /** Of the hidden layers; 512. */
  readonly width?: number;
}

/** A fresh head. */
export const initSpanHead = (
  key: Tensor,
  { discriminator: { hiddenSize: c } }: ElectraConfig,
  { joint = true, noAnswer = 'starts', width = 512 }: SpanOptions = {},
): SpanHead => {
  const keys = split(key, 'start', 'end', 'noAnswer');
  const logit = (key: Tensor, ofTwo: boolean): LogitHead => {
    const { dense, output } = split(key, 'dense', 'output');
    return { ...(ofTwo && { dense: initDense(dense, 2 * c, width, glorot) }), output: initDense(output, ofTwo ? width : c, 1, glorot) };
  };
  return {
    start: initDense(keys.start, c, 1, glorot),
    end: logit(keys.end, joint),
    ...(noAnswer !== false && { noAnswer: logit(keys.noAnswer, noAnswer === 'starts') }),
  };
};

/** What a head has of what it may leave out. */
export const spanOptionsOf = ({ end, noAnswer }: SpanHead): Required<SpanOptions> => ({
  joint: end.dense !== undefined,
  noAnswer: noAnswer === undefined ? false : noAnswer.dense ? 'starts' : 'cls',
  width: (end.dense ?? noAnswer?.dense)?.bias.shape[0] ?? 512,
});

/** Logits as they are for segment 1 and [CLS], and 1,000 lower elsewhere: what is added, [b, t]. */
const beyond = ({ types, attend }: Batch): Tensor => {
  const { b, t } = dims(attend, 'b t');
  return mul(sub(add(mul(attend, types), oneHot(zeros([b], 'i32'), t)), 1), 1000);
};

/** Each token's logit of the start [b, t]. */
const startLogits = ({ start }: SpanHead, h: Tensor, batch: Batch): Tensor => {
  const { b, t } = dims(h, 'b t c');
  return add(reshape(linear(start, h), [b, t]), beyond(batch));
};

/**
 * Each token's logit of the end, for each of k starts, i32 [b, k]: [b, k, t]. The dense layer of [h[start], h[t]] is a
 * product with each half of its kernel, so that the pairs [b, k, t, 2c] need not be.
 */
const endLogits = ({ end: { dense, output } }: SpanHead, h: Tensor, starts: Tensor, batch: Batch): Tensor => {
  const { b, t, c } = dims(h, 'b t c');
  const { k } = dims(starts, 'b k');
  const mask = reshape(beyond(batch), [b, 1, t]);
  if (!dense) return broadcastTo(add(reshape(linear(output, h), [b, 1, t]), mask), [b, k, t]);
  const [, width] = dense.kernel.shape;
  const half = (i: number) => slice(dense.kernel, [i * c, 0], [c, width]);
  const first = reshape(matmul(gatherPositions(h, starts), half(0)), [b, k, 1, width]);
  const last = reshape(linear({ kernel: half(1), bias: dense.bias }, h), [b, 1, t, width]);
  return add(reshape(linear(output, gelu(add(first, last))), [b, k, t]), mask);
};

/** The logit that there is no answer [b]; undefined when the head has none. */
const noAnswerLogit = ({ noAnswer }: SpanHead, h: Tensor, start: Tensor): Tensor | undefined => {
  if (!noAnswer) return undefined;
  const { b, t, c } = dims(h, 'b t c');
  const cls = reshape(slice(h, [0, 0, 0], [b, 1, c]), [b, c]);
  const { dense, output } = noAnswer;
  if (!dense) return reshape(linear(output, cls), [b]);
  const likely = reshape(matmul(reshape(softmax(start), [b, 1, t]), h), [b, c]);
  return reshape(linear(output, gelu(linear(dense, concat([cls, likely], 1)))), [b]);
};

export type SpanParams = TaskParams<SpanHead>;

/** Logits of start and end, as those of `answer`, and of there being no answer, [b]. */
export interface PublishedSpans extends Spans {
  readonly noAnswer?: Tensor;
}

/**
 * The logits of training: those of the end after the true starts, i32 [b]. A question without an answer, or whose answer
 * is not in this window, starts and ends at 0, which is [CLS].
 */
export const answerAfter = (key: Tensor, params: SpanParams, batch: Batch, starts: Tensor, config: ElectraConfig): PublishedSpans => {
  const h = encoded(key, params, batch, config);
  const { b, t } = dims(h, 'b t c');
  const start = startLogits(params.task, h, batch);
  const end = reshape(endLogits(params.task, h, reshape(starts, [b, 1]), batch), [b, t]);
  const noAnswer = noAnswerLogit(params.task, h, start);
  return { start, end, ...(noAnswer && { noAnswer }) };
};

/**
 * The loss of `answerAfter`: that of `answeringLoss`, and half the binary cross-entropy of `noAnswer` with `impossible`,
 * f32 [b], 1 for a question that has no answer. (The mean over the batch; published code has the sum.)
 */
export const spanLoss = ({ noAnswer, ...spans }: PublishedSpans, starts: Tensor, ends: Tensor, impossible: Tensor): Tensor => {
  const loss = answeringLoss(spans, starts, ends);
  return noAnswer ? add(loss, mul(sigmoidCrossEntropy(noAnswer, impossible), 0.5)) : loss;
};

/** The k likeliest starts, and after each the k likeliest ends, with their log-probabilities, likeliest first. */
export interface SpanBeam {
  /** i32 [b, k] */
  readonly starts: Tensor;
  /** [b, k] */
  readonly startLogs: Tensor;
  /** i32 [b, k, k] */
  readonly ends: Tensor;
  /** [b, k, k] */
  readonly endLogs: Tensor;
  /** [b] */
  readonly noAnswer?: Tensor;
}

/** The elements of the rows of x […, t] in the columns at […, k]. */
const columnsAt = (x: Tensor, at: Tensor): Tensor => {
  const [t, k] = [x.shape.at(-1)!, at.shape.at(-1)!];
  const rows = at.shape.slice(0, -1).reduce((a, b) => a * b, 1);
  return reshape(gatherPositions(reshape(x, [rows, t, 1]), reshape(at, [rows, k])), at.shape);
};

/**
 * The likeliest spans, for use: `beam` starts, 20 as published, and as many ends for each, at most one for every token. A
 * span may end before it starts, and lie in [CLS]: whoever decodes leaves that out.
 */
export const answerBeam = (key: Tensor, params: SpanParams, batch: Batch, config: ElectraConfig, beam = 20): SpanBeam => {
  const h = encoded(key, params, batch, config);
  const k = Math.min(beam, dims(h, 'b t c').t);
  const start = startLogits(params.task, h, batch);
  const logs = logSoftmax(start);
  const starts = topIndices(logs, k);
  const endings = logSoftmax(endLogits(params.task, h, starts, batch));
  const ends = topIndices(endings, k);
  const noAnswer = noAnswerLogit(params.task, h, start);
  return { starts, startLogs: columnsAt(logs, starts), ends, endLogs: columnsAt(endings, ends), ...(noAnswer && { noAnswer }) };
};
