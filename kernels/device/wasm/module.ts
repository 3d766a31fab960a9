/**
 * Our compiled kernels: loading the WebAssembly module, in Node from a file and in browsers by fetch, and making instances
 * of it over one memory. Where the engine has relaxed SIMD (a fused multiply-add), the module compiled for it is taken.
 */

/** A module that only type-checks where relaxed SIMD is known: f32x4.relaxed_madd of three vectors of zeros. */
const PROBE = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 61, 1, 59, 0];

const zeroVector = [0xfd, 12, ...new Array<number>(16).fill(0)];

export type Simd = 'simd128' | 'relaxed';

/** Whether the engine knows relaxed SIMD. Node 20 has it behind a flag, which can be set while it runs. */
const hasRelaxed = (): boolean => WebAssembly.validate(new Uint8Array([...PROBE, ...zeroVector, ...zeroVector, ...zeroVector, 0xfd, 0x85, 0x02, 0x0b]));

const inNode = (): boolean => typeof process !== 'undefined' && process.versions?.node !== undefined;

const detect = async (): Promise<Simd> => {
  if (!hasRelaxed() && inNode()) (await import('node:v8')).setFlagsFromString('--experimental-wasm-relaxed-simd');
  return hasRelaxed() ? 'relaxed' : 'simd128';
};

/** In a checkout, brings the compiled kernels up to date; an installed package has no compiler and needs none. */
const rebuild = async (): Promise<void> => {
  const script = new URL('../../fast/wasm/build.mjs', import.meta.url);
  const { existsSync } = await import('node:fs');
  if (existsSync(script)) await ((await import(script.href)) as { build(): Promise<void> }).build();
};

const bytesOf = async (name: string): Promise<Uint8Array<ArrayBuffer>> => {
  const url = new URL(`../../fast/wasm/${name}`, import.meta.url);
  if (!inNode()) return new Uint8Array(await (await fetch(url)).arrayBuffer());
  await rebuild();
  return new Uint8Array(await (await import('node:fs/promises')).readFile(url));
};

/** The compiled module, and the kind of SIMD that it uses. */
export const loadModule = async (): Promise<{ module: WebAssembly.Module; simd: Simd }> => {
  const simd = await detect();
  const bytes = await bytesOf(simd === 'relaxed' ? 'kernels.relaxed.wasm' : 'kernels.wasm');
  return { module: await WebAssembly.compile(bytes), simd };
};

/** What the module exports besides its kernels (assembly/thread.ts). */
interface Exports {
  enter(failed: number, place: number, scratch: number, maySleep: number): void;
  work(list: number, record: number, deadline: number): number;
  serve(list: number): void;
  readonly table: WebAssembly.Table;
}

/** The kernels' names in the order of their numbers. */
export const kernelNames = (module: WebAssembly.Module): string[] =>
  WebAssembly.Module.exports(module).flatMap(({ name, kind }) => (kind === 'function' && !['enter', 'work', 'serve'].includes(name) ? [name] : []));

/** An instance over this memory, its kernels entered in its table from `first` on. */
export const instantiate = (module: WebAssembly.Module, memory: WebAssembly.Memory): { exports: Exports; first: number } => {
  const env = { memory, now: () => performance.now(), abort: () => undefined };
  const exports = new WebAssembly.Instance(module, { env }).exports as unknown as Exports;
  const names = kernelNames(module);
  const first = exports.table.grow(names.length);
  names.forEach((name, i) => exports.table.set(first + i, exports[name as keyof Exports]));
  return { exports, first };
};
