/**
 * Single operations on the GPU, verified, warmed up and timed: first the ceilings, a copy of a large buffer and the best
 * matrix product, then every case beside them. Times are the GPU's own where it has a clock, else those of some launches
 * submitted together.
 */
import type { Case } from '../measure.ts';
import { cases, product } from '../cases.ts';
import { worst } from '../measure.ts';
import { median } from '../median.ts';
import { scoped, tensor, useDevice } from '../../lib/index.ts';
import { openMeasured } from './open.ts';

/** Launches between two looks at the clock, at most, and milliseconds that they should take. */
const REPEATS = 10;
const MILLISECONDS = 300;

export interface Ceiling {
  readonly gigabytes: number;
  readonly gflops: number;
  /** The product that reached it. */
  readonly best: string;
}

/** GB/s of a copy from one large buffer to another, read and written. */
const copy = async (raw: GPUDevice): Promise<number> => {
  const size = Math.min(2 ** 28, raw.limits.maxBufferSize);
  const [from, to] = [0, 1].map(() => raw.createBuffer({ size, usage: 4 | 8 }));
  const rates: number[] = [];
  for (let i = 0; i < 6; i++) {
    const start = performance.now();
    const encoder = raw.createCommandEncoder();
    for (let k = 0; k < 4; k++) encoder.copyBufferToBuffer(from, 0, to, 0, size);
    raw.queue.submit([encoder.finish()]);
    await raw.queue.onSubmittedWorkDone();
    rates.push((8 * size) / (performance.now() - start) / 1e6);
  }
  from.destroy();
  to.destroy();
  return Math.max(...rates);
};

export interface Timed {
  readonly name: string;
  readonly ms: number;
  readonly flops?: number;
  readonly bytes: number;
}

/** Multiplications and additions of a product beyond which the reference would take minutes, and our tuned kernels must do. */
const MOST_FLOPS = 2 ** 31;

/** Times the ceilings and all cases on a device of its own, each after its numbers were found right. Rejects when they are not. */
export const timeKernels = async (): Promise<{ ceiling: Ceiling; timed: Timed[] }> => {
  const { raw, clock, software, use, close } = await openMeasured();
  const last = tensor([0]);

  const verify = async (one: Case): Promise<void> => {
    const drawn = scoped(() => one.inputs());
    const values = await Promise.all(drawn.map((x) => x.data()));
    const compute = () =>
      scoped(() => one.run(...drawn.map(({ shape, dtype }, i) => tensor(values[i], shape, dtype)))).data();
    const numbers = await compute();
    const judge = (one.flops ?? 0) > MOST_FLOPS ? 'wasm' : 'reference';
    await useDevice(judge);
    const difference = worst(numbers, await compute());
    use();
    drawn.forEach((x) => x.free('after it was verified'));
    if (!(difference <= one.tolerance))
      throw new Error(`${one.name} on gpu differs by ${difference} from ${judge}; at most ${one.tolerance} is right`);
  };

  const time = async (one: Case): Promise<number> => {
    const inputs = scoped(() => one.inputs());
    const times: number[] = [];
    let repeats = 1;
    for (let spent = 0; times.length < 3 || (spent < MILLISECONDS && times.length < 200);) {
      await last.data();
      await clock?.busy();
      const start = performance.now();
      for (let i = 0; i < repeats; i++) scoped(() => void one.run(...inputs));
      await last.data();
      const wall = performance.now() - start;
      spent += wall;
      times.push((clock ? await clock.busy() : wall) / repeats);
      repeats = Math.max(1, Math.min(REPEATS, Math.floor((MILLISECONDS * repeats) / wall)));
    }
    inputs.forEach((x) => x.free('after it was timed'));
    return median(times.slice(1));
  };

  const timed: Timed[] = [];
  const sizes = software ? [256, 512] : [1024, 2048, 4096];
  for (const one of [...sizes.map((n) => product(n, n, n)), ...cases]) {
    await verify(one);
    timed.push({ ...one, ms: await time(one) });
  }
  const rateOf = ({ flops = 0, ms }: Timed) => flops / ms / 1e6;
  const best = timed.reduce((most, one) => (rateOf(one) > rateOf(most) ? one : most));
  const ceiling = { gigabytes: await copy(raw), gflops: rateOf(best), best: best.name };
  await close();
  return { ceiling, timed };
};
