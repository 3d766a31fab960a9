/**
 * `npm run bench:gpu`: what the `gpu` device does on whatever adapter answers, as the Markdown of docs/gpu.md: operations
 * beside the adapter's ceiling, our shaders beside the gpu.js definitions that they replace, and whole steps beside PyTorch
 * on CUDA where Python has it. A step that would take more than a minute is skipped, and said to be.
 */
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { replacements } from '../../kernels/fast/wgsl/replacements.ts';
import { gains } from '../gains.ts';
import { median } from '../median.ts';
import { timeKernels } from './kernels.ts';
import type { Measured } from './open.ts';
import { openMeasured } from './open.ts';
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

/** What PyTorch takes for the same step on CUDA; undefined where it is not there or does not fit. */
const pytorch = (config: object, compile: boolean): number | undefined => {
  const job = JSON.stringify({ config, dropout, warmup: 5, steps: Number(options.steps), device: 'cuda', compile });
  const run = spawnSync(options.python, [fileURLToPath(new URL('../peers/pytorch.py', import.meta.url)), job], {
    encoding: 'utf8',
  });
  const line = run.stdout?.split('\n').find((text) => text.startsWith('{'));
  if (run.status === 0 && line !== undefined) return median((JSON.parse(line) as { times: number[] }).times);
  console.error(`PyTorch failed: ${run.stderr.slice(-500)}`);
  return undefined;
};
const hasCuda = spawnSync(options.python, ['-c', 'import torch; assert torch.cuda.is_available()']).status === 0;

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
  'PyTorch ms',
  'torch.compile ms',
);
const notes: string[] = hasCuda ? [] : [`PyTorch is skipped: ${options.python} has no torch with CUDA`];
for (const name of sizes) {
  const config = withDropout(sized(name), dropout);
  const { batchSize: b, sequenceLength: t } = config.training;
  const shape = `${b} × ${t}`;
  const peers = hasCuda ? [false, true].map((compile) => pytorch(config, compile)) : [];
  const [eager, compiled] = [0, 1].map((i) => (peers[i] === undefined ? '–' : round(peers[i])));
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
    row(name, shape, '–', '–', '–', '–', '–', '–', '–', host, eager, compiled);
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
      eager,
      compiled,
    );
  } catch (error) {
    notes.push(`${name} failed: ${(error as Error).message}`);
    row(name, shape, '–', '–', '–', '–', '–', '–', '–', host, eager, compiled);
  }
}
console.log(
  '\nHost ms: what a step costs the processor when nothing is dispatched, over the second hundred of 200 steps, with batch 1.',
);
notes.forEach((note) => console.log(`\n${note}.`));
process.exit();
