/** A held-out text as ELECTRA saw it: which words were hidden, what the generator put there, what was made of each. */
import type { MetricsRecord, SampledWord } from '../../lib/node.ts';

export type Word = SampledWord;

/** The sample after so many steps. */
export interface PaintedSample {
  readonly step: number;
  readonly words: readonly Word[];
}

/** The samples that were recorded with the evaluations, in their order. */
export const samplesOf = (records: readonly MetricsRecord[]): PaintedSample[] =>
  records.flatMap(({ step, sample }) => (sample ? [{ step, words: sample }] : []));

/** At most `most` of a list, evenly spread, the first and the last among them. */
export const spread = <T>(list: readonly T[], most: number): T[] =>
  list.length <= most
    ? [...list]
    : Array.from({ length: most }, (_, i) => list[Math.round((i * (list.length - 1)) / (most - 1))]);

/** Whether the discriminator calls the word replaced. */
export const isFlagged = ({ probability }: Word): boolean => probability >= 0.5;

export const isContinuation = ({ text }: Pick<Word, 'text'>): boolean => text.startsWith('##') && text.length > 2;

export const withoutHashes = (text: string): string => (text.length > 2 ? text.replace(/^##/, '') : text);

/** What the discriminator's verdict on a word amounts to, or undefined where there is nothing to say. */
export const verdictOf = (word: Word): 'caught' | 'missed' | 'false alarm' | undefined => {
  if (word.replaced) return isFlagged(word) ? 'caught' : 'missed';
  return isFlagged(word) ? 'false alarm' : undefined;
};
