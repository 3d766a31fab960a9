/**
 * Whole pre-training steps on the GPU: how long they take, how much of that the GPU works, how many launches and
 * submissions they are, and, on a device that dispatches nothing, what they cost the host.
 */
import type { ConfigName, ElectraConfig } from '../../lib/index.ts';
import { configs, stepFlops } from '../../lib/index.ts';
import { median } from '../median.ts';
import { openTraining } from '../training.ts';
import { openMeasured } from './open.ts';

export interface Steps {
  readonly ms: number;
  /** Part of that in which the GPU works; undefined without a clock. */
  readonly busy?: number;
  readonly launches: number;
  readonly submissions: number;
  /** Bind groups made after the third step. */
  readonly groups: number;
  readonly firstLoss: number;
  readonly lastLoss: number;
}

export const withDropout = (config: ElectraConfig, dropout: number): ElectraConfig => ({
  ...config,
  dropout,
  attentionDropout: dropout,
});

/** Makes a training loop; each call of it is a step that reads its loss. `written` gets the processor's milliseconds until it was handed over. */
const loop = (config: ElectraConfig, written: (ms: number) => void = () => undefined): (() => Promise<number>) => {
  const training = openTraining(config);
  let count = 0;
  return async () => {
    const tokens = training.tokens(count++);
    const start = process.cpuUsage();
    const read = training.advance(tokens).item();
    // The step is handed over before the first thing that waits goes on.
    await Promise.resolve();
    const { user, system } = process.cpuUsage(start);
    written((user + system) / 1000);
    return read;
  };
};

/** Times steps of a configuration. Rejects when it does not fit. */
export const timeSteps = async (config: ElectraConfig, steps: number): Promise<Steps> => {
  const { clock, counts, close } = await openMeasured();
  try {
    const step = loop(config);
    const firstLoss = await step();
    await step();
    await step();
    await clock?.busy();
    const before = { ...counts };
    const [times, busy]: number[][] = [[], []];
    let lastLoss = firstLoss;
    for (let i = 0; i < steps; i++) {
      const start = performance.now();
      lastLoss = await step();
      times.push(performance.now() - start);
      if (clock) busy.push((await clock.busy()) / times[i]);
    }
    const perStep = (name: 'dispatches' | 'submissions') => (counts[name] - before[name]) / steps;
    return {
      ms: median(times),
      busy: clock && median(busy),
      launches: perStep('dispatches'),
      // The clock's own submissions are its own.
      submissions: perStep('submissions') - (clock ? 1 : 0),
      groups: counts.groups - before.groups,
      firstLoss,
      lastLoss,
    };
  } finally {
    await close();
  }
};

/** Milliseconds of the processor for a step, once its code is compiled: from its call until it is handed over. */
export const hostTime = async (config: ElectraConfig, steps = 200): Promise<number> => {
  const { close } = await openMeasured({ idle: true });
  try {
    const times: number[] = [];
    const step = loop(config, (ms) => times.push(ms));
    for (let i = 0; i < steps; i++) await step();
    return median(times.slice(steps >> 1));
  } finally {
    await close();
  }
};

/** Milliseconds that a step of a configuration would take at a rate of so many GFLOP/s. */
export const estimate = (config: ElectraConfig, gflops: number): number => stepFlops(config) / gflops / 1e6;

export const sizes: readonly ConfigName[] = ['mini', 'small', 'base'];
export const sized = (name: ConfigName): ElectraConfig => configs[name];
