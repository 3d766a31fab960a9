/** What a run will cost, before it is started. */
import type { ElectraConfig } from '../../lib/index.ts';
import { chain, countParams, initState, pretrainStep, scaleByAdam, stepFlops } from '../../lib/index.ts';
import { toBatch } from './prepare.ts';

const MEGABYTE = 2 ** 20;

/** Seconds of one step, measured on two steps of the configuration with a small batch, per sequence. */
const secondsPerSequence = async (config: ElectraConfig): Promise<number> => {
  const b = Math.min(4, config.training.batchSize);
  const t = config.training.sequenceLength;
  const optimiser = chain(scaleByAdam());
  const step = pretrainStep(config, optimiser);
  let state = initState(config, optimiser, 0);
  let seconds = 0;
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    const tokens = Int32Array.from({ length: b * t }, (_, k) => (k * 7919) % config.vocabSize);
    const [next, { loss }] = step(state, toBatch({ b, t, tokens, types: new Int32Array(b * t), attend: new Float32Array(b * t).fill(1) }));
    state = next;
    await loss.item();
    seconds = (performance.now() - start) / 1000;
  }
  return seconds / b;
};

/** Prints parameters, memory, work and time of a run whose steps are computed in `parts` parts. */
export const dryRun = async (config: ElectraConfig, parts: number, say: (line: string) => void): Promise<void> => {
  const { steps, batchSize, sequenceLength } = config.training;
  const params = countParams(config);
  const discriminator = countParams(config, (path) => !path.startsWith('generator'));
  // Parameters, gradients (with parts, their sum as well) and two moments; and, for each layer and token of a part, about as
  // much as its widest states.
  const rows = Math.ceil(batchSize / parts);
  const states = [config.discriminator, config.generator].map(
    (n) => n.layers * rows * sequenceLength * (12 * n.hiddenSize + 3 * n.feedForwardSize + 3 * n.heads * sequenceLength),
  );
  const memory = 4 * ((parts > 1 ? 5 : 4) * params + states.reduce((a, b) => a + b));
  const hours = ((await secondsPerSequence(config)) * batchSize * steps) / 3600;
  say(`parameters     ${params.toLocaleString('en')}, of which the discriminator ${discriminator.toLocaleString('en')}`);
  say(`memory         about ${Math.round(memory / MEGABYTE).toLocaleString('en')} MB`);
  say(`work a step    ${(stepFlops(config) / 1e9).toFixed(1)} GFLOP of matrix products, ${(batchSize * sequenceLength).toLocaleString('en')} tokens`);
  say(`the whole run  ${steps.toLocaleString('en')} steps, about ${hours < 1 ? `${Math.ceil(hours * 60)} minutes` : `${hours.toFixed(1)} hours`} on this device`);
};
