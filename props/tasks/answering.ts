/** Laws of answering: what is found is the best of all spans that are allowed, however it is batched, with either head. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import { answer, initTaskHead, withTaskHead } from '../../lib/electra/heads.ts';
import type { ElectraConfig } from '../../lib/electra/config.ts';
import { initElectra } from '../../lib/electra/params.ts';
import { answerAfter, initSpanHead } from '../../lib/electra/spans.ts';
import { key } from '../../lib/key.ts';
import { logSoftmax } from '../../lib/ops/softmax.ts';
import type { AnsweredQuestion, AnswerParams, Answering, Likely } from '../../lib/tasks/answering.ts';
import { answerExamples, answerLearner, answerQuestions, bestAnswer, decodeAnswers } from '../../lib/tasks/answering.ts';
import { batchOf } from '../../lib/tasks/encode.ts';
import type { QuestionRow } from '../../lib/tasks/task.ts';
import type { WindowedQuestion } from '../../lib/tasks/windows.ts';
import { windower } from '../../lib/tasks/windows.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { tensor } from '../../lib/tensor.ts';
import { SPECIAL_TOKENS, WordPiece } from '../../lib/text/wordpiece.ts';
import { small } from '../electra/small.ts';

const test = suite('answering');
test.before.each(async () => void (await useDevice('reference')));

const letters = [...'abcdefgh'];
const tokenizer = new WordPiece([...SPECIAL_TOKENS, ...letters, ...letters.map((c) => `##${c}`)], { lowerCase: true });
const config = { ...small, special: tokenizer.special };
const windowing = { sequenceLength: 12, stride: 3, questionLength: 4 };

const text = (from: number, to: number) => fc.array(fc.constantFrom('a', 'b', 'c', 'ab', 'cd', 'ef'), { minLength: from, maxLength: to }).map((w) => w.join(' '));
const row = fc.record({ question: text(1, 4), context: text(0, 14) }).map((drawn): QuestionRow => ({ where: 'drawn', id: '1', ...drawn }));

/** Logits of each position, and of each end after each start, that say of every place what they please. */
interface Logs {
  readonly start: number[];
  readonly end: number[][];
}

/** The best score of every text, by looking at all spans of all windows; no shorter way is taken. */
const bruteForce = ({ row, places, windows }: WindowedQuestion, logs: readonly Logs[], longest: number): Map<string, number> => {
  const best = new Map<string, number>();
  for (let first = 0; first < places.length; first++)
    for (let last = first; last < places.length && last - first + 1 <= longest; last++) {
      const context = windows.map((w) => (first < w.first || first >= w.first + w.count ? -1 : Math.min(first - w.first, w.first + w.count - 1 - first) + w.count / 100));
      const i = context.indexOf(Math.max(...context));
      const window = windows[i];
      if (last >= window.first + window.count) continue;
      const at = (token: number) => token - window.first + window.at;
      const text = row.context.slice(places[first][0], places[last][1]);
      const score = logs[i].start[at(first)] + logs[i].end[at(first)][at(last)];
      if (!(best.get(text)! >= score)) best.set(text, score);
    }
  return best;
};

const agrees = (found: { text: string; score: number }[], all: Map<string, number>, count: number) => {
  const best = [...all].sort((a, b) => b[1] - a[1]).slice(0, count);
  assert.is(found.length, best.length);
  found.forEach(({ text, score }, i) => {
    assert.ok(Math.abs(score - best[i][1]) < 1e-9, `${i}: ${score}, not ${best[i][1]}`);
    assert.ok(Math.abs(all.get(text)! - score) < 1e-9, text);
  });
};

test('with a beam as wide as the window, the answers are the best of all allowed spans, each text once', () => {
  const logit = fc.integer({ min: -400, max: 400 }).map((x) => x / 100);
  const cases = row.chain((row) => {
    const question = windower(tokenizer, windowing)(row);
    const logs = fc.tuple(
      ...question.windows.map(({ ids: { length: t } }) =>
        fc.record({
          start: fc.array(logit, { minLength: t, maxLength: t }),
          end: fc.array(fc.array(logit, { minLength: t, maxLength: t }), { minLength: t, maxLength: t }),
        }),
      ),
    );
    return fc.record({ question: fc.constant(question), logs, longest: fc.integer({ min: 1, max: 6 }), count: fc.integer({ min: 1, max: 8 }) });
  });
  fc.assert(
    fc.property(cases, ({ question, logs, longest, count }) => {
      const likely = logs.map(({ start, end }): Likely => ({
        spans: start.flatMap((s, i) => end[i].map((e, j) => ({ start: i, end: j, score: s + e }))),
      }));
      const found = decodeAnswers(question, likely, { answers: count, answerLength: longest });
      agrees(found, bruteForce(question, logs, longest), count);
      const points = [...question.row.context];
      let total = 0;
      for (const { text, start, score, probability } of found) {
        assert.is(points.slice(start, start + [...text].length).join(''), text);
        const odds = found.map((other) => Math.exp(other.score - score)).reduce((a, b) => a + b);
        assert.ok(Math.abs(probability - 1 / odds) < 1e-9);
        total += probability;
      }
      assert.ok(found.length === 0 || Math.abs(total - 1) < 1e-9);
    }),
  );
});

const published = (options = {}): AnswerParams => withTaskHead(initElectra(key(1), config), initSpanHead(key(2), config, { width: 6, ...options }));
const huggingface = (): AnswerParams => withTaskHead(initElectra(key(1), config), initTaskHead(key(3), 'answering', 2, config, 'huggingface'));

const answersOf = async (params: AnswerParams, rows: QuestionRow[], options: Partial<Answering> = {}): Promise<AnsweredQuestion[]> => {
  const all: AnsweredQuestion[] = [];
  for await (const one of answerQuestions(params, config, tokenizer, rows, { ...windowing, beam: 12, ...options })) all.push(one);
  return all;
};

const rows: QuestionRow[] = ['ab cd ef a b c ab ab cd a b', '', 'a', 'b c ef ef h g a b c d e f g'].map((context, i) => ({
  where: `row ${i}`,
  id: `${i}`,
  question: i % 2 ? 'a b c' : 'ef',
  context,
}));
const values = async (x: Tensor) => Array.from(await x.data());

for (const [name, params] of [['the published head', published], ["HuggingFace's head", huggingface]] as const) {
  test(`${name} finds what a search of all spans finds, and the least sure window says whether there is none`, async () => {
    const found = await answersOf(params(), rows);
    for (const [i, row] of rows.entries()) {
      const question = windower(tokenizer, windowing)(row);
      const logs: Logs[] = [];
      const none: number[] = [];
      for (const window of question.windows) {
        const [tuned, batch] = [params(), batchOf([window], config)];
        const t = batch.tokens.shape[1];
        if ('start' in tuned.task) {
          const after = (start: number) => answerAfter(key(0), tuned as ReturnType<typeof published> & { task: typeof tuned.task }, batch, tensor([start], [1], 'i32'), config);
          const { start, noAnswer } = after(0);
          const end: number[][] = [];
          for (let s = 0; s < t; s++) end.push(await values(logSoftmax(after(s).end)));
          logs.push({ start: await values(logSoftmax(start)), end });
          none.push(await noAnswer!.item());
        } else {
          const { start, end } = answer(key(0), tuned as ReturnType<typeof huggingface> & { task: typeof tuned.task }, batch, config);
          const [starts, ends] = [await values(start), await values(end)];
          logs.push({ start: starts, end: starts.map(() => ends) });
          none.push(starts[0] + ends[0]);
        }
      }
      const all = bruteForce(question, logs, 30);
      agrees([...found[i].answers], all, 20);
      const least = name === 'the published head' ? Math.min(...none) : Math.min(...none) - Math.max(...all.values());
      if (all.size > 0) assert.ok(Math.abs(found[i].missing - least) < 1e-9);
    }
  });

  test(`with ${name}, answers do not depend on what else is in a batch, and come in order`, async () => {
    const wide = await answersOf(params(), rows, { batchSize: 100 });
    const narrow = await answersOf(params(), rows, { batchSize: 1 });
    wide.forEach(({ row, answers, missing }, i) => {
      assert.is(row, rows[i]);
      assert.equal(
        answers.map(({ text }) => text),
        narrow[i].answers.map(({ text }) => text),
      );
      answers.forEach(({ score }, k) => assert.ok(Math.abs(score - narrow[i].answers[k].score) < 1e-6));
      assert.ok(missing === narrow[i].missing || Math.abs(missing - narrow[i].missing) < 1e-6);
    });
  });

  test(`with ${name}, the loss of a batch is the mean of its windows' own losses`, async () => {
    const { batch, loss } = answerLearner(config);
    const answered = rows.flatMap((row, i): QuestionRow[] => [
      { ...row, answers: [] },
      ...(i === 1 ? [] : [{ ...row, answers: [{ text: row.context.slice(-1), start: row.context.length - 1 }] }]),
    ]);
    // HuggingFace's loss counts padding as places where an answer could be, so there all batches have to be equally long.
    const padded = name === 'the published head' ? 0 : 8;
    const examples = answerExamples(answered.map(windower(tokenizer, windowing))).filter(({ ids }) => ids.length > padded);
    const of = (some: typeof examples) => loss(key(4), params(), batch(some)).item();
    const each: number[] = [];
    for (const one of examples) each.push(await of([one]));
    const mean = each.reduce((a, b) => a + b) / each.length;
    assert.ok(Math.abs((await of(examples)) - mean) < 1e-9 * mean);
  });
}

test('a window learns where the whole answer is, [CLS] where it is not, and nothing from answers without tokens', () => {
  const cut = windower(tokenizer, { sequenceLength: 8, stride: 2, questionLength: 1 });
  const of = (changed: Partial<QuestionRow>) =>
    answerExamples([cut({ where: 'here:1', id: '1', question: 'a', context: 'a b c d e f g', ...changed })]).map(
      ({ start, end, impossible }) => [start, end, impossible],
    );
  assert.equal(of({ answers: [{ text: 'c d', start: 4 }] }), [[5, 6, 0], [3, 4, 0], [0, 0, 0]]);
  assert.equal(of({ answers: [] }), [[0, 0, 1], [0, 0, 1], [0, 0, 1]]);
  assert.equal(of({ answers: [{ text: ' ', start: 1 }] }), []);
  assert.throws(() => of({}), /here:1: expected answers to learn from/);
});

test('whoever answers has no dropout, whatever the configuration says', async () => {
  for (const params of [published, huggingface]) {
    const [sure, unsure] = [0, 0.5].map((rate) => ({ ...config, dropout: rate, attentionDropout: rate, classifierDropout: rate }));
    const of = async (config: ElectraConfig) => {
      const all: AnsweredQuestion[] = [];
      for await (const one of answerQuestions(params(), config, tokenizer, rows, windowing)) all.push(one);
      return all;
    };
    assert.equal(await of(unsure), await of(sure));
  }
});

test('above the threshold the best answer is the empty one; without a threshold, or a head that can say so, never', async () => {
  const [first] = await answersOf(published(), rows);
  const { missing } = first;
  assert.is(bestAnswer(first), first.answers[0].text);
  assert.is(bestAnswer(first, missing), first.answers[0].text);
  assert.is(bestAnswer(first, missing - 1e-6), '');
  const [deaf, empty] = await answersOf(published({ noAnswer: false }), rows);
  assert.is(bestAnswer(deaf, -1000), deaf.answers[0].text);
  assert.is(bestAnswer(empty), '');
});

test.run();
