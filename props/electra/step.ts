/** Laws of training: a step is a function of its arguments, a run keeps no more than its state, and the loss goes down. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import type { ElectraConfig } from '../../lib/electra/config.ts';
import { pretrainLoss } from '../../lib/electra/objective.ts';
import type { State } from '../../lib/electra/step.ts';
import { initState, pretrainStep } from '../../lib/electra/step.ts';
import { fold, split } from '../../lib/key.ts';
import { scoped } from '../../lib/memory.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { live } from '../../lib/tensor.ts';
import { present } from '../laws/present.ts';
import { batchOf, optimiser, small, valuesOf } from './small.ts';

const test = suite('step');

const dropping: ElectraConfig = { ...small, dropout: 0.1, attentionDropout: 0.1 };

/** A run of some steps, each on a batch of its own. */
const train = (config: ElectraConfig, steps: number, lengths: readonly number[] = [14, 14, 9]) => {
  const transform = optimiser();
  const step = pretrainStep(config, transform);
  let state: State = initState(config, transform, 1);
  for (let i = 0; i < steps; i++) [state] = step(state, batchOf(lengths, config.training, i));
  return state;
};

for (const device of present) {
  test(`two runs from the same seed are equal bit for bit, dropout included (${device})`, async () => {
    await useDevice(device);
    const state = await valuesOf(train(dropping, 2));
    assert.equal(await valuesOf(train(dropping, 2)), state);
    assert.equal(state.step, [2]);
  });
}

for (const device of ['reference', 'wasm'] as const) {
  test(`the losses of a step are those of the objective for the same key (${device})`, async () => {
    await useDevice(device);
    const state = initState(dropping, optimiser(), 1);
    const read = async (x: { loss: Tensor; mlm: Tensor; rtd: Tensor }) =>
      valuesOf({ loss: x.loss, mlm: x.mlm, rtd: x.rtd });
    const seen = await read(
      scoped(() => pretrainLoss(fold(state.key, state.step), state.params, batchOf([14, 9]), dropping)),
    );
    const [, metrics] = pretrainStep(dropping, optimiser())(state, batchOf([14, 9]));
    assert.equal(await read(metrics), seen);
  });
}

test("every step hides other tokens: the key of a step is the run's key with the number of the step", async () => {
  await useDevice('reference');
  const { key, step } = initState(small, optimiser(), 1);
  const hide = async (n: Tensor | number) => [...(await split(fold(key, n), 'hide').hide.data())];
  assert.equal(await hide(step), await hide(0));
  assert.not.equal(await hide(0), await hide(1));
});

test('a run of 30 steps holds as many buffers after every one of them', async () => {
  await useDevice('wasm');
  const transform = optimiser();
  const step = pretrainStep(dropping, transform);
  let state: State = initState(dropping, transform, 1);
  const counts: number[] = [];
  for (let i = 0; i < 30; i++) {
    const [next, metrics] = step(state, batchOf([14, 14, 9], small.training, i));
    state = next;
    if (i % 7 === 0) await metrics.loss.item();
    counts.push(live());
  }
  assert.equal(new Set(counts.slice(1)).size, 1, counts.join(' '));
});

test('state and batch are used up by a step, and say so', async () => {
  await useDevice('wasm');
  const step = pretrainStep(small, optimiser());
  const [state, batch] = [initState(small, optimiser(), 1), batchOf([14])];
  step(state, batch);
  assert.throws(() => step(state, batchOf([14])), /was freed by the donating step that it was given to/);
  const error = await batch.tokens.data().then(
    () => undefined,
    (error: Error) => error,
  );
  assert.match(error?.message ?? '', /was freed/);
});

test('60 steps on the same text reduce both losses', async () => {
  await useDevice('wasm');
  const transform = optimiser();
  const step = pretrainStep(small, transform);
  let state: State = initState(small, transform, 1);
  const losses: { mlm: number; rtd: number }[] = [];
  for (let i = 0; i < 60; i++) {
    const [next, { mlm, rtd }] = step(state, batchOf([14, 14, 14, 14]));
    state = next;
    losses.push({ mlm: await mlm.item(), rtd: await rtd.item() });
  }
  const mean = (part: typeof losses, name: 'mlm' | 'rtd') =>
    part.reduce((total, loss) => total + loss[name], 0) / part.length;
  const [first, last] = [losses.slice(0, 3), losses.slice(-20)];
  assert.ok(mean(last, 'mlm') < 0.93 * mean(first, 'mlm'), `mlm ${mean(first, 'mlm')} → ${mean(last, 'mlm')}`);
  assert.ok(mean(last, 'rtd') < 0.75 * mean(first, 'rtd'), `rtd ${mean(first, 'rtd')} → ${mean(last, 'rtd')}`);
});

test.run();
