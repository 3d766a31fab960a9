/**
 * `pytorch_model.bin`, what `torch.save` writes of a state dict: a pickle in which each tensor is a window on a storage
 * (offset, shape, strides; windows may overlap, and a transposed matrix is stored as it was), and the storages' bytes. Two
 * formats are about: since PyTorch 1.6 a zip archive without compression,
 *
 *     NAME/data.pkl   NAME/data/0   NAME/data/1 …   NAME/version
 *
 * and before it, as the official ELECTRA files of 2020 have it, four pickles (a magic number, the version, the machine,
 * the state dict), a fifth with the storages' keys, and then for each its length and its bytes.
 *
 * Source: torch/serialization.py, torch/_utils.py.
 */
import { unzipSync } from 'fflate';
import { sizeOf } from '../shape.ts';
import type { Allowed } from './pickle.ts';
import { readPickle } from './pickle.ts';
import type { SafeArray, SafeTensor } from './safetensors.ts';
import { readArray, storedAs, widthOf } from './safetensors.ts';

const DTYPES: Record<string, string> = {
  Double: 'F64',
  Float: 'F32',
  Half: 'F16',
  BFloat16: 'BF16',
  Long: 'I64',
  Int: 'I32',
  Short: 'I16',
  Char: 'I8',
  Byte: 'U8',
  Bool: 'BOOL',
};

interface Storage {
  readonly kind: 'storage';
  readonly dtype: string;
  readonly key: string;
  /** In elements. */
  readonly length: number;
}

/** A tensor as the pickle tells it. */
interface Window {
  readonly kind: 'window';
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: number[];
  readonly strides: number[];
}

const fail = (what: string): never => {
  throw new Error(`not a file of PyTorch weights that can be read: ${what}; fetch or save it again`);
};

const isStorage = (x: unknown): x is Storage => Object(x).kind === 'storage';
const isWindow = (x: unknown): x is Window => Object(x).kind === 'window';
const isSize = (x: unknown): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0;
const isSizes = (x: unknown): x is number[] => Array.isArray(x) && x.every(isSize);

/** torch._utils._rebuild_tensor_v2 (storage, offset, size, stride, requires_grad, backward_hooks). */
const rebuildTensor = ([storage, offset, shape, strides]: unknown[]): Window => {
  if (!isStorage(storage) || !isSize(offset) || !isSizes(shape) || !isSizes(strides) || shape.length !== strides.length) {
    return fail('a tensor is not told by storage, offset, shape and strides');
  }
  const last = shape.reduce((index, n, axis) => index + (n - 1) * strides[axis], offset);
  const count = shape.reduce((product, n) => product * n, 1);
  // A window may not be larger than its storage, or a small file could ask for any amount of memory.
  if (count > storage.length || (count > 0 && last >= storage.length)) fail(`a tensor of shape [${shape.join(' ')}] reaches beyond its ${storage.length} numbers`);
  return { kind: 'window', storage, offset, shape, strides };
};

/** torch._utils._rebuild_parameter (data, requires_grad, backward_hooks). */
const rebuildParameter = ([data]: unknown[]): Window => (isWindow(data) ? data : fail('a parameter is no tensor'));

const names = new Map<string, unknown>([
  ['collections.OrderedDict', () => new Map()],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ...Object.entries(DTYPES).map(([type, dtype]): [string, unknown] => [`torch.${type}Storage`, { kind: 'dtype', dtype }]),
]);

/** ('storage', type, key, device, length), in the older format followed by None. */
const persistent = (id: unknown): Storage => {
  const [word, type, key, , length, view = null] = Array.isArray(id) ? (id as unknown[]) : [];
  const { kind, dtype } = Object(type) as { kind?: string; dtype: string };
  if (word !== 'storage' || kind !== 'dtype' || typeof key !== 'string' || !isSize(length) || view !== null) return fail('a storage is not told by type, key and length');
  return { kind: 'storage', dtype, key, length };
};

const allowed: Allowed = { names, persistent };

/** The numbers of a window, row by row: a part of the storage itself where they lie so, else a copy. */
const gather = ({ offset, shape, strides }: Window, numbers: SafeArray): SafeArray => {
  const size = sizeOf(shape);
  const steps = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  if (size === 0 || shape.every((n, axis) => n === 1 || strides[axis] === steps[axis])) return numbers.subarray(offset, offset + size);
  const result = new (numbers.constructor as new (size: number) => SafeArray)(size);
  const place = shape.map(() => 0);
  let from = offset;
  for (let i = 0; i < size; i++) {
    result[i] = numbers[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++place[axis] < shape[axis]) break;
      from -= shape[axis] * strides[axis];
      place[axis] = 0;
    }
  }
  return result;
};

/** The tensors of a state dict, given the bytes of its storages. */
const tensorsOf = (dict: unknown, bytesOf: (storage: Storage) => Uint8Array, budget: number): Map<string, SafeTensor> => {
  if (!(dict instanceof Map)) return fail('it holds no state dict, which is a dict of tensors by name');
  const read = new Map<string, SafeArray>();
  const numbersOf = (storage: Storage): SafeArray => {
    const { key, dtype, length } = storage;
    const known = read.get(`${dtype} ${key}`);
    if (known) return known;
    const bytes = bytesOf(storage);
    const expected = length * widthOf(dtype)!;
    if (bytes.length !== expected) fail(`storage ${JSON.stringify(key)} has ${bytes.length} bytes, expected ${expected}`);
    const numbers = readArray(dtype, bytes, 0, expected);
    read.set(`${dtype} ${key}`, numbers);
    return numbers;
  };
  let copied = 0;
  return new Map(
    Array.from(dict as Map<unknown, unknown>, ([name, window]): [string, SafeTensor] => {
      if (typeof name !== 'string' || !isWindow(window)) return fail(`${JSON.stringify(String(name))} is not the name of a tensor`);
      copied += sizeOf(window.shape);
      if (copied > budget) fail('its tensors share so many numbers that they would take more memory than the file');
      const { dtype } = window.storage;
      return [name, { dtype: storedAs(dtype), shape: window.shape, data: gather(window, numbersOf(window.storage)) }];
    }),
  );
};

/** The entries of a zip archive that is not compressed. */
const readZip = (bytes: Uint8Array): Record<string, Uint8Array> => {
  let left = bytes.length;
  try {
    return unzipSync(bytes, {
      filter: ({ compression, size, name }) => {
        if (compression !== 0) fail(`${JSON.stringify(name)} in it is compressed`);
        // 46 bytes is the least that an entry takes in the archive's list.
        left -= size + 46;
        if (!(left >= 0)) fail('the entries of its archive take more bytes than it has');
        return true;
      },
    });
  } catch (cause) {
    if (cause instanceof Error && cause.message.startsWith('not a file')) throw cause;
    return fail('its zip archive is damaged');
  }
};

const decodeArchive = (bytes: Uint8Array): Map<string, SafeTensor> => {
  const files = new Map(Object.entries(readZip(bytes)));
  const pickle = [...files.keys()].find((name) => name.endsWith('/data.pkl'));
  if (pickle === undefined) return fail('its zip archive has no data.pkl');
  const root = pickle.slice(0, -'data.pkl'.length);
  const order = files.get(`${root}byteorder`);
  if (order && Buffer.from(order).toString() !== 'little') fail('its numbers are big-endian');
  const { value } = readPickle(files.get(pickle)!, 0, allowed);
  return tensorsOf(value, ({ key }) => files.get(`${root}data/${key}`) ?? fail(`storage ${JSON.stringify(key)} is missing`), bytes.length);
};

const MAGIC = 0x1950a86a20f9469cfc6cn;

const decodeLegacy = (bytes: Uint8Array): Map<string, SafeTensor> => {
  let at = 0;
  const next = (): unknown => {
    const { value, end } = readPickle(bytes, at, allowed);
    at = end;
    return value;
  };
  if (next() !== MAGIC) fail('it begins with no magic number of torch');
  if (next() !== 1001) fail('its version is not 1001');
  const machine = next();
  if (!(machine instanceof Map) || machine.get('little_endian') !== true) fail('its numbers are big-endian');
  const dict = next();
  const keys = next();
  if (!Array.isArray(keys)) return fail('the list of its storages is missing');

  /** Of every storage, where it begins: only the pickle knows how wide its numbers are. */
  const widths = new Map<unknown, number>();
  for (const window of dict instanceof Map ? dict.values() : []) if (isWindow(window)) widths.set(window.storage.key, widthOf(window.storage.dtype)!);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const places = new Map<unknown, Uint8Array>();
  for (const key of keys as unknown[]) {
    const width = widths.get(key) ?? fail(`no tensor uses storage ${JSON.stringify(String(key))}, so its size is unknown`);
    const length = at + 8 <= bytes.length ? Number(view.getBigInt64(at, true)) * width : NaN;
    if (!(length >= 0 && at + 8 + length <= bytes.length)) fail(`it ends before storage ${JSON.stringify(String(key))} does`);
    places.set(key, bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  if (at !== bytes.length) fail(`${bytes.length - at} bytes follow its last storage`);
  return tensorsOf(dict, ({ key }) => places.get(key) ?? fail(`storage ${JSON.stringify(key)} is missing`), bytes.length);
};

/**
 * The tensors in the bytes of a file that `torch.save` wrote of a state dict, by name. Half and bfloat16 become F32.
 *
 * Throws when the file is damaged, holds something else than tensors by name, or names anything in Python that a state
 * dict does not need.
 */
export const decodeTorch = (bytes: Uint8Array): Map<string, SafeTensor> => {
  const start = Buffer.from(bytes.subarray(0, 4)).toString('latin1');
  if (start === 'PK\x03\x04') return decodeArchive(bytes);
  if (start.startsWith('\x80\x02\x8a')) return decodeLegacy(bytes);
  return fail('it begins neither as a zip archive nor as a pickle');
};
