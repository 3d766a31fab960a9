/**
 * A cache of arrays that take long to compute, such as a tokenised corpus. A result is kept in a file that is named by
 * the SHA-256 of everything it depends on, so it is never out of date: other input is another name. Nothing is lost when
 * the folder is deleted, and a cache that cannot be read or written only costs the time.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from './atomic.ts';
import type { SafeTensor } from './safetensors.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';

const DTYPES = [
  [Float32Array, 'F32'],
  [Float64Array, 'F64'],
  [Int32Array, 'I32'],
  [Uint32Array, 'U32'],
  [Uint16Array, 'U16'],
  [Uint8Array, 'U8'],
] as const;

export type CachedArray = InstanceType<(typeof DTYPES)[number][0]>;

/** The hash of some options, which must be JSON data, and of the texts that were the input, in their order. */
export const hashOf = (options: unknown, texts: Iterable<string> = []): string => {
  const hash = createHash('sha256').update(JSON.stringify(options));
  // The length before each text tells ['a', 'bc'] from ['ab', 'c'].
  for (const text of texts) hash.update(`\n${text.length}\n`).update(text);
  return hash.digest('hex');
};

const store = (data: CachedArray): SafeTensor => {
  const dtype = DTYPES.find(([type]) => data instanceof type)?.[1];
  if (dtype === undefined) throw new Error(`cached: expected arrays of numbers, got ${Object(data).constructor.name}`);
  return { dtype, shape: [data.length], data };
};

const lookUp = (path: string): Record<string, unknown> | undefined => {
  if (!existsSync(path)) return undefined;
  try {
    const { tensors } = decodeSafetensors(readFileSync(path));
    return Object.fromEntries(Array.from(tensors, ([name, { data }]) => [name, data]));
  } catch {
    return undefined;
  }
};

/** The arrays kept in `folder` under `key`; the first time, those that `compute` returns. */
export const cached = async <T extends Record<string, CachedArray>>(
  folder: string,
  key: string,
  compute: () => T | Promise<T>,
): Promise<T> => {
  const path = join(folder, `${key}.safetensors`);
  const found = lookUp(path);
  if (found !== undefined) return found as T;
  const computed = await compute();
  const bytes = encodeSafetensors(
    Object.entries(computed).map(([name, data]) => [name, store(data)]),
    {},
  );
  try {
    writeFileAtomic(path, bytes);
  } catch {
    // A full disk or a read-only folder must not stop the program for the sake of a later one.
  }
  return computed;
};
