/**
 * `npm run bench:gpu`: what the `gpu` device does on whatever adapter answers, as the Markdown of docs/gpu.md: operations
 * beside the adapter's ceiling, our shaders beside the gpu.js definitions that they replace, and whole steps beside
 * those of other frameworks that reach the GPU. A step that would take more than a minute is skipped, and said to be.
 */
import { cpus } from 'node:os';
import { Command } from 'commander';
import { replacements } from '../../kernels/fast/wgsl/replacements.ts';
import { gains } from '../gains.ts';
import { timeKernels } from './kernels.ts';
import type { Measured } from './open.ts';
import { openMeasured } from './open.ts';
import { findPeers } from './peers.ts';
import { estimate, hostTime, sized, sizes, timeSteps, withDropout } from './steps.ts';

const options = new Command('bench:gpu')
  .option('--dropout <x>', 'dropout rate of the steps', '0.1')
  .option('--steps <n>', 'steps that are timed, after three that are not', '8')
  .option('--python <path>', 'a Python that may have PyTorch with CUDA', 'python3')
  .parse()
  .opts<{ dropout: string; steps: string; python: string }>();

const dropout = Number(options.dropout);
const MOST_MS = 60_000;

const row = (...cells: (string | number)[]) => console.log(`| ${cells.join(' | ')} |`);
const head = (...cells: string[]) => {
  row(...cells);
  row(...cells.map((_, i) => (i === 0 ? '---' : '---:')));
};
const round = (x: number, digits = 1) => x.toFixed(digits);

const { device, software, clock, close } = await openMeasured();
console.log(
  `${device.description}; ${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`,
);
if (software)
  console.log(
    '\nThis adapter is software on the processor: its times say nothing of a GPU, its counts and host times do.',
  );
const hasClock = clock !== undefined;
await close();

const { ceiling, timed } = await timeKernels();
console.log(
  `\nCeiling: ${round(ceiling.gigabytes)} GB/s (a copy of a large buffer, read and written), ${round(ceiling.gflops)} GFLOP/s (${ceiling.best}). Times are ${hasClock ? 'the GPU’s own' : 'the host’s'}.\n`,
);
head('operation', 'ms', 'rate', 'of the ceiling');
for (const { name, ms, flops, bytes } of timed) {
  const [rate, unit, most] =
    flops === undefined ? [bytes / ms / 1e6, 'GB/s', ceiling.gigabytes] : [flops / ms / 1e6, 'GFLOP/s', ceiling.gflops];
  row(name, round(ms, 3), `${round(rate)} ${unit}`, `${round((100 * rate) / most, 0)} %`);
}

const [tuned, defined] = [await openMeasured({ tuned: true }), await openMeasured({ tuned: false })];
const timedBy = ({ queue, clock }: Measured) => ({ queue, busy: clock?.busy });
console.log('');
head('shader of our own', 'ms', 'ms by its gpu.js definition', 'ratio', 'rate');
for await (const { title, flops, replacement, definition } of gains(timedBy(tuned), timedBy(defined), replacements)) {
  const rate = flops === undefined ? '–' : `${round(flops / replacement / 1e6)} GFLOP/s`;
  row(title, round(replacement, 3), round(definition, 3), round(definition / replacement), rate);
}
await Promise.all([tuned.close(), defined.close()]);

const { peers, absent } = findPeers({ python: options.python, dropout, steps: Number(options.steps), software });

console.log('');
head(
  'step',
  'batch × sequence',
  'ms',
  'tokens/s',
  'GFLOP/s',
  'GPU busy',
  'launches',
  'submissions',
  'bind groups after step 3',
  'host ms',
  ...peers.map(({ name }) => `${name} ms`),
);
const notes = [...absent];
for (const name of sizes) {
  const config = withDropout(sized(name), dropout);
  const { batchSize: b, sequenceLength: t } = config.training;
  const shape = `${b} × ${t}`;
  const others = peers.map(({ ms }) => ms(config)).map((ms) => (ms === undefined ? '–' : round(ms)));
  // On a software adapter the state of `base` alone, which is there twice, would fill the memory of most machines.
  const host =
    software && name === 'base'
      ? '–'
      : round(await hostTime({ ...config, training: { ...config.training, batchSize: 1 } }));
  const expected = estimate(config, ceiling.gflops);
  if (expected > MOST_MS) {
    notes.push(
      `${name} is skipped: at ${round(ceiling.gflops)} GFLOP/s a step takes ${round(expected / 1000, 0)} s at least`,
    );
    row(name, shape, '–', '–', '–', '–', '–', '–', '–', host, ...others);
    continue;
  }
  try {
    const steps = await timeSteps(config, software ? 3 : Number(options.steps));
    if (!(steps.lastLoss < steps.firstLoss))
      throw new Error(`its loss did not fall: ${steps.firstLoss}, ${steps.lastLoss}`);
    const busy = steps.busy === undefined ? '–' : `${round(100 * steps.busy, 0)} %`;
    row(
      name,
      shape,
      round(steps.ms),
      round((1000 * b * t) / steps.ms, 0),
      round(estimate(config, 1) / steps.ms),
      busy,
      steps.launches,
      steps.submissions,
      steps.groups,
      host,
      ...others,
    );
  } catch (error) {
    notes.push(`${name} failed: ${(error as Error).message}`);
    row(name, shape, '–', '–', '–', '–', '–', '–', '–', host, ...others);
  }
}
console.log(
  '\nHost ms: what a step costs the processor when nothing is dispatched, over the second hundred of 200 steps, with batch 1.',
);
notes.forEach((note) => console.log(`\n${note}.`));
process.exit();
