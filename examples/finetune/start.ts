/** Where a fine-tuning begins: the encoder that was pre-trained, or the same one freshly drawn. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Params, Start } from '../../lib/index.ts';
import { initElectra, key, scoped } from '../../lib/index.ts';
import { UserError } from '../../lib/node.ts';
import { kindOf, modelFolder, readModel } from '../models/open.ts';
import { readReport } from '../report/folder.ts';

/** How a run's parameters were drawn; model folders do not say. */
const initialisationOf = (path: string) => (existsSync(join(path, 'report.json')) ? readReport(path).config.initialisation : 'published');

/**
 * The encoder in a model folder, or in the folder of a run: pre-trained, and from chance with a seed.
 *
 * Throws a UserError when the folder cannot be read, holds no discriminator or has no tokenizer.
 */
export const openStart = (path: string): { readonly trained: Start; readonly fresh: (seed: number) => Start } => {
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
