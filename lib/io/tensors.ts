/**
 * Tensors to and from safetensors files. What a tree of tensors becomes is decided here: every tensor is stored under its
 * path, f32 as F32 and i32 as I32, so that any reader of the format finds what it expects.
 */
import { readFileSync } from 'node:fs';
import type { Tensor } from '../tensor.ts';
import { tensor } from '../tensor.ts';
import { leaves, paths } from '../tree.ts';
import { writeFileAtomic } from './atomic.ts';
import { clearly } from './error.ts';
import type { SafeTensor } from './safetensors.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';

/** A stored tensor on the current device: floating-point dtypes as f32, all others as i32. */
export const toTensor = (name: string, { dtype, shape, data }: SafeTensor): Tensor => {
  const values = data instanceof BigInt64Array || data instanceof BigUint64Array ? Array.from(data, Number) : data;
  try {
    return tensor(values, shape, dtype === 'F32' || dtype === 'F64' ? 'f32' : 'i32');
  } catch (cause) {
    throw new Error(`tensor ${JSON.stringify(name)}: ${(cause as Error).message}`, { cause });
  }
};

/** The tensors of a file, by name, on the current device: floating-point dtypes as f32, all others as i32. */
export const loadSafetensors = (path: string): Record<string, Tensor> => {
  const bytes = clearly(`read ${path}`, () => readFileSync(path));
  try {
    const { tensors } = decodeSafetensors(bytes);
    return Object.fromEntries(Array.from(tensors, ([name, stored]) => [name, toTensor(name, stored)]));
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
};

/**
 * The tensors of a tree as a file holds them, each under its path (`{ a: { b: x } }` gives `a.b`), in the order of the tree:
 * f32 as F32, i32 as I32. With `double`, what the reference device holds in double precision stays so.
 */
export const storeTree = (tree: unknown, double = false): Promise<[string, SafeTensor][]> => {
  const names = paths(tree);
  const stored = leaves(tree).map(async (x, i): Promise<[string, SafeTensor]> => {
    const { shape } = x;
    const data = await x.data();
    if (data instanceof Int32Array) return [names[i], { dtype: 'I32', shape, data }];
    if (data instanceof Float64Array && double) return [names[i], { dtype: 'F64', shape, data }];
    return [names[i], { dtype: 'F32', shape, data: Float32Array.from(data) }];
  });
  return Promise.all(stored);
};

/** Writes a tree of tensors to a file, as `storeTree` lays it out. */
export const saveSafetensors = async (
  path: string,
  tree: unknown,
  { metadata, double = false }: { metadata?: Record<string, string>; double?: boolean } = {},
): Promise<void> => writeFileAtomic(path, encodeSafetensors(await storeTree(tree, double), metadata));
