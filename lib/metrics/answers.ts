/**
 * How extracted answers are judged (Rajpurkar et al. 2016; the official script of SQuAD 2.0). An answer and a right one are
 * first made alike: lower case, without ASCII punctuation, without a, an and the, single spaces. Exact match asks that they
 * are then equal; token F1 takes both as bags of words. Of several right answers the best counts; a question without one has
 * the empty answer, for which there is no part of a point.
 */
import { f1Of, requirePairs } from './classification.ts';

const PUNCTUATION = /[!-/:-@[-`{-~]/g;
// Python's \b and whitespace, which the official script uses, know all of Unicode.
const ARTICLES = /(?<![\p{L}\p{N}_])(a|an|the)(?![\p{L}\p{N}_])/gu;
const SPACES = /[\t-\r\x1c-\x20\x85\p{Z}]+/gu;

/** The words of an answer, as they are compared. */
const words = (answer: string): string[] =>
  answer.toLowerCase().replace(PUNCTUATION, '').replace(ARTICLES, ' ').split(SPACES).filter((word) => word !== '');

/** An answer as it is compared: `normaliseAnswer('The U.S. army')` is `'us army'`. */
export const normaliseAnswer = (answer: string): string => words(answer).join(' ');

const tokensInCommon = (predicted: string[], gold: string[]): number => {
  const left = new Map<string, number>();
  for (const word of gold) left.set(word, (left.get(word) ?? 0) + 1);
  return predicted.filter((word) => {
    const count = left.get(word) ?? 0;
    left.set(word, count - 1);
    return count > 0;
  }).length;
};

/** The best score over the right answers that are not empty, or against the empty answer. */
const best = (score: (predicted: string[], gold: string[]) => number, predicted: string, gold: readonly string[]): number => {
  const answers = gold.map(words).filter(({ length }) => length > 0);
  return Math.max(...(answers.length > 0 ? answers : [[]]).map((answer) => score(words(predicted), answer)));
};

/** 1 when an answer equals one of the right ones, else 0. No right answers, or only empty ones: '' is right. */
export const exactMatch = (predicted: string, gold: readonly string[]): number =>
  best((a, b) => (a.join(' ') === b.join(' ') ? 1 : 0), predicted, gold);

/** The largest F1 of an answer's words with those of a right one. No right answers, or only empty ones: '' is right. */
export const tokenF1 = (predicted: string, gold: readonly string[]): number =>
  best((a, b) => (a.length === 0 && b.length === 0 ? 1 : f1Of(tokensInCommon(a, b), a.length, b.length).f1), predicted, gold);

/** Exact match and token F1, each the mean over some questions. */
export interface AnswerScore {
  readonly exact: number;
  readonly f1: number;
  readonly count: number;
}

const meanScore = (predicted: readonly string[], gold: readonly (readonly string[])[], chosen: readonly number[]): AnswerScore => {
  const mean = (score: typeof exactMatch) => chosen.reduce((sum, i) => sum + score(predicted[i], gold[i]), 0) / chosen.length;
  return { exact: mean(exactMatch), f1: mean(tokenF1), count: chosen.length };
};

/**
 * The scores of predicted answers, each against the right ones: over all questions,
 * those with an answer, and those without; NaN of no questions.
 */
export const scoreAnswers = (
  predicted: readonly string[],
  gold: readonly (readonly string[])[],
): Record<'all' | 'hasAnswer' | 'noAnswer', AnswerScore> => {
  requirePairs('scoreAnswers', predicted, gold);
  const rows = [...gold.keys()];
  return {
    all: meanScore(predicted, gold, rows),
    hasAnswer: meanScore(predicted, gold, rows.filter((i) => gold[i].length > 0)),
    noAnswer: meanScore(predicted, gold, rows.filter((i) => gold[i].length === 0)),
  };
};

/**
 * The threshold that would have been best: questions whose `missing` is above it get the empty answer. This is the official
 * script's `find_best_thresh`, of `best_exact` and `best_f1`. Chosen on the rows that it is judged by, it flatters.
 */
export const bestThreshold = (
  predicted: readonly string[],
  missing: readonly number[],
  gold: readonly (readonly string[])[],
  score: (predicted: string, gold: readonly string[]) => number = tokenF1,
): { readonly threshold: number; readonly score: number } => {
  requirePairs('bestThreshold', predicted, gold);
  requirePairs('bestThreshold', missing, gold);
  const order = [...gold.keys()].sort((a, b) => missing[a] - missing[b]);
  let sum = gold.reduce((total, answers) => total + score('', answers), 0);
  let best = { threshold: -Infinity, sum };
  order.forEach((i, place) => {
    sum += score(predicted[i], gold[i]) - score('', gold[i]);
    // Questions that are equally sure are answered together.
    if (missing[order[place + 1]] !== missing[i] && sum > best.sum) best = { threshold: missing[i], sum };
  });
  return { threshold: best.threshold, score: best.sum / gold.length };
};
