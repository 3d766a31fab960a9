/**
 * Whole training steps: `npx tsx bench/step.ts --config mini --device wasm --dropout 0 --steps 8 --json`. The sequences
 * are full and made from the seed; losses are printed so that a wrong step cannot look fast.
 */
import { cpus } from 'node:os';
import { Command } from 'commander';
import type { ConfigName, ElectraConfig } from '../lib/index.ts';
import { configs, devices, launches, stepFlops, useDevice } from '../lib/index.ts';
import { median } from './median.ts';
import { openTraining, WARM_UP } from './training.ts';

interface Options {
  readonly config: ConfigName;
  readonly device?: (typeof devices)[number];
  readonly dropout: string;
  readonly steps: string;
  readonly json: boolean;
}

const options = new Command('step')
  .option('--config <name>', 'a named configuration', 'mini')
  .option('--device <name>', 'where to compute')
  .option('--dropout <x>', 'dropout rate', '0')
  .option('--steps <n>', `steps that are timed, after ${WARM_UP} that are not`, '8')
  .option('--json', 'print one line of JSON', false)
  .parse()
  .opts<Options>();

const named: ElectraConfig = configs[options.config];
// The published small size is timed with 8 sequences: a batch of 128 takes a processor a minute.
const schedule = options.config === 'small' ? { ...named.training, batchSize: 8 } : named.training;
const dropout = Number(options.dropout);
const config: ElectraConfig = { ...named, dropout, attentionDropout: dropout, training: schedule };
const { batchSize: b, sequenceLength: t } = schedule;

const device = await useDevice(options.device);
const training = openTraining(config);

const times: number[] = [];
/** Time of a step until it is written down: what JavaScript takes, while the device computes earlier work. */
const hostTimes: number[] = [];
const launched: number[] = [];
const losses: number[] = [];
for (let i = 0; i < Number(options.steps) + WARM_UP; i++) {
  const tokens = training.tokens(i);
  const [start, before] = [performance.now(), launches()];
  const loss = training.advance(tokens);
  hostTimes.push(performance.now() - start);
  launched.push(launches() - before);
  losses.push(await loss.item());
  if (i >= WARM_UP) times.push(performance.now() - start);
}

const msPerStep = median(times);
const minMs = Math.min(...times);
const result = {
  config: options.config,
  device: device.name,
  description: device.description,
  threads: device.threads,
  simd: device.simd,
  node: process.version,
  cpu: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
  dropout,
  msPerStep,
  minMs,
  hostMs: median(hostTimes.slice(WARM_UP)),
  launches: launched.at(-1),
  tokensPerSecond: (1000 * b * t) / msPerStep,
  gflopPerSecond: stepFlops(config) / msPerStep / 1e6,
  firstLoss: losses[0],
  lastLoss: losses.at(-1),
  peakRssMb: process.resourceUsage().maxRSS / 1024,
};
console.log(
  options.json
    ? JSON.stringify(result)
    : `${options.config} on ${device.description}: ${msPerStep.toFixed(0)} ms a step (fastest ${minMs.toFixed(0)}), ` +
        `${Math.round(result.tokensPerSecond).toLocaleString('en')} tokens/s, ${result.gflopPerSecond.toFixed(1)} GFLOP/s`,
);
