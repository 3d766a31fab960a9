/**
 * The tensors of a model folder, in whichever form it has them: `model.safetensors`, PyTorch's `pytorch_model.bin`, or
 * either of them in several files with an index that says which tensor is where.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clearly } from './error.ts';
import { readJson } from './json.ts';
import type { SafeTensor } from './safetensors.ts';
import { decodeSafetensors } from './safetensors.ts';
import { decodeTorch } from './torch.ts';

type Tensors = Map<string, SafeTensor>;

/** In order of preference. */
const FORMATS: readonly [file: string, decode: (bytes: Uint8Array) => Tensors][] = [
  ['model.safetensors', (bytes) => decodeSafetensors(bytes).tensors],
  ['pytorch_model.bin', decodeTorch],
];

/** What Git leaves in place of a large file that was not fetched. */
const POINTER = 'version https://git-lfs';

const readFile = (path: string, decode: (bytes: Uint8Array) => Tensors): Tensors => {
  const bytes = clearly(`read ${path}`, () => readFileSync(path));
  if (bytes.subarray(0, POINTER.length).toString('latin1') === POINTER) {
    throw new Error(`${path} is a pointer of Git LFS, not the weights; fetch them with 'git lfs pull'`);
  }
  try {
    return decode(bytes);
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
};

/** Reads the files that `index` names. Each holds exactly the tensors that the index says. */
const readShards = (dir: string, index: string, decode: (bytes: Uint8Array) => Tensors): Tensors => {
  const path = join(dir, index);
  const { weight_map: places } = readJson(path);
  if (typeof places !== 'object' || places === null) throw new Error(`${path}: expected a 'weight_map' from tensors to files`);
  const expected = new Map(Object.entries(places as Record<string, unknown>));
  const tensors: Tensors = new Map();
  for (const file of new Set(expected.values())) {
    if (typeof file !== 'string' || !/^[\w.-]+$/.test(file) || file.startsWith('.')) {
      throw new Error(`${path}: expected names of files in the same folder, got ${JSON.stringify(file)}`);
    }
    for (const [name, tensor] of readFile(join(dir, file), decode)) {
      if (expected.get(name) !== file) throw new Error(`${path}: ${file} holds '${name}', which the index does not place there`);
      tensors.set(name, tensor);
    }
  }
  const missing = [...expected].find(([name]) => !tensors.has(name));
  if (missing !== undefined) throw new Error(`${path}: '${missing[0]}' should be in ${String(missing[1])}, but is not`);
  return tensors;
};

/**
 * All tensors of a model folder, by name; half and bfloat16 as F32.
 *
 * Throws when there are none, and when a file is damaged or not what the index says.
 */
export const readWeights = (dir: string): Tensors => {
  for (const [file, decode] of FORMATS) {
    const index = `${file}.index.json`;
    if (existsSync(join(dir, file))) return readFile(join(dir, file), decode);
    if (existsSync(join(dir, index))) return readShards(dir, index, decode);
  }
  const files = FORMATS.flatMap(([file]) => [file, `${file}.index.json`]);
  throw new Error(`${dir}: expected the weights in ${files.join(', ')}; there is none of them`);
};
