/**
 * A trained network, opened for use: its folder is read, and a text becomes a batch of one row. Whatever is wrong with
 * either is said in a sentence.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Batch, ElectraConfig, Params, WordPiece } from '../../lib/index.ts';
import { tensor, withoutDropout } from '../../lib/index.ts';
import type { Model } from '../../lib/node.ts';
import { loadModel, UserError } from '../../lib/node.ts';

export type Network = 'discriminator' | 'generator';

export interface Opened {
  /** Without dropout. */
  readonly config: ElectraConfig;
  readonly tokenizer: WordPiece;
  /** Of the two networks, only the one that was asked for is there. */
  readonly params: Params;
}

/** What a folder holds. */
export const kindOf = ({ params, task }: Model): string => {
  if (task !== undefined) return `encoder fine-tuned for ${task}`;
  return 'discriminator' in params ? 'discriminator' : 'generator';
};

/** What is in a folder in place of a model's config.json, and what to do about it. */
const insteadOf = (dir: string): string | undefined => {
  const has = (name: string) => existsSync(join(dir, name));
  if (has('model')) return 'it is of a fine-tuning, whose model is in its folder model/; give that, or here a network that was only pre-trained';
  if (has('discriminator')) return 'the networks in it were only pre-trained; examples/finetune.ts fine-tunes one, or give the folder of one';
  if (has('checkpoints')) return 'it is of a pre-training that has not ended; examples/pretrain.ts --resume goes on with it, and examples/convert.ts makes models of its newest checkpoint';
  return undefined;
};

/** Reads a model folder. Throws a UserError, whatever is wrong with it. */
export const readModel = (dir: string): Model => {
  const instead = existsSync(join(dir, 'config.json')) ? undefined : insteadOf(dir);
  if (instead !== undefined) throw new UserError(`${dir} is no model folder: ${instead}`);
  try {
    return loadModel(dir);
  } catch (cause) {
    throw new UserError((cause as Error).message, { cause });
  }
};

/** The model folder that a path means: itself, or that of the name in the folder of a run. */
export const modelFolder = (path: string, name: string): string => {
  const inside = join(path, name);
  return !existsSync(join(path, 'config.json')) && existsSync(inside) ? inside : path;
};

/**
 * Opens a model folder, or that of the network in the folder of a run.
 *
 * Throws a UserError when the folder cannot be read, holds another network or has no tokenizer.
 */
export const openModel = (path: string, network: Network): Opened => {
  const dir = modelFolder(path, network);
  const model = readModel(dir);
  const { config, params, tokenizer } = model;
  const kind = kindOf(model);
  if (kind !== network)
    throw new UserError(
      `${dir}: expected a ${network}, but this is ${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}; give the ${network}'s folder`,
    );
  if (tokenizer === undefined)
    throw new UserError(
      `${dir} has no vocab.txt or tokenizer.json, without which no text can be read for it; copy one there`,
    );
  return { config: withoutDropout(config), params: params as Params, tokenizer };
};

/** Opens a fine-tuned model: its own folder, or that of the run that made it; or, where it is said, that of a `network`. */
export const openTrained = (path: string, network?: Network): { readonly dir: string; readonly model: Model } => {
  const inside = ['model', ...(network ? [network] : [])].map((name) => join(path, name));
  const dir = existsSync(join(path, 'config.json')) ? path : (inside.find((folder) => existsSync(folder)) ?? path);
  return { dir, model: readModel(dir) };
};

/** A text as tokens with their places in it, and as a batch of one row. */
export type Reading = ReturnType<WordPiece['encode']> & { readonly batch: Batch };

/**
 * Reads a text.
 *
 * Throws a UserError when it is empty, or has more tokens than the model has positions.
 */
export const readText = ({ config: { maxPositions }, tokenizer }: Opened, text: string): Reading => {
  const encoding = tokenizer.encode(text);
  const { ids, typeIds } = encoding;
  const shape = [1, ids.length];
  if (ids.length === 2) throw new UserError(`expected a text, got ${JSON.stringify(text)}, which has no words`);
  if (ids.length > maxPositions) {
    throw new UserError(
      `a text has ${ids.length} tokens with [CLS] and [SEP], but the model has ${maxPositions} positions; give it in several pieces: ${JSON.stringify(`${text.slice(0, 40)}…`)}`,
    );
  }
  const attend = tensor(
    ids.map(() => 1),
    shape,
  );
  return { ...encoding, batch: { tokens: tensor(ids, shape, 'i32'), types: tensor(typeIds, shape, 'i32'), attend } };
};
