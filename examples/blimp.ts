/**
 * How often a pre-trained model prefers the right one of two sentences, by grammatical phenomenon: by the generator's
 * pseudo-log-likelihood and by the discriminator's verdicts (lib/tasks/minimalpairs.ts). Pairs are BLiMP's, or in its JSONL.
 *
 *     npx tsx examples/blimp.ts runs/1 BLiMP.zip --limit 100
 *
 * Intervals are of other pairs of the same kinds; a coin has 50 %. Two equal scores count as wrong.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Command, Option } from 'commander';
import { strFromU8, unzipSync } from 'fflate';
import type { DeviceName, MinimalPair, Scorer } from '../lib/index.ts';
import { bootstrap, minimalPairs, originality, pseudoLikelihood, useDevice } from '../lib/index.ts';
import { clearly, UserError } from '../lib/node.ts';
import type { Network } from './models/open.ts';
import { openModel } from './models/open.ts';
import { deviceOption, endClearly } from './models/program.ts';
import { number } from './pretrain/options.ts';

const isPairs = (name: string): boolean => /(^|\/)[^./][^/]*\.jsonl$/.test(name) && !name.includes('__MACOSX');

/** The files of pairs at a path, a file, a folder or a .zip, each with its text. */
const filesAt = (path: string): [string, string][] => {
  const bytes = () => clearly(`read ${path}`, () => readFileSync(path));
  if (existsSync(path) && statSync(path).isDirectory()) return readdirSync(path).filter(isPairs).sort().flatMap((name) => filesAt(join(path, name)));
  if (!path.endsWith('.zip')) return [[path, bytes().toString()]];
  return Object.entries(unzipSync(bytes(), { filter: ({ name }) => isPairs(name) }))
    .map(([name, text]): [string, string] => [`${path}/${name}`, strFromU8(text)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
};

/** Whether the right sentence of each pair has the higher score. */
const preferred = async (score: Scorer, pairs: readonly MinimalPair[]): Promise<boolean[]> => {
  const scores = await score(pairs.flatMap(({ good, bad }) => [good, bad]));
  return pairs.map((_, i) => scores[2 * i] > scores[2 * i + 1]);
};

const percent = (x: number): string => (100 * x).toFixed(1);

const accuracyOf = (right: readonly boolean[]): string => {
  const { value, low, high } = bootstrap([0, 1], [right], (rows) => rows.filter(Boolean).length / rows.length);
  return `${percent(value).padStart(5)} (${percent(low)} to ${percent(high)})`;
};

interface Options {
  readonly limit?: number;
  readonly by: 'phenomenon' | 'paradigm';
  readonly batchTokens?: number;
  readonly device?: DeviceName;
}

const blimp = async (path: string, sources: string[], { limit = Infinity, by, batchTokens, device }: Options): Promise<void> => {
  const files = sources.flatMap(filesAt).map(([name, text]) => minimalPairs(text, name).slice(0, limit));
  if (files.length === 0) throw new UserError(`${sources.join(', ')}: there is no .jsonl file in it; give BLiMP.zip, a folder of such files, or one`);
  await useDevice(device);
  const scorerOf = (network: Network, scorer: typeof originality): Scorer => {
    const { params, config, tokenizer } = openModel(path, network);
    return scorer(params, config, tokenizer, { batchTokens });
  };
  const scorers = [scorerOf('generator', pseudoLikelihood), scorerOf('discriminator', originality)];

  const groups = new Map<string, boolean[][]>();
  for (const [i, pairs] of files.entries()) {
    if (process.stderr.isTTY) process.stderr.write(`\r${i + 1} of ${files.length}: ${basename(pairs[0].where)}\x1b[K`);
    for (const [column, scorer] of scorers.entries()) {
      (await preferred(scorer, pairs)).forEach((right, row) => {
        const name = pairs[row][by];
        if (!groups.has(name)) groups.set(name, [[], []]);
        groups.get(name)![column].push(right);
      });
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const width = Math.max(...[...groups.keys()].map(({ length }) => length), 9);
  const line = (name: string, count: string, columns: string[]) => console.log(`${name.padEnd(width)}  ${count.padStart(6)}  ${columns.map((text) => text.padEnd(24)).join('')}`.trimEnd());
  line(by, 'pairs', ['generator', 'discriminator']);
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, columns] of sorted) line(name, String(columns[0].length), columns.map(accuracyOf));
  const all = [0, 1].map((column) => sorted.flatMap(([, columns]) => columns[column]));
  line('all', String(all[0].length), all.map(accuracyOf));
};

await endClearly(
  new Command('blimp')
    .description('How often a model prefers the right one of two sentences, by grammatical phenomenon.')
    .argument('<run>', 'the folder of a run, or one with generator/ and discriminator/ in it')
    .argument('<pairs...>', "pairs in BLiMP's JSONL: files, folders or .zip")
    .option('--limit <n>', 'no more than the first n pairs of each file', number(1))
    .addOption(new Option('--by <kind>', 'what has a line of the table').choices(['phenomenon', 'paradigm']).default('phenomenon'))
    .option('--batch-tokens <n>', 'tokens that are read at once, padding included (default: 1024)', number(1))
    .addOption(deviceOption())
    .action(blimp),
);
