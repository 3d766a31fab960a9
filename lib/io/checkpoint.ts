/**
 * Checkpoints: a folder `checkpoints/STEP/` that holds all that a run needs to go on: `state.safetensors` (parameters,
 * optimiser moments, step and key, each under its path in the tree) and `checkpoint.json` (what else the program wants to
 * remember, the SHA-256 of the state, and the order of the paths: a norm is summed in that order, so without it a resumed
 * run would round otherwise). It is written beside and renamed when whole; the newest few are kept.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor } from '../tensor.ts';
import { unflatten } from '../tree.ts';
import { writeFolderAtomic } from './atomic.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';
import { storeTree, toTensor } from './tensors.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** The steps of which there are whole checkpoints, oldest first. */
export const checkpointSteps = (root: string): number[] =>
  existsSync(root)
    ? readdirSync(root)
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .sort((a, b) => a - b)
    : [];

/** Writes the checkpoint of a step, then removes all but the newest `keep` and the step `best`. Returns its folder. */
export const saveCheckpoint = async (
  root: string,
  step: number,
  state: unknown,
  info: Record<string, unknown>,
  { keep = 3, best }: { keep?: number; best?: number } = {},
): Promise<string> => {
  const folder = join(root, String(step));
  const tensors = await storeTree(state, true);
  const bytes = encodeSafetensors(tensors, { format: 'amber' });
  writeFolderAtomic(folder, {
    'state.safetensors': bytes,
    'checkpoint.json': `${JSON.stringify({ ...info, step, sha256: sha256(bytes), order: tensors.map(([name]) => name) }, null, 2)}\n`,
  });
  for (const old of checkpointSteps(root).slice(0, -keep)) {
    if (old !== best) rmSync(join(root, String(old)), { recursive: true, force: true });
  }
  return folder;
};

interface Description extends Record<string, unknown> {
  readonly sha256: string;
  readonly order: string[];
}

const readDescription = (folder: string, file: string): Description => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Description;
  } catch (cause) {
    throw new Error(`${folder} is damaged: ${file} is no JSON; use an earlier one`, { cause });
  }
};

/**
 * Reads a checkpoint folder: the state as a tree of tensors on the current device, and what was remembered with it.
 *
 * Throws when a file is missing or its bytes are not those that were written.
 */
export const loadCheckpoint = <State>(folder: string): { state: State; info: Record<string, unknown> } => {
  const files = [join(folder, 'state.safetensors'), join(folder, 'checkpoint.json')];
  const missing = files.find((file) => !existsSync(file));
  if (missing !== undefined) throw new Error(`${folder} is no whole checkpoint: ${missing} is missing; use an earlier one`);
  const bytes = readFileSync(files[0]);
  const { order, sha256: sum, ...info } = readDescription(folder, files[1]);
  if (sha256(bytes) !== sum) throw new Error(`${folder} is damaged: its checksum does not match; use an earlier one`);
  const { tensors } = decodeSafetensors(bytes);
  const entries = order.map((path): [string, Tensor] => [path, toTensor(path, tensors.get(path)!)]);
  return { state: unflatten(entries) as State, info };
};
