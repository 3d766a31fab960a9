/**
 * What predicts without a network, to stand beside every result: the most frequent class or the mean value, the most
 * frequent tag, each word's most frequent tag, and the bag of words. For questions there is only the empty answer, where some
 * training question has none.
 */
import type { HostKey } from '../text/order.ts';
import { bagOfWords } from './bag.ts';
import { labelsOf } from './labels.ts';
import type { Baseline, QuestionRow, Row, TaggedRow, TaskDeclaration, TextRow } from './task.ts';

/** The most frequent of some names, of equally frequent ones the first in the alphabet; '' of none. */
const mostFrequent = (names: Iterable<string>): string => {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const [best] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return best?.[0] ?? '';
};

/** The most frequent class of the training rows, as likely as it is frequent, or the mean of their values, for every text. */
export const majority = (train: readonly TextRow[], labels = labelsOf({}, train)): Baseline<TextRow> => {
  const values = train.flatMap(({ label }) => (typeof label === 'number' ? [label] : []));
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  const always =
    values.length > 0 ? mean : mostFrequent(train.flatMap(({ label }) => (typeof label === 'string' ? [label] : [])));
  const shares = labels.map((name) => train.filter(({ label }) => label === name).length / train.length);
  const guess = { predicted: always, ...(labels.length > 0 && { probabilities: shares }) };
  return {
    name: values.length > 0 ? 'mean value' : 'most frequent class',
    predict: async (rows) => rows.map(() => guess),
  };
};

/** The most frequent tag of the training rows for every word. */
export const majorityTag = (train: readonly TaggedRow[]): Baseline<TaggedRow> => {
  const tag = mostFrequent(train.flatMap(({ tags }) => tags ?? []));
  return {
    name: 'most frequent tag',
    predict: async (rows) => rows.map(({ words }) => ({ predicted: words.map(() => tag) })),
  };
};

/** For every word the tag that it has most often in the training rows; for a new one the most frequent tag of words that occur once. */
export const tagPerWord = (train: readonly TaggedRow[]): Baseline<TaggedRow> => {
  const seen = new Map<string, string[]>();
  for (const { words, tags = [] } of train) {
    tags.forEach((tag, i) => {
      const before = seen.get(words[i]);
      if (before) before.push(tag);
      else seen.set(words[i], [tag]);
    });
  }
  const once = [...seen.values()].flatMap((tags) => (tags.length === 1 ? tags : []));
  const unknown = mostFrequent(once.length > 0 ? once : [...seen.values()].flat());
  const best = new Map([...seen].map(([word, tags]) => [word, mostFrequent(tags)]));
  return {
    name: 'most frequent tag of each word',
    predict: async (rows) => rows.map(({ words }) => ({ predicted: words.map((word) => best.get(word) ?? unknown) })),
  };
};

const noAnswer: Baseline<QuestionRow> = {
  name: 'no answer',
  predict: async (rows) => rows.map(() => ({ predicted: '' })),
};

/** The baselines of a task, trained on its training rows, weakest first. All chance follows from the key. */
export const baselinesOf = async <R extends Row>(
  key: HostKey,
  { task, labels }: Pick<TaskDeclaration<R>, 'task' | 'labels'>,
  train: readonly R[],
): Promise<Baseline<R>[]> => {
  const rows: readonly Row[] = train;
  const those = (): Baseline<never>[] | Promise<Baseline<never>[]> => {
    if (task === 'tagging') return [majorityTag(rows as TaggedRow[]), tagPerWord(rows as TaggedRow[])];
    if (task === 'answering')
      return (rows as QuestionRow[]).some(({ answers }) => answers?.length === 0) ? [noAnswer] : [];
    return bagOfWords(key, rows as TextRow[], labels).then((bag) => [majority(rows as TextRow[], labels), bag]);
  };
  return (await those()) as Baseline<R>[];
};
