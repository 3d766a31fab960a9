/**
 * Our compiled kernels: loading the WebAssembly module, which lies in a JavaScript module as text, and making instances of
 * it over one memory. Where the engine has relaxed SIMD (a fused multiply-add), the module compiled for it is taken; where it
 * can make one AVX2 instruction of two neighbouring vectors, the same module, by kernels that have such neighbours.
 */
import { inNode, nodeModule, rebuildKernels } from '../node.ts';

/** A module that only type-checks where relaxed SIMD is known: f32x4.relaxed_madd of three vectors of zeros. */
const PROBE = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 61, 1, 59, 0];

const zeroVector = [0xfd, 12, ...new Array<number>(16).fill(0)];

export type Simd = 'simd128' | 'relaxed' | 'wide';

/** Whether the engine knows relaxed SIMD. Node 20 has it behind a flag, which can be set while it runs. */
const hasRelaxed = (): boolean => WebAssembly.validate(new Uint8Array([...PROBE, ...zeroVector, ...zeroVector, ...zeroVector, 0xfd, 0x85, 0x02, 0x0b]));

/** The first V8 whose vectorizer was seen to join the vectors of a matrix product (Node 24); Node 22's does so half, and not its larger tile. */
const JOINS = [13, 6];

/** Whether the engine can join neighbouring vectors. It cannot be asked: a processor without AVX2 is taken for one with it. */
const canJoin = (): boolean => {
  const [major, minor] = process.versions.v8.split('.').map(Number);
  return process.arch === 'x64' && (major > JOINS[0] || (major === JOINS[0] && minor >= JOINS[1]));
};

const detect = async (): Promise<Simd> => {
  if (!inNode()) return hasRelaxed() ? 'relaxed' : 'simd128';
  const { setFlagsFromString } = await nodeModule('node:v8');
  if (!hasRelaxed()) setFlagsFromString('--experimental-wasm-relaxed-simd');
  if (!hasRelaxed()) return 'simd128';
  if (!canJoin()) return 'relaxed';
  setFlagsFromString('--experimental-wasm-revectorize');
  return 'wide';
};

/** Each variant's bytes, as base64: a module is found alike in a checkout, a package, a bundle and a page. */
const variants: Record<Simd, () => Promise<{ readonly base64: string }>> = {
  simd128: () => import('../../fast/wasm/simd128.mjs'),
  relaxed: () => import('../../fast/wasm/relaxed.mjs'),
  wide: () => import('../../fast/wasm/relaxed.mjs'),
};

const bytesOf = async (simd: Simd): Promise<Uint8Array<ArrayBuffer>> => {
  if (inNode()) await rebuildKernels();
  const { base64 } = await variants[simd]();
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
};

/** What the module exports besides its kernels (assembly/thread.ts). */
interface Exports {
  enter(failed: number, place: number, scratch: number, thread: number, threads: number, maySleep: number): void;
  work(list: number, record: number, deadline: number): number;
  readonly table: WebAssembly.Table;
}

/** The module, and this thread's instance of it over the memory. */
export interface Compiled {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly exports: Exports;
  readonly simd: Simd;
  /** The number of a kernel in the table of every thread. Throws when there is none of that name. */
  readonly numberOf: (kernel: string) => number;
}

/** Loads the module, and makes an instance with every exported function in its table. Throws where there is no SIMD. */
export const loadKernels = async (wish?: Simd): Promise<Compiled> => {
  const simd = wish ?? (await detect());
  const module = await WebAssembly.compile(await bytesOf(simd));
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
  const env = { memory, now: () => performance.now(), abort: () => undefined };
  const exports = new WebAssembly.Instance(module, { env }).exports as unknown as Exports;
  const numbers = new Map<string, number>();
  for (const { name, kind } of WebAssembly.Module.exports(module)) {
    if (kind !== 'function') continue;
    numbers.set(name, exports.table.grow(1));
    exports.table.set(numbers.get(name)!, exports[name as keyof Exports]);
  }
  const numberOf = (kernel: string): number => {
    const number = numbers.get(kernel);
    if (number === undefined) throw new Error(`wasm: there is no kernel '${kernel}'`);
    return number;
  };
  return { module, memory, exports, simd, numberOf };
};
