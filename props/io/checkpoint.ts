/** Laws of checkpoints: what was saved is what is loaded, damage is found, and a run that resumes is the run it was. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import type { ElectraConfig } from '../../lib/electra/config.ts';
import type { State } from '../../lib/electra/step.ts';
import { initState, pretrainStep } from '../../lib/electra/step.ts';
import { checkpointSteps, loadCheckpoint, saveCheckpoint } from '../../lib/io/checkpoint.ts';
import { tensor } from '../../lib/tensor.ts';
import { leaves, paths } from '../../lib/tree.ts';
import { batchOf, optimiser, small, valuesOf } from '../electra/small.ts';

const test = suite('checkpoint');
let folder = '';
test.before.each(async () => {
  await useDevice('wasm');
  folder = mkdtempSync(join(tmpdir(), 'amber-checkpoint-'));
});
test.after.each(() => rmSync(folder, { recursive: true }));

const config: ElectraConfig = { ...small, dropout: 0.1, attentionDropout: 0.1 };

/** `steps` more steps, each on the batch of its number. */
const train = async (state: State, steps: number): Promise<State> => {
  const step = pretrainStep(config, optimiser());
  const from = await state.step.item();
  let now = state;
  for (let i = 0; i < steps; i++) [now] = step(now, batchOf([14, 14, 9], config.training, from + i));
  return now;
};

const specs = (tree: unknown) =>
  leaves(tree)
    .map(({ shape, dtype }, i) => `${paths(tree)[i]} ${dtype} ${shape}`)
    .sort();

for (const device of ['reference', 'wasm'] as const) {
  test(`a checkpoint reads back equal, bit for bit (${device})`, async () => {
    await useDevice(device);
    const state = await train(initState(config, optimiser(), 1), 2);
    const path = await saveCheckpoint(folder, 2, state, { best: { loss: 0.1 }, epochs: 3 });
    const { state: loaded, info } = loadCheckpoint<State>(path);
    assert.equal(specs(loaded), specs(state));
    assert.equal(await valuesOf(loaded), await valuesOf(state));
    assert.equal([info.best, info.epochs, info.step], [{ loss: 0.1 }, 3, 2]);
    assert.ok(Array.isArray(loaded.params.discriminator.encoder));
  });

  test(`a run that resumes at step 5 has the same step 10, bit for bit (${device})`, async () => {
    await useDevice(device);
    const undisturbed = await valuesOf(await train(initState(config, optimiser(), 1), 10));
    const path = await saveCheckpoint(folder, 5, await train(initState(config, optimiser(), 1), 5), {});
    const resumed = await train(loadCheckpoint<State>(path).state, 5);
    assert.equal(await valuesOf(resumed), undisturbed);
    // And a checkpoint of the resumed run is a checkpoint like any other.
    const again = await saveCheckpoint(folder, 10, resumed, {});
    assert.equal(await valuesOf(loadCheckpoint(again).state), undisturbed);
  });
}

test('every number of either precision survives, and empty tensors too', async () => {
  const numbers = fc.array(fc.double({ noNaN: true }), { maxLength: 8 });
  for (const device of ['reference', 'wasm'] as const) {
    await useDevice(device);
    await fc.assert(
      fc.asyncProperty(numbers, fc.array(fc.integer({ min: 1 - 2 ** 24, max: 2 ** 24 - 1 })), async (reals, ids) => {
        const state = {
          reals: [tensor(reals), tensor(reals, [1, reals.length])],
          ids: tensor(ids, [ids.length], 'i32'),
        };
        const { state: loaded } = loadCheckpoint<typeof state>(await saveCheckpoint(folder, 1, state, {}));
        assert.equal(specs(loaded), specs(state));
        assert.equal(await valuesOf(loaded), await valuesOf(state));
      }),
      { numRuns: 10 },
    );
  }
});

test('saving uses nothing up: the run goes on with the state that was saved', async () => {
  const state = await train(initState(config, optimiser(), 1), 1);
  await saveCheckpoint(folder, 1, state, {});
  assert.is(await (await train(state, 1)).step.item(), 2);
});

test('a flipped bit anywhere in the state is found', async () => {
  const path = await saveCheckpoint(folder, 7, { x: tensor([1, 2, 3]), n: tensor([4], [], 'i32') }, {});
  const file = join(path, 'state.safetensors');
  const whole = readFileSync(file);
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(7), (place, bit) => {
      const damaged = Buffer.from(whole);
      damaged[place] ^= 1 << bit;
      writeFileSync(file, damaged);
      assert.throws(() => loadCheckpoint(path), /is damaged: its checksum does not match; use an earlier one/);
    }),
    { numRuns: 30 },
  );
  writeFileSync(file, whole.subarray(0, whole.length - 1));
  assert.throws(() => loadCheckpoint(path), /is damaged/);
});

test('a checkpoint that lacks a file, or whose description is torn, is refused by name', async () => {
  const path = await saveCheckpoint(folder, 7, { x: tensor([1]) }, {});
  const description = join(path, 'checkpoint.json');
  writeFileSync(description, readFileSync(description).subarray(0, 20));
  assert.throws(() => loadCheckpoint(path), /7 is damaged: .*use an earlier one/);
  rmSync(description);
  assert.throws(() => loadCheckpoint(path), /7 is no whole checkpoint: .*checkpoint\.json is missing/);
  assert.throws(() => loadCheckpoint(join(folder, '8')), /8 is no whole checkpoint/);
});

test('the newest three and the best are kept', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(10_000), { minLength: 1, maxLength: 7 }),
      fc.nat(6),
      async (drawn, index) => {
        const root = mkdtempSync(join(folder, 'run-'));
        const steps = drawn.sort((a, b) => a - b);
        const best = steps[Math.min(index, steps.length - 1)];
        for (const step of steps) await saveCheckpoint(root, step, { x: tensor([step]) }, {}, { best });
        assert.equal(
          checkpointSteps(root),
          steps.filter((step, i) => i >= steps.length - 3 || step === best),
        );
      },
    ),
    { numRuns: 15 },
  );
  assert.equal(checkpointSteps(join(folder, 'nowhere')), []);
});

test('a checkpoint that is saved again replaces the one that was there', async () => {
  await saveCheckpoint(folder, 3, { x: tensor([1]) }, {});
  const path = await saveCheckpoint(folder, 3, { y: tensor([2]) }, {});
  assert.equal(await valuesOf(loadCheckpoint(path).state), { y: [2] });
  assert.equal(checkpointSteps(folder), [3]);
});

test.run();
