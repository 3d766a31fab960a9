/**
 * What the machine can do at most with WebAssembly's vectors: a loop of multiply-adds that never leaves the registers, and
 * a copy of memory too large for the caches. Every thread runs both for itself, all at once; the rates add up. Figures of
 * kernels are read beside these.
 */
import { Worker } from 'node:worker_threads';
import asc from 'assemblyscript/asc';

/** Twelve sums, as many as a tile of the matrix product has: enough that no addition waits for the one before it. */
const sums = Array.from({ length: 12 }, (_, i) => `s${i}`);

const source = (relaxed: boolean) => `
export function multiplyAdd(count: u32): f32 {
  const x = f32x4.splat(0.999), y = f32x4.splat(0.001);
  ${sums.map((s, i) => `let ${s} = f32x4.splat(${i});`).join(' ')}
  for (let i: u32 = 0; i < count; i++) {
    ${sums.map((s) => `${s} = ${relaxed ? `f32x4.relaxed_madd(${s}, x, y)` : `f32x4.add(f32x4.mul(${s}, x), y)`};`).join('\n    ')}
  }
  return f32x4.extract_lane(${sums.reduce((a, b) => `f32x4.add(${a}, ${b})`)}, 0);
}
export function copy(bytes: u32): void {
  memory.copy(65536 + bytes, 65536, bytes);
}`;

const compile = async (relaxed: boolean): Promise<Uint8Array> => {
  const { error, binary, stderr } = await asc.compileString(source(relaxed), {
    optimizeLevel: 3,
    runtime: 'stub',
    initialMemory: 1600,
    ...{ enable: relaxed ? ['simd', 'relaxed-simd', 'bulk-memory'] : ['simd', 'bulk-memory'] },
  });
  if (error || binary === null) throw new Error(`assemblyscript: ${error?.message}\n${stderr}`);
  return binary;
};

const PROGRAM = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { multiplyAdd, copy } = new WebAssembly.Instance(new WebAssembly.Module(workerData), { env: { abort() {} } }).exports;
  const window = (work, run, milliseconds) => {
    const start = performance.now();
    let done = 0;
    while (performance.now() - start < milliseconds) { run(); done += work; }
    return done / (performance.now() - start) / 1e6;
  };
  // The engine compiles the loop anew while it warms up; then the best of ten windows counts.
  const best = (work, run) => Math.max(...Array.from({ length: 11 }, (_, i) => window(work, run, i === 0 ? 400 : 50)));
  const COUNT = 1e5, BYTES = 48 * 2 ** 20;
  parentPort.postMessage([best(COUNT * ${sums.length} * 8, () => multiplyAdd(COUNT)), best(2 * BYTES, () => copy(BYTES))]);
`;

export interface Ceiling {
  /** Thousand million multiplications and additions a second. */
  readonly gflops: number;
  /** Thousand million bytes a second, read and written. */
  readonly gigabytes: number;
}

/** Measures what so many threads do together. */
export const ceiling = async (threads: number, relaxed: boolean): Promise<Ceiling> => {
  const workerData = await compile(relaxed);
  const one = () =>
    new Promise<[number, number]>((resolve, reject) => {
      new Worker(PROGRAM, { eval: true, workerData, execArgv: [] }).on('message', resolve).on('error', reject);
    });
  const rates = await Promise.all(Array.from({ length: threads }, one));
  return { gflops: rates.reduce((sum, [r]) => sum + r, 0), gigabytes: rates.reduce((sum, [, r]) => sum + r, 0) };
};
