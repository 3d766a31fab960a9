/** What the JavaScript peers share: the job from the command line, the tokens of bench/step.ts, the timing of the steps. */

/** `{ config, dropout, warmup, steps, backend }`: wasm, which is meant where none is named, or webgpu. */
export const job = JSON.parse(process.argv[2]);
export const { backend = 'wasm' } = job;

// Node has no WebGPU of its own.
if (backend === 'webgpu') await (await import('../../kernels/device/gpu/adapter.ts')).findAdapter();

const { special, training, vocabSize, maskProbability } = job.config;
export const { batchSize: b, sequenceLength: t } = training;
/** Masked positions a row (lib/electra/mask.ts). */
export const n = Math.max(1, Math.floor((maskProbability + 0.005) * t));

export const tokensOf = (i) =>
  Int32Array.from({ length: b * t }, (_, k) => {
    if (k % t === 0) return special.cls;
    return k % t === t - 1
      ? special.sep
      : special.mask + 1 + (((k + i * 31) * 7919) % Math.min(1000, vocabSize - special.mask - 1));
  });

/** The learning rate at step i: that of bench/step.ts. */
export const rateAt = (i) => 5e-4 * Math.min(1, i / 10) * (1 - i / 1000);

/** Runs the steps, `step(i, tokens)` → the loss as a number, and prints what was measured. */
export const run = async (description, threads, step) => {
  const [times, losses] = [[], []];
  for (let i = 0; i < job.warmup + job.steps; i++) {
    const tokens = tokensOf(i);
    const start = performance.now();
    losses.push(await step(i, tokens));
    if (i >= job.warmup) times.push(performance.now() - start);
  }
  const peakRssMb = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ description, threads, times, losses, peakRssMb }));
  process.exit(0);
};
