/**
 * Laws of optimisation against published code: the parameters after 1, 2 and 5 updates, and single updates of Adam, are
 * those of google-research/electra and of PyTorch's AdamW (props/golden). Mistakes planted in the optimiser are found.
 */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceName } from '../../kernels/device/device.ts';
import { useDevice } from '../../kernels/device/choose.ts';
import type { Params } from '../../lib/electra/params.ts';
import { grad } from '../../lib/grad.ts';
import { decodeSafetensors } from '../../lib/io/safetensors.ts';
import { scoped } from '../../lib/memory.ts';
import { maximum, minimum, mul, sub } from '../../lib/ops/arith.ts';
import { scaleByAdam } from '../../lib/optim/adam.ts';
import { clipByGlobalNorm } from '../../lib/optim/clip.ts';
import { addDecayedWeights } from '../../lib/optim/decay.ts';
import { constant, scaleBySchedule, warmupLinearDecay } from '../../lib/optim/schedule.ts';
import type { Moments, Schedule, Transform } from '../../lib/optim/transform.ts';
import { applyUpdates, chain } from '../../lib/optim/transform.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { tensor } from '../../lib/tensor.ts';
import { distance, golden, loadTiny, named, objective } from '../golden/tiny.ts';
import { present } from '../laws/present.ts';

const test = suite('optim/golden');

const sizes = { learningRate: 1e-3, warmupSteps: 2, steps: 10 };
const schedules: Record<string, Schedule> = { google: warmupLinearDecay(sizes), constlr: constant(1e-3) };

interface Parts {
  clip?: Transform;
  adam?: Transform;
  decay?: Transform;
  schedule: Schedule;
}

const published = ({
  clip = clipByGlobalNorm(1),
  adam = scaleByAdam(),
  decay = addDecayedWeights(0.01),
  schedule,
}: Parts) => chain(clip, adam, decay, scaleBySchedule(schedule));

/** The parameters after each of `count` updates on the fixture's batch. */
const train = (optimiser: Transform, count: number): Params[] => {
  const tiny = loadTiny();
  let params = tiny.params;
  let moments: Moments = optimiser.init(params);
  return Array.from({ length: count }, () => {
    [params, moments] = scoped(() => {
      const [updates, next] = optimiser.update(grad(objective(tiny))(params).grads, moments, params);
      return [applyUpdates(params, updates), next];
    });
    return params;
  });
};

/** How far parameters are from the published ones after `steps` updates. */
const farFrom = (name: string, step: number, params: Params, device: DeviceName) =>
  distance(`optim/${name}_step${step}`, named(params), device);

for (const device of present) {
  for (const [name, schedule] of Object.entries(schedules)) {
    test(`parameters after 1, 2 and 5 updates are the published ones (${name}, ${device})`, async () => {
      await useDevice(device);
      const after = train(published({ schedule }), 5);
      const [first] = named(after[0]);
      if (name === 'google') assert.equal(await first[1].data(), await named(loadTiny().params)[0][1].data());
      for (const step of name === 'google' ? [2, 5] : [1, 2, 5]) {
        const { most, where } = await farFrom(name, step, after[step - 1], device);
        assert.ok(most <= 1, `after ${step}: ${where}`);
      }
    });
  }
}

const warmupThenDecay: Schedule = (step) =>
  mul(
    sizes.learningRate,
    minimum(
      mul(step, 1 / sizes.warmupSteps),
      maximum(0, sub(1, mul(sub(step, sizes.warmupSteps), 1 / (sizes.steps - sizes.warmupSteps)))),
    ),
  );

const mistakes: Record<string, Parts> = {
  'bias correction': { adam: scaleByAdam({ biasCorrection: true }), schedule: schedules.google },
  'ε of 1e-8': { adam: scaleByAdam({ epsilon: 1e-8 }), schedule: schedules.google },
  'warm-up before decay, not times it': { schedule: warmupThenDecay },
  'no clipping': { clip: clipByGlobalNorm(1e9), schedule: schedules.google },
  'no decay': { decay: addDecayedWeights(0), schedule: schedules.google },
  'decay of every parameter': { decay: addDecayedWeights(0.01, () => true), schedule: schedules.google },
};

for (const [mistake, parts] of Object.entries(mistakes)) {
  test(`planted: the law finds ${mistake}`, async () => {
    await useDevice('reference');
    const after = train(published(parts), 2);
    assert.ok((await farFrom('google', 2, after[1], 'wasm')).most > 1);
  });
}

const file = () => decodeSafetensors(readFileSync(golden('ops/adam.safetensors'))).tensors;

for (const device of present) {
  for (const [name, biasCorrection] of [
    ['google', false],
    ['adamw_biascorr', true],
  ] as const) {
    test(`four updates with given gradients are the published ones (${name}, ${device})`, async () => {
      await useDevice(device);
      const stored = file();
      const data = (what: string) => stored.get(what)!.data as Float32Array;
      const near = async (x: Tensor, wanted: Float32Array, absolute: number) => {
        const exact = device === 'reference';
        (await x.data()).forEach((v, i) =>
          assert.ok(
            Math.abs(v - wanted[i]) <= (exact ? Math.abs(wanted[i]) * 2 ** -24 + 1e-10 : absolute),
            `${v}, not ${wanted[i]}`,
          ),
        );
      };
      const optimiser = chain(scaleByAdam({ biasCorrection }), addDecayedWeights(0.01));
      let params = { kernel: tensor(data('param0'), [3, 4]) };
      let moments: Moments = optimiser.init(params);
      for (let i = 0; i < 4; i++) {
        const [updates, next] = optimiser.update(
          { kernel: tensor(data('grads').slice(12 * i, 12 * i + 12), [3, 4]) },
          moments,
          params,
        );
        [params, moments] = [{ kernel: sub(params.kernel, mul(updates.kernel, data('lrs')[i])) }, next];
        await near(params.kernel, data(`${name}.param${i + 1}`), 2e-6);
      }
      if (biasCorrection) return;
      const [{ m, v }] = moments as [{ m: typeof params; v: typeof params }];
      await near(m.kernel, data('google.m4'), 2e-7);
      await near(v.kernel, data('google.v4'), 1e-9);
    });
  }
}

test.run();
