/** Laws of checkpoints: what was saved is what is loaded, damage is found, and a run that resumes is the run it was. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import type { ElectraConfig } from '../../lib/electra/config.ts';
import type { State } from '../../lib/electra/step.ts';
import { initState, pretrainStep } from '../../lib/electra/step.ts';
import { checkpointSteps, latestCheckpoint, loadCheckpoint, saveCheckpoint } from '../../lib/io/checkpoint.ts';
import type { Tensor } from '../../lib/tensor.ts';
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
    const { info, ...read } = loadCheckpoint<State>(path);
    const loaded = read.state();
    assert.equal(specs(loaded), specs(state));
    assert.equal(await valuesOf(loaded), await valuesOf(state));
    assert.equal([info.best, info.epochs, info.step], [{ loss: 0.1 }, 3, 2]);
    assert.ok(Array.isArray(loaded.params.discriminator.encoder));
  });

  test(`a run that resumes at step 5 has the same step 10, bit for bit (${device})`, async () => {
    await useDevice(device);
    const undisturbed = await valuesOf(await train(initState(config, optimiser(), 1), 10));
    const path = await saveCheckpoint(folder, 5, await train(initState(config, optimiser(), 1), 5), {});
    const resumed = await train(loadCheckpoint<State>(path).state(), 5);
    assert.equal(await valuesOf(resumed), undisturbed);
    // And a checkpoint of the resumed run is a checkpoint like any other.
    const again = await saveCheckpoint(folder, 10, resumed, {});
    assert.equal(await valuesOf(loadCheckpoint(again).state()), undisturbed);
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
        const loaded = loadCheckpoint<typeof state>(await saveCheckpoint(folder, 1, state, {})).state();
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

test('a flipped bit anywhere, in any file of a checkpoint, is found, and so is a missing byte', async () => {
  const path = await saveCheckpoint(folder, 7, { x: tensor([1, 2, 3]), n: tensor([4], [], 'i32') }, { seed: 1 });
  for (const name of readdirSync(path)) {
    const file = join(path, name);
    const whole = readFileSync(file);
    const refused = (content: Uint8Array) => {
      writeFileSync(file, content);
      assert.throws(() => loadCheckpoint(path), /is damaged: its checksums do not match; use an earlier one/);
    };
    for (let place = 0; place < whole.length; place++) {
      const damaged = Buffer.from(whole);
      damaged[place] ^= 1 << place % 8;
      refused(damaged);
    }
    refused(whole.subarray(0, whole.length - 1));
    writeFileSync(file, whole);
  }
  assert.is(loadCheckpoint(path).info.seed, 1);
});

test('of checkpoints that are damaged or torn the newest whole one is used, and every newer one is named', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('whole', 'flipped', 'torn', 'gone'), { minLength: 1, maxLength: 5 }), async (fates) => {
      const root = mkdtempSync(join(folder, 'run-'));
      for (const [step, fate] of fates.entries()) {
        const state = join(await saveCheckpoint(root, step, { x: tensor([step]) }, {}, { keep: 9 }), 'state.safetensors');
        const bytes = readFileSync(state);
        if (fate === 'flipped') writeFileSync(state, bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte)));
        if (fate === 'torn') writeFileSync(state, bytes.subarray(0, bytes.length >> 1));
        if (fate === 'gone') rmSync(state);
      }
      const warnings: string[] = [];
      const latest = () => latestCheckpoint<{ x: Tensor }>(root, (warning) => warnings.push(warning));
      const newest = fates.lastIndexOf('whole');
      if (newest < 0) assert.throws(latest, /has no whole checkpoint/);
      else assert.equal(await valuesOf(latest().state()), { x: [newest] });
      assert.is(warnings.length, fates.length - 1 - newest);
      assert.ok(warnings.every((warning, i) => warning.startsWith(join(root, String(fates.length - 1 - i)))));
    }),
    { numRuns: 20 },
  );
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
  assert.equal(await valuesOf(loadCheckpoint(path).state()), { y: [2] });
  assert.equal(checkpointSteps(folder), [3]);
});

test.run();
