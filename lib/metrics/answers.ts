/**
 * How extracted answers are judged (Rajpurkar et al. 2016; the official script of SQuAD 2.0). An answer and a right one are
 * first made alike: lower case, without ASCII punctuation, without a, an and the, single spaces. Exact match asks that they
 * are then equal; token F1 takes both as bags of words. Of several right answers the best counts; a question without one has
 * the empty answer, for which there is no part of a point.
 */
import { f1Of } from './classification.ts';

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
