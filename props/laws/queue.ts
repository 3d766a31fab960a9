/**
 * How the laws of one file are run, in Node and in a page: uvu queues what `test.run()` would run, and this takes it from
 * the queue. Import it, and call `openQueue`, before uvu.
 */
import { useDevice } from '../../kernels/device/choose.ts';
import type { DeviceName } from '../../kernels/device/device.ts';

/** What uvu queues for `test.run()`: runs the tests, and says errors (or true), passed, skipped, total. */
type Run = () => Promise<[string | true, number, number, number]>;

declare global {
  // uvu's own variables: its tests wait in the queue's group number UVU_INDEX until somebody runs them.
  var UVU_DEFER: number;
  var UVU_INDEX: number;
  var UVU_QUEUE: [name: string, ...runs: Run[]][];
}

/** Tells uvu to wait. */
export const openQueue = (): void => {
  globalThis.UVU_DEFER = 1;
  globalThis.UVU_QUEUE = [];
};

export interface Outcome {
  /** How many times the file called `test.run()`. */
  readonly runs: number;
  readonly total: number;
  readonly passed: number;
  readonly skipped: number;
  /** What failed, in uvu's words. */
  readonly errors: readonly string[];
}

/** Loads a file and runs its laws, each group of them beginning on the device. */
export const runFile = async (file: string, load: () => Promise<unknown>, device: DeviceName): Promise<Outcome> => {
  globalThis.UVU_INDEX = globalThis.UVU_QUEUE.length;
  globalThis.UVU_QUEUE.push([file]);
  await useDevice(device);
  await load();
  const [, ...runs] = globalThis.UVU_QUEUE[globalThis.UVU_INDEX];
  const outcome = { runs: runs.length, total: 0, passed: 0, skipped: 0, errors: [] as string[] };
  for (const run of runs) {
    await useDevice(device);
    const [errors, passed, skipped, total] = await run();
    outcome.total += total;
    outcome.passed += passed;
    outcome.skipped += skipped;
    if (errors !== true) outcome.errors.push(errors);
  }
  return outcome;
};
