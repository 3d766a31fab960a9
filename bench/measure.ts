/**
 * Timing that can be trusted: the answer is compared with the double-precision reference first, then the work is warmed
 * up and timed many times; the median is what counts. GFLOP/s count a multiplication and an addition as two, GB/s the
 * bytes of inputs and output once.
 */
import { Bench } from 'tinybench';
import type { Tensor } from '../lib/index.ts';
import { scoped, tensor, useDevice } from '../lib/index.ts';

export interface Case {
  readonly name: string;
  /** Makes the arguments on the current device: the same numbers on every one. */
  readonly inputs: () => Tensor[];
  readonly run: (...inputs: Tensor[]) => Tensor;
  readonly flops?: number;
  readonly bytes: number;
  /** Largest difference from the reference that is right. */
  readonly tolerance: number;
}

/** Runs between two looks at the clock, so that waiting for the device does not count. */
const REPEATS = 10;

type DeviceName = NonNullable<Parameters<typeof useDevice>[0]>;

const compute = async ({ inputs, run }: Case): Promise<ArrayLike<number>> => scoped(() => run(...inputs())).data();

/** The largest difference between two lists of numbers. */
export const worst = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
};

/** Verifies a case on the device, then times it. Throws when the answer is wrong. */
export const measure = async (device: DeviceName, benchCase: Case): Promise<{ median: number; spread: number }> => {
  await useDevice('reference');
  const right = await compute(benchCase);
  await useDevice(device);
  const difference = worst(await compute(benchCase), right);
  if (!(difference <= benchCase.tolerance)) {
    throw new Error(`${benchCase.name} on ${device} differs by ${difference} from the reference; at most ${benchCase.tolerance} is right`);
  }
  const inputs = benchCase.inputs();
  const last = tensor([0]);
  // Devices keep the order of commands: when a number that was there before is read, everything asked for earlier is done.
  const bench = new Bench({ time: 400, warmupTime: 200 });
  bench.add(benchCase.name, async () => {
    for (let i = 0; i < REPEATS; i++) scoped(() => void benchCase.run(...inputs));
    await last.data();
  });
  await bench.run();
  const { latency } = bench.tasks[0].result as { latency: { p50: number; p75: number } };
  return { median: latency.p50 / REPEATS, spread: (latency.p75 - latency.p50) / latency.p50 };
};
