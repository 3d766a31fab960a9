/**
 * Fine-tunes a pre-trained discriminator to find answers in a text, or judges one that can, on questions in SQuAD's JSON.
 *
 *     npx tsx examples/answer.ts runs/1 --train train-v2.0.json --dev dev-v2.0.json --out runs/squad
 *     npx tsx examples/answer.ts runs/1 --train xquad.en.json --out runs/xquad      # half of the texts to learn from, half to judge by
 *     npx tsx examples/answer.ts runs/squad --dev dev-v2.0.json --predictions predictions.json
 *     npx tsx examples/answer.ts runs/squad --dev questions.json                    # without right answers in it: only answered
 *
 * OUT is a model folder with predictions.json, the answer to each question by its id, as SQuAD's official script reads it.
 */
import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { AnsweredQuestion, AnswerParams, DeviceName, ElectraConfig, HeadStyle, Measurement, QuestionRow, Tensor, WindowedQuestion, WordPiece } from '../lib/index.ts';
import {
  answerExamples, answerLearner, answerQuestions, bestAnswer, bestThreshold, completed, evaluateTask, exactMatch, finetune, initSpanHead,
  initTaskHead, key, NO_ANSWER_THRESHOLD, positionsIn, questions, scoped, scoreAnswers, split, textOf, tokenF1, useDevice, windower, withDropout, withTaskHead,
} from '../lib/index.ts';
import { readRows, saveModel, UserError, writeFileAtomic } from '../lib/node.ts';
import { openStart } from './finetune/start.ts';
import { readModel } from './models/open.ts';
import { deviceOption, endClearly } from './models/program.ts';
import { number } from './pretrain/options.ts';

interface Options {
  readonly train?: string;
  readonly dev?: string;
  readonly out?: string;
  readonly predictions?: string;
  readonly head: HeadStyle;
  readonly epochs?: number;
  readonly batch?: number;
  readonly seq?: number;
  readonly stride?: number;
  readonly lr?: number;
  readonly dropout?: number;
  readonly seed: number;
  readonly threshold?: number;
  readonly fromScratch: boolean;
  readonly device?: DeviceName;
}

const task = questions({ unanswerable: true });
const percent = (x: number): string => (100 * x).toFixed(1);

/** The first half of the texts with their questions, and the second: no text is in both. */
const halves = (rows: readonly QuestionRow[]): [QuestionRow[], QuestionRow[]] => {
  const contexts = [...new Set(rows.map(({ context }) => context))];
  const first = new Set(contexts.slice(0, Math.ceil(contexts.length / 2)));
  return [rows.filter(({ context }) => first.has(context)), rows.filter(({ context }) => !first.has(context))];
};

/** How the windows that hold an answer give it back: as it was written, with the rest of a token in which it ends, or wrongly. */
const recovered = (asked: readonly WindowedQuestion[]): string => {
  const counts = { exact: 0, wider: 0, wrong: 0 };
  for (const { row, windows, answer, ...question } of asked)
    for (const window of windows) {
      const [start, end] = positionsIn(window, answer);
      if (start === 0) continue;
      const span = { first: start - window.at + window.first, last: end - window.at + window.first };
      const text = textOf({ row, windows, ...question }, span);
      const gold = row.answers![0].text.trim();
      counts[text === gold ? 'exact' : text.includes(gold) ? 'wider' : 'wrong']++;
    }
  const { exact, wider, wrong } = counts;
  return `${exact + wider + wrong} of these hold the answer, ${wrong} misaligned, ${wider} of them within a longer token`;
};

interface Answerer {
  readonly config: ElectraConfig;
  readonly tokenizer: WordPiece;
  readonly params: AnswerParams;
  readonly sequenceLength: number;
}

/** An encoder that has learned to answer. */
const learn = async (path: string, rows: readonly QuestionRow[], options: Options): Promise<Answerer> => {
  const { seq, stride, batch, lr, epochs, seed, head, dropout } = options;
  const { trained, fresh } = openStart(path);
  const { config: sizes, tokenizer, params } = options.fromScratch ? fresh(seed) : trained;
  const { sequenceLength, ...recipe } = completed({ ...task.recipe, sequenceLength: seq ?? 512, batchSize: batch, learningRate: lr, epochs: epochs ?? 2, dropout }, sizes, 'answering');
  const config = withDropout(sizes, 'answering', head, recipe.dropout);
  const cut = windower(tokenizer, { sequenceLength, stride });
  const asked = rows.map(cut);
  const examples = answerExamples(asked);
  console.log(`${rows.length} questions to learn from, in ${examples.length} windows of up to ${sequenceLength} tokens; ${recovered(asked)}`);
  const settings = { ...recipe, seed };
  let evaluations = 0;
  const last = async () => ++evaluations; // No dev set decides, as published: the last epoch is kept.
  let [losses, shown]: [number[], number] = [[], 0];
  const watch = {
    step: (done: number, steps: number, loss: number) => {
      losses.push(loss);
      if (done < steps && done - shown < steps / 10) return;
      console.log(`step ${done} of ${steps}: loss ${(losses.reduce((a, b) => a + b) / losses.length).toFixed(3)}`);
      [losses, shown] = [[], done];
    },
  };
  const { layers } = config.discriminator;
  const begin = <Head>(fresh: (key: Tensor) => Head) => scoped(() => withTaskHead(params(), fresh(split(key(seed), 'head').head)));
  const tuned =
    head === 'google'
      ? await finetune(begin((key) => initSpanHead(key, config)), layers, answerLearner(config), examples, last, settings, watch)
      : await finetune(begin((key) => initTaskHead(key, 'answering', 2, config, head)), layers, answerLearner(config), examples, last, settings, watch);
  return { config, tokenizer, params: tuned.params, sequenceLength };
};

/** A model that learned it before. */
const openAnswering = (path: string): Answerer => {
  const { config, params, tokenizer, task, sequenceLength = Math.min(512, config.maxPositions) } = readModel(path);
  if (task !== 'answering' || !('task' in params)) throw new UserError(`${path} does not answer questions yet; give --train, and it learns to`);
  if (tokenizer === undefined) throw new UserError(`${path} has no vocab.txt or tokenizer.json, without which no text can be read for it; copy one there`);
  return { config, params, tokenizer, sequenceLength };
};

/** The text that answers each question; none is empty unless a threshold is given, since nobody knows whether some should be. */
const answersOf = (answered: readonly AnsweredQuestion[], threshold?: number): string[] => {
  const unknown = answered.filter(({ row }) => row.answers === undefined).length;
  const always = threshold === undefined ? '; each gets an answer, without --threshold' : '';
  console.log(`${answered.length} questions answered, not judged, since ${unknown} of them have no right answers to compare with${always}`);
  return answered.map((question) => bestAnswer(question, threshold));
};

/** Prints the scores, and returns the text that answers each question. */
const judge = (answered: readonly AnsweredQuestion[], published: boolean, chosen?: number): string[] => {
  const rows = answered.map(({ row }) => row);
  const gold = rows.map(({ answers = [] }) => answers.map(({ text }) => text));
  const bare = answered.map((question) => bestAnswer(question));
  const unanswerable = gold.some((answers) => answers.length === 0);
  const threshold = chosen ?? (published ? NO_ANSWER_THRESHOLD : 0);
  const predicted = unanswerable ? answered.map((question) => bestAnswer(question, threshold)) : bare;
  const scores = scoreAnswers(predicted, gold);
  const shown = ({ name, value, low, high }: Measurement) => `${name} ${percent(value)} (95 %: ${percent(low)} to ${percent(high)})`;
  const guesses = predicted.map((text) => ({ predicted: text }));
  console.log(`${answered.length} questions judged: ${evaluateTask(task, [guesses], rows).map(shown).join(', ')}`);
  if (!unanswerable) return predicted;
  for (const [name, { exact, f1, count }] of [['with an answer', scores.hasAnswer], ['without', scores.noAnswer]] as const)
    console.log(`  ${count} ${name}: exact match ${percent(exact)}, F1 ${percent(f1)}`);
  const missing = answered.map((question) => question.missing);
  for (const [name, score] of [['exact match', exactMatch], ['F1', tokenF1]] as const) {
    const best = bestThreshold(bare, missing, gold, score);
    console.log(`  best ${name} ${percent(best.score)}, with --threshold ${best.threshold.toFixed(3)} in place of ${threshold}`);
  }
  return predicted;
};

const run = async (path: string, options: Options): Promise<void> => {
  if (options.train === undefined && options.dev === undefined) throw new UserError('there is nothing to learn from or to be judged by; give --train, --dev or both');
  await useDevice(options.device);
  const all = options.train === undefined ? [] : readRows(task, options.train);
  const [train, dev] = options.dev === undefined ? halves(all) : [all, readRows(task, options.dev, { unlabelled: true })];
  const { config, tokenizer, params, sequenceLength: learned } = options.train === undefined ? openAnswering(path) : await learn(path, train, options);

  const sequenceLength = Math.min(options.seq ?? learned, config.maxPositions);
  const answered: AnsweredQuestion[] = [];
  for await (const one of answerQuestions(params, config, tokenizer, dev, { sequenceLength, stride: options.stride })) answered.push(one);
  const judged = dev.every(({ answers }) => answers !== undefined);
  const predicted = judged ? judge(answered, 'start' in params.task, options.threshold) : answersOf(answered, options.threshold);

  const { out, predictions = out && join(out, 'predictions.json') } = options;
  if (out !== undefined) await saveModel(out, { config, params, tokenizer, task: 'answering', sequenceLength: learned });
  if (predictions === undefined) {
    if (!judged) dev.forEach(({ question }, i) => console.log(`${question}  →  ${predicted[i] || '(no answer)'}`));
    return;
  }
  writeFileAtomic(predictions, `${JSON.stringify(Object.fromEntries(dev.map(({ id }, i) => [id, predicted[i]])), null, 1)}\n`);
  console.log(`wrote ${out === undefined ? predictions : `${out}, with predictions.json in it`}`);
};

await endClearly(
  new Command('answer')
    .description('Fine-tunes a discriminator to find answers in a text, or judges one that can.')
    .argument('<model>', "a discriminator's folder, that of a run, or one that answers questions")
    .option('--train <file>', "questions to learn from, in SQuAD's JSON")
    .option('--dev <file>', 'questions to be judged by, or only to be answered (default: those about half of the texts to learn from)')
    .option('--out <dir>', 'folder for the model and its predictions')
    .option('--predictions <file>', 'file for the predictions alone')
    .addOption(new Option('--head <whose>', "Google's head, or HuggingFace's").choices(['google', 'huggingface']).default('google'))
    .option('--epochs <n>', 'how often every question is learned from (default: 2)', number(1))
    .option('--batch <n>', 'windows in a step (default: 32)', number(1))
    .option('--seq <n>', "tokens in a window (default: as it was fine-tuned, else 512, or the model's positions)", number(8))
    .option('--stride <n>', 'tokens from one window to the next (default: 128, or half a window)', number(1))
    .option('--lr <x>', "highest learning rate (default: by the model's size)", number(0, 1, false))
    .option('--dropout <x>', 'dropout rate (default: 0.1, as published; 0 for models narrower than those)', number(0, 0.9, false))
    .option('--seed <n>', 'makes the run repeatable', number(0, 2 ** 31), 0)
    .option('--threshold <x>', 'how sure it must be to answer nothing (default: as published)', number(-1e9, 1e9, false))
    .option('--from-scratch', 'learn without the pre-trained weights, to see what they are worth', false)
    .addOption(deviceOption())
    .action(run),
);
