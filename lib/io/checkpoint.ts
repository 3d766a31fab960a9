/**
 * Checkpoints: a folder `checkpoints/STEP/` that holds all that a run needs to go on.
 *
 *     state.safetensors   parameters, optimiser moments, step and key, each under its path in the tree
 *     checkpoint.json     what else the program wants to remember, and the order of the paths: a norm is summed in that
 *                         order, so without it a resumed run would round otherwise
 *     SHA256SUMS          the checksum of both, as `sha256sum -c SHA256SUMS` checks it
 *
 * It is written beside, flushed, and renamed when whole; older ones are removed only then. One that is damaged all the
 * same is found by its checksum, whichever byte it is, and the one before it is used.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unflatten } from '../tree.ts';
import { removeFolder, writeFolderAtomic } from './atomic.ts';
import { clearly, UserError } from './error.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';
import { storeTree, toTensor } from './tensors.ts';

const STATE = 'state.safetensors';
const DESCRIPTION = 'checkpoint.json';
const SUMS = 'SHA256SUMS';

const sumsOf = (files: Record<string, Uint8Array>): string =>
  Object.entries(files)
    .map(([name, bytes]) => `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`)
    .join('');

/** The steps of which there are checkpoints, oldest first. */
export const checkpointSteps = (root: string): number[] =>
  existsSync(root)
    ? readdirSync(root)
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .sort((a, b) => a - b)
    : [];

interface Keep {
  /** How many of the newest; 3. */
  readonly keep?: number;
  /** One more step. */
  readonly best?: number;
}

/** Removes all but the newest `keep` checkpoints and that of the step `best`. */
export const pruneCheckpoints = (root: string, { keep = 3, best }: Keep): void => {
  for (const old of checkpointSteps(root).slice(0, -keep)) {
    if (old !== best) removeFolder(join(root, String(old)));
  }
};

/**
 * Writes the checkpoint of a step, then removes all but the newest `keep` and the step `best`. Returns its folder.
 *
 * Throws a UserError when the file system refuses; the checkpoints that are there are then untouched.
 */
export const saveCheckpoint = async (
  root: string,
  step: number,
  state: unknown,
  info: Record<string, unknown>,
  kept: Keep = {},
): Promise<string> => {
  const folder = join(root, String(step));
  const tensors = await storeTree(state, true);
  const description = { ...info, step, order: tensors.map(([name]) => name) };
  const files = {
    [STATE]: encodeSafetensors(tensors, { format: 'amber' }),
    [DESCRIPTION]: Buffer.from(`${JSON.stringify(description, null, 2)}\n`),
  };
  writeFolderAtomic(folder, { ...files, [SUMS]: sumsOf(files) });
  pruneCheckpoints(root, kept);
  return folder;
};

export interface Checkpoint<State> {
  readonly step: number;
  /** What was remembered with the state. */
  readonly info: Record<string, unknown>;
  /** Makes the state, a tree of tensors on the device that is current then. */
  state(): State;
}

/**
 * Reads a checkpoint folder.
 *
 * Throws a UserError when a file is missing or cannot be read, or its bytes are not those that were written.
 */
export const loadCheckpoint = <State>(folder: string): Checkpoint<State> => {
  const [bytes, description, sums] = [STATE, DESCRIPTION, SUMS].map((name) => {
    const file = join(folder, name);
    if (!existsSync(file)) throw new UserError(`${folder} is no whole checkpoint: ${file} is missing; use an earlier one`);
    return clearly(`read ${file}`, () => readFileSync(file));
  });
  if (sumsOf({ [STATE]: bytes, [DESCRIPTION]: description }) !== sums.toString('latin1')) {
    throw new UserError(`${folder} is damaged: its checksums do not match; use an earlier one`);
  }
  const { order, ...info } = JSON.parse(description.toString()) as { order: string[]; step: number };
  const { tensors } = decodeSafetensors(bytes);
  return {
    step: info.step,
    info,
    state: () => unflatten(order.map((path) => [path, toTensor(path, tensors.get(path)!)])) as State,
  };
};

/**
 * Reads the newest checkpoint that is whole, and tells `warn` of each newer one that is not.
 *
 * Throws a UserError when none is whole.
 */
export const latestCheckpoint = <State>(root: string, warn: (message: string) => void): Checkpoint<State> => {
  for (const step of checkpointSteps(root).reverse()) {
    try {
      return loadCheckpoint<State>(join(root, String(step)));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      warn(error.message);
    }
  }
  throw new UserError(`${root} has no whole checkpoint; start a new run`);
};
