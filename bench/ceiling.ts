/**
 * What the machine can do at most with WebAssembly's vectors: a loop of multiply-adds that never leaves the registers, and
 * a copy of memory too large for the caches. Every thread runs both for itself, all at once; the rates add up. Figures of
 * kernels are read beside these.
 */
import { Worker } from 'node:worker_threads';
import asc from 'assemblyscript/asc';
import type { Simd } from '../kernels/device/wasm/module.ts';

/** As many sums as a tile of the matrix product has: enough that no addition waits for the one before it. */
const TILE: Record<Simd, number> = { simd128: 12, relaxed: 12, wide: 24 };

/** All vectors come from memory and go back there in neighbours: so an engine finds those that it can join. */
const source = (simd: Simd, sums: readonly string[]) => `
export function multiplyAdd(count: u32): void {
  const x = v128.load32_splat(512), y = v128.load32_splat(516);
  ${sums.map((s, i) => `let ${s} = v128.load(${16 * i});`).join(' ')}
  for (let i: u32 = 0; i < count; i++) {
    ${sums.map((s) => `${s} = ${simd === 'simd128' ? `f32x4.add(f32x4.mul(x, y), ${s})` : `f32x4.relaxed_madd(x, y, ${s})`};`).join('\n    ')}
  }
  ${sums.map((s, i) => `v128.store(${16 * i}, ${s});`).join(' ')}
}
export function copy(bytes: u32): void {
  memory.copy(65536 + bytes, 65536, bytes);
}`;

const compile = async (simd: Simd): Promise<Uint8Array> => {
  const { error, binary, stderr } = await asc.compileString(source(simd, Array.from({ length: TILE[simd] }, (_, i) => `s${i}`)), {
    optimizeLevel: 3,
    runtime: 'stub',
    initialMemory: 1600,
    ...{ enable: simd !== 'simd128' ? ['simd', 'relaxed-simd', 'bulk-memory'] : ['simd', 'bulk-memory'] },
  });
  if (error || binary === null) throw new Error(`assemblyscript: ${error?.message}\n${stderr}`);
  return binary;
};

const PROGRAM = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { binary, sums } = workerData;
  const { multiplyAdd, copy } = new WebAssembly.Instance(new WebAssembly.Module(binary), { env: { abort() {} } }).exports;
  const window = (work, run, milliseconds) => {
    const start = performance.now();
    let done = 0;
    while (performance.now() - start < milliseconds) { run(); done += work; }
    return done / (performance.now() - start) / 1e6;
  };
  // The engine compiles the loop anew while it warms up; then the best of ten windows counts.
  const best = (work, run) => Math.max(...Array.from({ length: 11 }, (_, i) => window(work, run, i === 0 ? 400 : 50)));
  const COUNT = 1e5, BYTES = 48 * 2 ** 20;
  parentPort.postMessage([best(COUNT * sums * 8, () => multiplyAdd(COUNT)), best(2 * BYTES, () => copy(BYTES))]);
`;

export interface Ceiling {
  /** Thousand million multiplications and additions a second. */
  readonly gflops: number;
  /** Thousand million bytes a second, read and written. */
  readonly gigabytes: number;
}

/** Measures what so many threads do together. */
export const ceiling = async (threads: number, simd: Simd): Promise<Ceiling> => {
  const workerData = { binary: await compile(simd), sums: TILE[simd] };
  const one = () =>
    new Promise<[number, number]>((resolve, reject) => {
      new Worker(PROGRAM, { eval: true, workerData, execArgv: [] }).on('message', resolve).on('error', reject);
    });
  const rates = await Promise.all(Array.from({ length: threads }, one));
  return { gflops: rates.reduce((sum, [r]) => sum + r, 0), gigabytes: rates.reduce((sum, [, r]) => sum + r, 0) };
};
