/**
 * What a fine-tuning came to: every metric of every contender on the dev and test rows, with the 95 % interval of its mean
 * over all seeds (rows are drawn again, the same for each seed), and the deviation between seeds.
 */
import chalk from 'chalk';
import { evaluateTask, goldOf } from '../../lib/index.ts';
import type { Guess, Interval, Judgement } from '../../lib/index.ts';
import type { Data, Tunable } from './data.ts';

/** What one contender says of the rows of a split, with each of its seeds. */
export interface Contender {
  readonly name: string;
  readonly guesses: readonly (readonly Guess<Tunable>[])[];
}

export interface Result extends Interval {
  readonly name: string;
  readonly split: 'dev' | 'test';
  readonly metric: string;
  /** One for each seed; `value` is their mean. */
  readonly seeds: readonly number[];
  /** Standard deviation between seeds; none of a single one. */
  readonly deviation?: number;
}

const deviationOf = (values: readonly number[]): number => {
  const mean = values.reduce((a, b) => a + b) / values.length;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1));
};

/** All metrics of a contender on rows with labels. */
export const measure = ({ declaration }: Data, split: Result['split'], rows: readonly Tunable[], { name, guesses }: Contender): Result[] =>
  evaluateTask(declaration, guesses, rows, { samples: 500 }).map(({ name: metric, runs: seeds, ...interval }) => ({ name, split, metric, ...interval, seeds, ...(seeds.length > 1 && { deviation: deviationOf(seeds) }) }));

/** Predictions that are all the same correlate with nothing: '–'. */
const shown = ({ value, deviation, low, high }: Result): string =>
  Number.isNaN(value) ? '–' : `${value.toFixed(3)}${deviation === undefined ? '' : ` ± ${deviation.toFixed(3)}`}  (${low.toFixed(3)} to ${high.toFixed(3)})`;

/** The results as the lines of a table: a contender a row, a metric a column. */
export const tableOf = (results: readonly Result[], { declaration, dev, test }: Data): string[] =>
  (['dev', 'test'] as const).flatMap((split) => {
    const of = results.filter((result) => result.split === split);
    if (of.length === 0) return [];
    const metrics = declaration.metrics.map(({ name }) => name);
    const count = (split === 'dev' ? dev : (test ?? [])).length.toLocaleString('en');
    const rows = [[`${split}, ${count} rows`, ...metrics], ...[...new Set(of.map(({ name }) => name))].map((name) => [name, ...of.filter((result) => result.name === name).map(shown)])];
    const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
    return ['', ...rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i])).join('   ').trimEnd())];
  });

/**
 * Rows with what was said of them, as lines of predictions.jsonl; `gold` is left out where there is no label:
 *
 *     {"where": "dev.csv:2", "text": "…", "pair": "…", "gold": "ham", "predicted": "spam", "probability": 0.97, "probabilities": [0.03, 0.97]}
 *     {"where": "dev.csv:3", "text": "…", "gold": 0.4, "predicted": 0.38}
 *     {"where": "dev.conllu:7", "words": ["…"], "gold": ["…"], "predicted": ["…"], "probability": [0.99]}
 *
 * `probabilities` are those of all classes, in the order of the model's labels.
 */
export const predictionLines = (rows: readonly Tunable[], judgements: readonly Judgement[]): string => {
  const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value);
  return rows
    .map((row, i) => {
      const what = 'words' in row ? { words: row.words } : { text: row.text, ...(row.pair !== undefined && { pair: row.pair }) };
      const gold = goldOf(row);
      return `${JSON.stringify({ where: row.where, ...what, ...(gold !== undefined && { gold }), ...judgements[i] }, rounded)}\n`;
    })
    .join('');
};

/** Rows of samples, and how much of a text is shown. */
const SAMPLES = 6;
const SHOWN = 90;

/** Some predictions in words: what is right as it is, what is wrong with what would be right behind it. */
export const sampleLines = (rows: readonly Tunable[], judgements: readonly Judgement<Tunable>[]): string[] => {
  const every = Math.max(1, Math.floor(rows.length / SAMPLES));
  const said = (predicted: unknown, gold: unknown): string => {
    if (typeof predicted === 'number') return `${predicted.toFixed(2)}${gold === undefined ? '' : chalk.dim(` (${String(gold)})`)}`;
    return gold === undefined || gold === predicted ? chalk.green(String(predicted)) : `${chalk.red(String(predicted))} ${chalk.dim(`(right: ${String(gold)})`)}`;
  };
  const lines = rows.flatMap((row, i) => {
    if (i % every !== 0 || i / every >= SAMPLES) return [];
    const [{ predicted }, gold] = [judgements[i], goldOf(row)];
    if ('words' in row) return [row.words.slice(0, 16).map((word, k) => `${word} ${said((predicted as readonly string[])[k], (gold as readonly string[] | undefined)?.[k])}`).join(' · ')];
    const text = [row.text, ...(row.pair === undefined ? [] : [row.pair])].join(' | ').replace(/\s+/g, ' ');
    return [`${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}  →  ${said(predicted, gold)}`];
  });
  return ['', 'what it says of dev rows, with what is right in brackets where that is something else:', ...lines];
};
