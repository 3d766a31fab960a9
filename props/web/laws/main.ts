/// <reference types="vite/client" />
/**
 * Laws in a page: those that need no files, bundled and minified as a user's page would be, run on the device that the
 * address names (`?device=gpu&seed=1&runs=2`). What came out is the promise `outcome`.
 */
import fc from 'fast-check';
import { openQueue, runFile } from '../../laws/queue.ts';
import type { DeviceName } from '../../../kernels/device/device.ts';
import { useDevice } from '../../../kernels/device/choose.ts';

export interface LawsOutcome {
  readonly device: string;
  readonly passed: number;
  readonly failed: number;
  readonly errors: readonly string[];
  readonly table: string;
}

declare global {
  var outcome: Promise<LawsOutcome>;
  /** Which device the laws of every device are checked on. */
  var wanted: string;
}

const asked = new URLSearchParams(location.search);
globalThis.wanted = asked.get('device')!;
openQueue();
fc.configureGlobal({ seed: Number(asked.get('seed')), numRuns: Number(asked.get('runs')), includeErrorInReport: true });

const files = import.meta.glob([
  '../../laws/every.ts',
  '../../ops/*.ts',
  '../../nn/*.ts',
  '../../grad.ts',
  '../../key.ts',
  '../../memory.ts',
  '../../kernels/wasm.ts',
  '../../electra/step.ts',
]);

const runAll = async (): Promise<LawsOutcome> => {
  const device = wanted as DeviceName;
  const { description } = await useDevice(device);
  let [total, passed] = [0, 0];
  const errors: string[] = [];
  for (const [file, load] of Object.entries(files)) {
    // These are laws of threads, which only an isolated page has.
    if (file.endsWith('kernels/wasm.ts') && !crossOriginIsolated) continue;
    const outcome = await runFile(file, load, device);
    total += outcome.total;
    passed += outcome.passed;
    errors.push(...outcome.errors);
    if (outcome.total === 0) errors.push(`${file}: no law ran`);
  }
  const { coverage } = await import('../../laws/coverage.ts');
  const { table, missing } = coverage();
  errors.push(...missing.map((cell) => `${cell} was not checked`));
  return { device: description, passed, failed: total - passed + missing.length, errors, table };
};

globalThis.outcome = runAll();
