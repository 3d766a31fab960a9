/** Where a fine-tuning begins: the encoder that was pre-trained, or the same one freshly drawn. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Params, Start } from '../../lib/index.ts';
import { initElectra, key, scoped } from '../../lib/index.ts';
import { UserError } from '../../lib/node.ts';
import { kindOf, modelFolder, readModel } from '../models/open.ts';
import { readReport } from '../report/folder.ts';

/** How a run's parameters were drawn; model folders do not say. */
const initialisationOf = (path: string) => (existsSync(join(path, 'report.json')) ? readReport(path).config.initialisation : 'published');

export interface Starts {
  readonly trained: Start;
  readonly fresh: (seed: number) => Start;
}

/** The run in `runs/` that ended last. */
export const newestModel = (): string | undefined => {
  const runs = existsSync('runs') ? readdirSync('runs').map((name) => join('runs', name)) : [];
  const ended = (run: string) => statSync(join(run, 'discriminator', 'config.json'), { throwIfNoEntry: false })?.mtimeMs;
  const finished = runs.flatMap((run) => ((time) => (time === undefined ? [] : [{ run, time }]))(ended(run)));
  return finished.sort((a, b) => b.time - a.time)[0]?.run;
};

/** Steps of a pre-training that is only there so that something can be fine-tuned. */
const BRIEF = 1000;

/** Pre-trains the model of `npm start` for a part of its steps, and says where. */
export const pretrainBriefly = async ({ quiet, device }: { quiet: boolean; device?: string }): Promise<string> => {
  if (!quiet) process.stdout.write(`there is no model in runs/ yet: pre-training one for ${BRIEF} steps (npm start does 3,000)\n`);
  const program = fileURLToPath(new URL('../pretrain.ts', import.meta.url));
  const flags = ['--steps', `${BRIEF}`, ...(quiet ? ['--quiet'] : []), ...(device ? ['--device', device] : [])];
  const [code] = (await once(spawn(process.execPath, ['--import', 'tsx', program, ...flags], { stdio: 'inherit' }), 'close')) as [number | null];
  const made = newestModel();
  if (code !== 0 || made === undefined) throw new UserError('the pre-training did not end well; give the folder of a model');
  return made;
};

/**
 * The encoder in a model folder, or in the folder of a run: pre-trained, and from chance with a seed.
 *
 * Throws a UserError when the folder cannot be read, holds no discriminator or has no tokenizer.
 */
export const openStart = (path: string): Starts => {
  const dir = modelFolder(path, 'discriminator');
  const first = readModel(dir);
  const { config, tokenizer } = first;
  if (!('discriminator' in first.params)) throw new UserError(`${dir}: expected a discriminator to fine-tune, but this is a ${kindOf(first)}`);
  if (tokenizer === undefined) throw new UserError(`${dir} has no vocab.txt or tokenizer.json, without which no text can be read for it; copy one there`);
  const begin = { config, tokenizer };
  const drawn = { ...config, initialisation: initialisationOf(path), generator: config.discriminator };
  return {
    trained: { ...begin, params: () => readModel(dir).params as Pick<Params, 'embeddings' | 'discriminator'> },
    fresh: (seed) => ({
      ...begin,
      params: () =>
        scoped(() => {
          const { embeddings, discriminator } = initElectra(key(seed), drawn);
          return { embeddings, discriminator };
        }),
    }),
  };
};
