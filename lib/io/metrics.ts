/**
 * metrics.jsonl: what a run measured, one JSON object a line, one line for each evaluation on the training text
 * (`train`) or on text held out from it (`heldout`). Losses are in nats. A number that is not finite, or was not
 * measured, is null. A line of held-out text can hold a sample, the same text each time. Lines are appended as they
 * come, so a killed run loses at most the last one.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { writeFileAtomic } from './atomic.ts';
import { clearly, UserError } from './error.ts';

const NUMBERS = [
  'loss',
  'mlmLoss',
  'mlmMaskedLoss',
  'mlmAccuracy',
  'sampledAccuracy',
  'rtdLoss',
  'rtdAuc',
  'rtdAucLow',
  'rtdAucHigh',
  'rtdAccuracy',
  'rtdPrecision',
  'rtdRecall',
  'learningRate',
  'tokensPerSecond',
] as const;

/** A token of a sample as it went through the step. */
export interface SampledWord {
  /** As the discriminator saw it; a piece that continues the word before it begins with `##`. */
  readonly text: string;
  /** What stood there, if the generator had to guess it. */
  readonly original?: string;
  /** Whether the generator saw [MASK] there. */
  readonly hidden: boolean;
  /** Whether the generator put another token there. */
  readonly replaced: boolean;
  /** That the token was replaced, according to the discriminator. */
  readonly probability: number;
  /** What the generator held likeliest there, best first, with its probability. */
  readonly guesses?: readonly (readonly [text: string, probability: number])[];
}

export interface MetricsRecord extends Record<(typeof NUMBERS)[number], number | null> {
  /** Steps done. */
  step: number;
  split: 'train' | 'heldout';
  sample?: readonly SampledWord[];
}

/** What one gives to be written: numbers that were not measured may be left out. */
export type Measured = Pick<MetricsRecord, 'step' | 'split'> & Partial<MetricsRecord>;

const lineOf = (measured: Measured): string => {
  const { step, split, sample } = measured;
  const numbers = NUMBERS.map((name) => [name, Number.isFinite(measured[name]) ? measured[name] : null]);
  return `${JSON.stringify({ step, split, ...Object.fromEntries(numbers), sample })}\n`;
};

/** Appends one line. */
export const appendMetrics = (path: string, measured: Measured): void =>
  clearly(`write ${path}`, () => appendFileSync(path, lineOf(measured)));

/** Makes these the lines of the file: a run that goes on from an earlier step drops what came after it. */
export const writeMetrics = (path: string, all: readonly Measured[]): void =>
  writeFileAtomic(path, all.map(lineOf).join(''));

/** All lines of the file, without a last one that was only half written. */
export const readMetrics = (path: string): MetricsRecord[] => {
  const lines = clearly(`read ${path}`, () => readFileSync(path, 'utf8')).split('\n');
  lines.pop(); // what follows the last line end: nothing, or a torn line
  return lines.map((line, i) => {
    try {
      return JSON.parse(line);
    } catch (cause) {
      throw new UserError(`${path}, line ${i + 1} is not JSON; remove that line`, { cause });
    }
  });
};
