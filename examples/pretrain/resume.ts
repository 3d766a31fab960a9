/**
 * What a checkpoint remembers beside the state, and whether a run may go on from it: only with the settings that it was
 * started with, since every one of them decides its numbers. The place in the data is the step, and evaluations follow
 * from state, step and seed, so nothing else is needed for a run that goes on to be the run it was, bit for bit.
 */
import { arch, cpus, platform } from 'node:os';
import type { ElectraConfig, WordPiece } from '../../lib/index.ts';
import type { MetricsRecord } from '../../lib/node.ts';
import { UserError } from '../../lib/node.ts';
import { settingsByPath } from '../report/format.ts';
import type { Options } from './options.ts';
import { evalEvery } from './options.ts';

/** Everything that decides the numbers of a run. */
export interface Settings extends Pick<Options, 'seed' | 'cased' | 'evalEvery' | 'init' | 'accumulate'> {
  /** As asked for: the vocabulary that is learned may turn out smaller. */
  readonly config: ElectraConfig;
  /** The number of documents and their hash. */
  readonly corpus: string;
}

/** What computes: with another processor, Node or SIMD the last bits may differ. */
export interface Machine {
  readonly system: string;
  readonly processor: string;
  readonly node: string;
  readonly device: string;
}

export interface Remembered extends Record<string, unknown> {
  readonly settings: Settings;
  readonly options: Partial<Options>;
  readonly machine: Machine;
  readonly tokenizer: { readonly vocab: readonly string[]; readonly options: WordPiece['options'] };
  /** What was measured before this step; an evaluation at the step itself comes again. */
  readonly metrics: readonly MetricsRecord[];
  /** Time spent so far. */
  readonly seconds: number;
}

export const settingsOf = (options: Options, config: ElectraConfig, corpus: string): Settings => {
  const { seed, cased, init, accumulate } = options;
  return { seed, cased, init, accumulate, evalEvery: evalEvery(options, config), config, corpus };
};

/** This machine, with the device that was opened on it. */
export const machineOf = (device: string): Machine => ({
  system: `${platform()} ${arch()}`,
  processor: cpus()[0]?.model ?? 'unknown',
  node: process.version,
  device,
});

/** Where two values differ: `'config.training.steps' was 100, is now 200`. */
export const differences = (before: object, now: object): string[] => {
  const [was, is] = [new Map(settingsByPath(before)), new Map(settingsByPath(now))];
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((path) => was.get(path) !== is.get(path))
    .map((path) => `'${path}' was ${JSON.stringify(was.get(path)) ?? 'not given'}, is now ${JSON.stringify(is.get(path)) ?? 'not given'}`);
};

/** Throws a UserError that names every difference, if there is one. */
export const refuseOthers = (folder: string, before: object, now: object): void => {
  const found = differences(before, now);
  if (found.length === 0) return;
  throw new UserError(
    `${folder} cannot go on, for it was started otherwise:\n  ${found.join('\n  ')}\n` +
      'leave those flags out and give the corpus of then, or start a new run (--out)',
  );
};

/** Of some steps, the one with the smallest held-out loss, by the last evaluation up to it. */
export const bestOf = (steps: readonly number[], metrics: readonly MetricsRecord[]): number | undefined => {
  const heldOut = metrics.filter(({ split }) => split === 'heldout');
  const lossAt = (step: number) => heldOut.findLast((record) => record.step <= step)?.loss ?? Infinity;
  return [...steps].sort((a, b) => lossAt(a) - lossAt(b))[0];
};
