/**
 * Finding answers in a text, end to end: questions become windows (windows.ts), a head learns where in each the answer
 * starts and ends, and its likely spans become texts. In use, as published (google-research/electra,
 * finetune/qa/qa_metrics.py; Devlin et al. 2019),
 *
 *     score of a span = ln p(start) + ln p(end | start)      Google's head
 *                     = logit(start) + logit(end)            HuggingFace's
 *
 * of the 20 likeliest starts and as many ends. Left out are spans outside the context, backward ones, those of more than 30
 * tokens, and those whose start another window has more context for. The best of all windows, each text once, are the
 * answers. A logit of its own (HuggingFace: that of [CLS] as start and end, less the best span's score) says that there is
 * none; of several windows, the one that is least sure of it decides.
 */
import type { ElectraConfig } from '../electra/config.ts';
import { withoutDropout } from '../electra/config.ts';
import type { TaskParams } from '../electra/heads.ts';
import { answer, answeringLoss, encoded } from '../electra/heads.ts';
import type { Batch } from '../electra/mask.ts';
import type { SpanParams } from '../electra/spans.ts';
import { answerAfter, answerBeam, spanLoss } from '../electra/spans.ts';
import { key } from '../key.ts';
import { donating } from '../memory.ts';
import type { Tensor } from '../tensor.ts';
import { tensor } from '../tensor.ts';
import type { WordPiece } from '../text/wordpiece.ts';
import type { Encoded } from './encode.ts';
import { batchOf } from './encode.ts';
import type { HeadInput } from './standardise.ts';
import type { QuestionRow } from './task.ts';
import type { Window, WindowedQuestion, Windowing } from './windows.ts';
import { mostContext, positionsIn, textOf, windower } from './windows.ts';

/** An encoder under HuggingFace's head for answers, or under Google's. */
export type AnswerParams = TaskParams | SpanParams;

const isPublished = (params: AnswerParams): params is SpanParams => 'start' in params.task;

/** A window, and where in its row the answer starts and ends. */
export interface AnswerExample extends Encoded {
  readonly start: number;
  readonly end: number;
  /** 1 where the question has no answer, in no window. */
  readonly impossible: 0 | 1;
}

/**
 * What there is to learn from some questions: an example for every window. Answers without tokens teach nothing.
 *
 * Throws when a question has no list of answers.
 */
export const answerExamples = (questions: Iterable<WindowedQuestion>): AnswerExample[] => {
  const examples: AnswerExample[] = [];
  let number = 0;
  for (const { row, windows, answer } of questions) {
    if (row.answers === undefined) throw new Error(`${row.where}: expected answers to learn from, or an empty list where there is none`);
    const impossible = row.answers.length === 0 ? 1 : 0;
    if (answer || impossible)
      for (const window of windows) {
        const [start, end] = positionsIn(window, answer);
        examples.push({ ids: window.ids, types: window.types, row: number, start, end, impossible });
      }
    number++;
  }
  return examples;
};

export interface AnswerBatch extends Batch {
  /** How many windows. */
  readonly count: number;
  /** i32 [b] */
  readonly starts: Tensor;
  /** i32 [b] */
  readonly ends: Tensor;
  /** f32 [b] */
  readonly impossible: Tensor;
}

/** How answers are learned with either head: some examples as a batch, and its loss, a scalar. */
export const answerLearner = (config: ElectraConfig) => ({
  batch: (examples: readonly AnswerExample[]): AnswerBatch => {
    const column = (name: 'start' | 'end' | 'impossible', dtype: 'i32' | 'f32') => {
      const values = examples.map((example) => example[name]);
      return tensor(values, [values.length], dtype);
    };
    return {
      ...batchOf(examples, config),
      count: examples.length,
      starts: column('start', 'i32'),
      ends: column('end', 'i32'),
      impossible: column('impossible', 'f32'),
    };
  },
  loss: (key: Tensor, params: AnswerParams, batch: AnswerBatch): Tensor =>
    isPublished(params)
      ? spanLoss(answerAfter(key, params, batch, batch.starts, config), batch.starts, batch.ends, batch.impossible)
      : answeringLoss(answer(key, params, batch, config), batch.starts, batch.ends),
  read: (params: AnswerParams, batch: AnswerBatch): HeadInput => [encoded(key(0), params, batch, withoutDropout(config)), batch.attend],
});

/** Likely spans of one window, by positions in its row, and the logit that it holds no answer, if there is one. */
export interface Likely {
  readonly spans: readonly { readonly start: number; readonly end: number; readonly score: number }[];
  readonly noAnswer?: number;
}

const values = async (x: Tensor): Promise<number[]> => Array.from(await x.data());

/** Finds the likely spans of some windows with the published head. */
const beamReader = (params: SpanParams, config: ElectraConfig, width: number) => {
  const search = donating((batch: Batch) => answerBeam(key(0), params, batch, config, width));
  return async (windows: readonly Window[]): Promise<Likely[]> => {
    const beam = search(batchOf(windows, config));
    const k = beam.starts.shape[1];
    const [starts, startLogs, ends, endLogs] = await Promise.all([beam.starts, beam.startLogs, beam.ends, beam.endLogs].map(values));
    const noAnswer = beam.noAnswer && (await values(beam.noAnswer));
    return windows.map((_, row) => ({
      spans: Array.from({ length: k * k }, (_, i) => {
        const from = row * k + Math.floor(i / k);
        const to = row * k * k + i;
        return { start: starts[from], end: ends[to], score: startLogs[from] + endLogs[to] };
      }),
      ...(noAnswer && { noAnswer: noAnswer[row] }),
    }));
  };
};

/** Finds them with HuggingFace's, from the likeliest starts and ends in the context. */
const pairReader = (params: TaskParams, config: ElectraConfig, width: number) => {
  const look = donating((batch: Batch) => answer(key(0), params, batch, config));
  return async (windows: readonly Window[]): Promise<Likely[]> => {
    const { start, end } = look(batchOf(windows, config));
    const t = start.shape[1];
    const [starts, ends] = await Promise.all([start, end].map(values));
    return windows.map(({ at, count }, row) => {
      const likeliest = (logits: number[]) =>
        Array.from({ length: count }, (_, i) => ({ place: at + i, logit: logits[row * t + at + i] }))
          .sort((a, b) => b.logit - a.logit)
          .slice(0, width);
      const endings = likeliest(ends);
      const spans = likeliest(starts).flatMap((from) =>
        endings.map((to) => ({ start: from.place, end: to.place, score: from.logit + to.logit })),
      );
      return { spans, noAnswer: starts[row * t] + ends[row * t] };
    });
  };
};

/** A possible answer. */
export interface FoundAnswer {
  readonly text: string;
  /** In code points of the context. */
  readonly start: number;
  readonly score: number;
  /** Among those found. */
  readonly probability: number;
}

export interface Decoding {
  /** How many answers to find; 20. */
  readonly answers?: number;
  /** Tokens of the longest answer; 30. */
  readonly answerLength?: number;
}

/** The best answers, of different texts, from the likely spans of each window, best first. */
export const decodeAnswers = (
  question: WindowedQuestion,
  likely: readonly Likely[],
  { answers = 20, answerLength = 30 }: Decoding = {},
): FoundAnswer[] => {
  const { windows, places, row } = question;
  const allowed = likely.flatMap(({ spans }, i) => {
    const { at, first, count } = windows[i];
    return spans.flatMap(({ start, end, score }) => {
      const inside = start >= at && end >= start && end < at + count && end - start < answerLength;
      const span = { first: start - at + first, last: end - at + first };
      return inside && mostContext(windows, span.first) === i ? [{ ...span, score }] : [];
    });
  });
  const found = new Map<string, { start: number; score: number }>();
  for (const { first, last, score } of allowed.sort((a, b) => b.score - a.score)) {
    if (found.size === answers) break;
    const text = textOf(question, { first, last });
    if (!found.has(text)) found.set(text, { start: Array.from(row.context.slice(0, places[first][0])).length, score });
  }
  const best = [...found];
  const odds = best.map(([, { score }]) => Math.exp(score - best[0][1].score));
  const total = odds.reduce((a, b) => a + b, 0);
  return best.map(([text, { start, score }], i) => ({ text, start, score, probability: odds[i] / total }));
};

/** What a network makes of a question. */
export interface AnsweredQuestion {
  readonly row: QuestionRow;
  /** The best answers, best first; none where the context has no words. */
  readonly answers: readonly FoundAnswer[];
  /** How sure it is that there is none; −∞ where the head cannot say so. */
  readonly missing: number;
}

/** `qa_na_threshold` of configure_finetuning.py: with `missing` above, Google's head says that there is no answer. HuggingFace's: 0. */
export const NO_ANSWER_THRESHOLD = -2.75;

/** The best answer; '' where there is none, or `missing` is above the threshold (never, unless one is given). */
export const bestAnswer = ({ answers, missing }: AnsweredQuestion, threshold = Infinity): string =>
  missing > threshold ? '' : (answers[0]?.text ?? '');

export interface Answering extends Windowing, Decoding {
  /** Windows that are computed at once; 32. */
  readonly batchSize?: number;
  /** Likely starts, and likely ends for each; 20. */
  readonly beam?: number;
}

/** Answers questions in their order, as many at a time as fill a batch, without dropout. */
export async function* answerQuestions(
  params: AnswerParams,
  trained: ElectraConfig,
  tokenizer: WordPiece,
  rows: Iterable<QuestionRow> | AsyncIterable<QuestionRow>,
  { batchSize = 32, beam = 20, answers, answerLength, ...windowing }: Answering,
): AsyncGenerator<AnsweredQuestion, void> {
  const config = withoutDropout(trained);
  const cut = windower(tokenizer, windowing);
  const read = isPublished(params) ? beamReader(params, config, beam) : pairReader(params, config, beam);
  let waiting: WindowedQuestion[] = [];

  async function* flush(): AsyncGenerator<AnsweredQuestion, void> {
    const windows = waiting.flatMap((question) => question.windows);
    const likely: Likely[] = [];
    for (let i = 0; i < windows.length; i += batchSize) likely.push(...(await read(windows.slice(i, i + batchSize))));
    let from = 0;
    for (const question of waiting) {
      const own = likely.slice(from, (from += question.windows.length));
      const found = decodeAnswers(question, own, { answers, answerLength });
      const none = Math.min(...own.map(({ noAnswer = -Infinity }) => noAnswer));
      // Without an answer to compare with, HuggingFace's head has the better one: none.
      yield { row: question.row, answers: found, missing: isPublished(params) ? none : none - (found[0]?.score ?? -Infinity) };
    }
    waiting = [];
  }

  let count = 0;
  for await (const row of rows) {
    const question = cut(row);
    waiting.push(question);
    count += question.windows.length;
    if (count < batchSize) continue;
    yield* flush();
    count = 0;
  }
  yield* flush();
}
