/**
 * safetensors, the file format of HuggingFace models: eight bytes that hold the length of a header; the header, which is
 * JSON and says of every tensor its dtype, shape and place; then the numbers, row by row, little-endian, one tensor
 * after the other without a gap.
 *
 *     { "__metadata__": { "format": "pt" }, "a.weight": { "dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24] } }
 *
 * `decodeSafetensors` trusts nothing: whatever the bytes, it returns a map that meets every rule of the format or throws
 * one sentence. `encodeSafetensors` gives the bytes that HuggingFace's own writer gives.
 *
 * Source: https://github.com/huggingface/safetensors (README, and safetensors/src/tensor.rs for what is checked and in
 * which order tensors are written).
 */
import { isUtf8 } from 'node:buffer';
import { sizeOf } from '../shape.ts';

/** Every dtype that has an array type in JavaScript, in the order in which the tensors of a file are written. */
const ARRAYS = {
  U64: BigUint64Array,
  I64: BigInt64Array,
  F64: Float64Array,
  F32: Float32Array,
  U32: Uint32Array,
  I32: Int32Array,
  U16: Uint16Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

export type SafeDType = keyof typeof ARRAYS;
export type SafeArray =
  | (BigUint64Array | BigInt64Array)
  | (Float64Array | Float32Array)
  | (Uint32Array | Int32Array | Uint16Array | Int16Array | Uint8Array | Int8Array);

/** A tensor in a file. `data` is of the array type of its dtype. */
export interface SafeTensor {
  readonly dtype: SafeDType;
  readonly shape: readonly number[];
  readonly data: SafeArray;
}

export interface Safetensors {
  /** By name, in the order of their data. */
  readonly tensors: Map<string, SafeTensor>;
  readonly metadata: Record<string, string>;
}

const isStored = (dtype: string): dtype is SafeDType => Object.hasOwn(ARRAYS, dtype);

/** float16 as float32: sign, 5 bits of exponent, 10 bits of fraction. */
const fromHalf = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

/** The two dtypes that JavaScript lacks are widened to F32, which holds them exactly. */
const WIDEN: Record<string, (halves: Uint16Array) => Float32Array> = {
  F16: (halves) => Float32Array.from(halves, fromHalf),
  // bfloat16 is the upper half of a float32.
  BF16: (halves) => new Float32Array(Uint32Array.from(halves, (bits) => bits << 16).buffer),
};

/** Bytes of one element, or undefined for a dtype that this file does not know. */
export const widthOf = (dtype: string): number | undefined =>
  isStored(dtype) ? ARRAYS[dtype].BYTES_PER_ELEMENT : Object.hasOwn(WIDEN, dtype) ? 2 : undefined;

/** The dtype that a tensor has once it is read. */
export const storedAs = (dtype: string): SafeDType => (isStored(dtype) ? dtype : 'F32');

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const isObject = (x: Json): x is { [key: string]: Json } => typeof x === 'object' && x !== null && !Array.isArray(x);

const isSizes = (x: Json): x is number[] =>
  Array.isArray(x) && x.every((n) => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0);

/** Members of all objects in a JSON text. JSON.parse keeps the last of two equal keys in silence; this counts both. */
const countMembers = (json: string): number => {
  let count = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const char = json[i];
    if (inString && char === '\\') i++;
    else if (char === '"') inString = !inString;
    else if (!inString && char === ':') count++;
  }
  return count;
};

/** As HuggingFace's reader has it. */
const LONGEST_HEADER = 100_000_000;

interface Entry {
  name: string;
  dtype: string;
  shape: number[];
  begin: number;
  end: number;
}

const fail = (what: string): never => {
  throw new Error(`not a safetensors file: ${what}; fetch or save it again`);
};

/** What the header says of one tensor, if it says it rightly. */
const readEntry = (name: string, json: Json): Entry => {
  const quoted = JSON.stringify(name);
  if (!isObject(json) || Object.keys(json).sort().join() !== 'data_offsets,dtype,shape') {
    return fail(`tensor ${quoted} should have dtype, shape and data_offsets, and nothing else`);
  }
  const { dtype, shape, data_offsets: offsets } = json;
  const width = typeof dtype === 'string' ? widthOf(dtype) : undefined;
  if (typeof dtype !== 'string' || width === undefined) {
    const known = [...Object.keys(ARRAYS), ...Object.keys(WIDEN)].join(', ');
    throw new Error(
      `tensor ${quoted} has dtype ${JSON.stringify(dtype)}, which cannot be read; convert it to one of ${known}`,
    );
  }
  if (!isSizes(shape)) return fail(`the shape of tensor ${quoted} is not a list of sizes`);
  if (!isSizes(offsets) || offsets.length !== 2) return fail(`data_offsets of tensor ${quoted} are not two places`);
  const [begin, end] = offsets;
  shape.reduce((product, n) => {
    if (!Number.isSafeInteger(product * n)) fail(`tensor ${quoted} has an impossible shape [${shape.join(' ')}]`);
    return product * n;
  }, width);
  const expected = width * sizeOf(shape);
  if (end - begin !== expected) {
    fail(
      `tensor ${quoted} is ${dtype} of shape [${shape.join(' ')}], so ${expected} bytes, but is given ${end - begin}`,
    );
  }
  return { name, dtype, shape, begin, end };
};

/** The header as text, and where the numbers start. */
const readHeader = (bytes: Uint8Array): { text: string; start: number } => {
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes, fewer than the 8 of the header's length`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length > LONGEST_HEADER) fail(`its header should have ${length} bytes, more than the ${LONGEST_HEADER} allowed`);
  if (length > bytes.length - 8) fail(`its header should have ${length} bytes, but ${bytes.length - 8} follow`);
  const header = bytes.subarray(8, 8 + length);
  if (!isUtf8(header)) fail('its header is not UTF-8');
  return { text: Buffer.from(header.buffer, header.byteOffset, length).toString(), start: 8 + length };
};

const parseHeader = (text: string): { [key: string]: Json } => {
  if (!text.startsWith('{')) fail('its header does not begin with {');
  let json: Json = null;
  try {
    json = JSON.parse(text);
  } catch {
    fail('its header is not JSON');
  }
  return isObject(json) ? json : fail('its header is not an object');
};

const readMetadata = (json: Json): Record<string, string> => {
  if (!isObject(json)) return fail('its metadata is not an object');
  const entries = Object.entries(json).map(([key, value]) =>
    typeof value === 'string' ? ([key, value] as const) : fail(`its metadata ${JSON.stringify(key)} is not a text`),
  );
  return Object.fromEntries(entries);
};

/** The numbers from `begin` to `end`: the bytes themselves where they lie at a multiple of their width, else a copy. */
export const readArray = (dtype: string, bytes: Uint8Array, begin: number, end: number): SafeArray => {
  const width = widthOf(dtype) ?? 1;
  const from =
    (bytes.byteOffset + begin) % width === 0 ? bytes.subarray(begin, end) : new Uint8Array(bytes.subarray(begin, end));
  const view = [from.buffer as ArrayBuffer, from.byteOffset, (end - begin) / width] as const;
  return isStored(dtype) ? new ARRAYS[dtype](...view) : WIDEN[dtype](new Uint16Array(...view));
};

/**
 * The tensors in the bytes of a file, in the order of their data. F16 and BF16 become F32. The arrays share the memory
 * of `bytes` where they can. Throws when the bytes break any rule of the format.
 */
export const decodeSafetensors = (bytes: Uint8Array): Safetensors => {
  const { text, start } = readHeader(bytes);
  const header = parseHeader(text);
  const { __metadata__: json = {}, ...rest } = header;
  const metadata = readMetadata(json);
  const entries = Object.entries(rest).map(([name, entry]) => readEntry(name, entry));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  const members = Object.values(header).reduce<number>((n, x) => n + 1 + Object.keys(Object(x)).length, 0);
  if (countMembers(text) !== members) fail('a name occurs twice in its header');

  const available = bytes.length - start;
  let filled = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== filled)
      fail(`tensor ${JSON.stringify(name)} begins at byte ${begin}, expected ${filled}, where the one before ends`);
    filled = end;
  }
  if (filled !== available) fail(`its tensors take ${filled} bytes, but ${available} follow the header`);

  const tensors = entries.map(({ name, dtype, shape, begin, end }): [string, SafeTensor] => [
    name,
    { dtype: storedAs(dtype), shape, data: readArray(dtype, bytes, start + begin, start + end) },
  ]);
  return { tensors: new Map(tensors), metadata };
};

const order = Object.keys(ARRAYS);

/** The bytes of a file with these tensors: wide dtypes first, then by name, header padded with spaces to 8 bytes. */
export const encodeSafetensors = (
  tensors: Iterable<readonly [string, SafeTensor]>,
  metadata: Record<string, string> = { format: 'pt' },
): Uint8Array => {
  const sorted = Array.from(tensors, ([name, stored]) => ({ name, key: Buffer.from(name), ...stored })).sort(
    (a, b) => order.indexOf(a.dtype) - order.indexOf(b.dtype) || Buffer.compare(a.key, b.key),
  );
  let filled = 0;
  const members = sorted.map(({ name, dtype, shape, data }, i) => {
    const quoted = JSON.stringify(name);
    if (name === '__metadata__' || name === sorted[i - 1]?.name)
      throw new Error(`${quoted} cannot name a tensor here; rename it`);
    if (sizeOf(shape) !== data.length || !(data instanceof ARRAYS[dtype])) {
      throw new Error(
        `tensor ${quoted} is ${dtype} of shape [${shape.join(' ')}], but its data is a ${data.constructor.name} of ${data.length}`,
      );
    }
    const begin = filled;
    filled += data.byteLength;
    return `${quoted}:${JSON.stringify({ dtype, shape, data_offsets: [begin, filled] })}`;
  });
  if (Object.keys(metadata).length > 0) members.unshift(`"__metadata__":${JSON.stringify(metadata)}`);

  const json = Buffer.from(`{${members.join()}}`);
  const start = 8 + Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(start + filled).fill(0x20, 0, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(json, 8);
  let at = start;
  for (const { data } of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
};
