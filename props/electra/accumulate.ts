/** Laws of gradient accumulation: a batch in parts is the batch. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import { accumulatedStep } from '../../lib/electra/accumulate.ts';
import type { ElectraConfig } from '../../lib/electra/config.ts';
import { maskTokens } from '../../lib/electra/mask.ts';
import { pretrainLoss } from '../../lib/electra/objective.ts';
import { initElectra } from '../../lib/electra/params.ts';
import type { State } from '../../lib/electra/step.ts';
import { initState, pretrainStep } from '../../lib/electra/step.ts';
import { key, rowKeys, split } from '../../lib/key.ts';
import { scoped } from '../../lib/memory.ts';
import { slice } from '../../lib/ops/move.ts';
import { live } from '../../lib/tensor.ts';
import { map } from '../../lib/tree.ts';
import { assertClose } from '../laws/close.ts';
import { batchOf, optimiser, small, tyings, valuesOf } from './small.ts';

const test = suite('accumulate');

const dropping = (config: ElectraConfig): ElectraConfig => ({ ...config, dropout: 0.1, attentionDropout: 0.1 });

/** Rows of very different lengths, so that the parts' shares differ. */
const lengths = [14, 3, 9, 14, 6];

/** State and metrics after some steps, each on a batch of its own. */
const train = async (step: ReturnType<typeof pretrainStep>, start: State, steps: number) => {
  let state = start;
  const metrics: Record<string, number[]>[] = [];
  for (let i = 0; i < steps; i++) {
    const [next, measured] = step(state, batchOf(lengths, small.training, i));
    state = next;
    metrics.push(await valuesOf(measured));
  }
  return { state: await valuesOf(state), metrics };
};

/** How far two runs may be apart: Adam's first updates divide by √v, which is small where gradients are. */
const tolerances = { reference: 1e-9, wasm: 2e-4 };

const close = (came: Record<string, number[]>, expected: Record<string, number[]>, tolerance: number) => {
  assert.equal(Object.keys(came), Object.keys(expected));
  for (const path of Object.keys(expected)) assertClose(came[path], expected[path], tolerance, path);
};

for (const device of ['reference', 'wasm'] as const) {
  for (const [tying, named] of Object.entries(tyings)) {
    test(`a batch in parts gives the losses and the update of the whole batch, dropout included (${device}, tying ${tying})`, async () => {
      await useDevice(device);
      const config = dropping(named);
      const transform = optimiser();
      const whole = await train(pretrainStep(config, transform), initState(config, transform, 1), 2);
      for (const parts of [1, 2, 3, 5]) {
        const inParts = await train(accumulatedStep(config, transform, parts), initState(config, transform, 1), 2);
        close(inParts.state, whole.state, tolerances[device]);
        whole.metrics.forEach((metrics, i) => close(inParts.metrics[i], metrics, tolerances[device]));
      }
    });
  }

  test(`what is hidden in a row, and what replaces it, does not depend on the rows beside it (${device})`, async () => {
    await useDevice(device);
    const config = dropping(small);
    const params = initElectra(key(1), config);
    const keys = rowKeys(key(2), lengths.length);
    const one = <T>(tree: T, r: number): T => map((x) => slice(x, [r, 0], [1, x.shape[1]]), tree);
    const batch = batchOf(lengths);
    const { masked, corrupted } = pretrainLoss(keys, params, batch, config);
    for (let r = 0; r < lengths.length; r++) {
      const alone = pretrainLoss(one(keys, r), params, one(batch, r), config);
      const seen = ({ at, answers, hidden, tokens }: typeof masked, corrupted: typeof batch.tokens) =>
        valuesOf({ at, answers, hidden, tokens, corrupted });
      assert.equal(await seen(alone.masked, alone.corrupted), await seen(one(masked, r), one(corrupted, r)));
    }
    const { hide } = split(keys, 'hide');
    assert.equal(await valuesOf(maskTokens(hide, batch, config).at), await valuesOf(masked.at));
  });
}

test('sums and parts are freed as soon as they are added: more parts hold no more buffers', async () => {
  await useDevice('reference');
  const alive = (parts: number): number => {
    const transform = optimiser();
    const state = initState(dropping(small), transform, 1);
    const before = live();
    let after = 0;
    const update: typeof transform.update = (...given) => ((after = live()), transform.update(...given));
    scoped(() => accumulatedStep(dropping(small), { ...transform, update }, parts)(state, batchOf(lengths)));
    return after - before;
  };
  assert.is(alive(5), alive(2));
});

test('a batch with fewer rows than parts is refused', async () => {
  await useDevice('reference');
  for (const parts of [0, 1.5, 6]) {
    const step = accumulatedStep(small, optimiser(), parts);
    assert.throws(
      () => step(initState(small, optimiser(), 1), batchOf(lengths)),
      /a batch of 5 rows divides into 1 to 5 parts, not into/,
    );
  }
});

test.run();
