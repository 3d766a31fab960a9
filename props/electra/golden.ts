/**
 * Laws against published code: every number in the golden fixtures (props/golden), which HuggingFace's ELECTRA computed,
 * is what we compute, on every device; on `reference` to the last digit that is stored. The checks are those of
 * examples/verify.ts. The last laws keep them honest: one well-known mistake, planted, must be found.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Check } from '../../examples/verify/check.ts';
import {
  checkForward,
  checkGradients,
  checkHeads,
  checkLosses,
  checkOperations,
  checkUpdates,
} from '../../examples/verify/check.ts';
import type { Finding, Named } from '../../examples/verify/fixture.ts';
import { compare, openFixture } from '../../examples/verify/fixture.ts';
import type { Log, Pretraining } from '../../examples/verify/pretraining.ts';
import { forward, gradients, loadPretraining, optimiserOf, owned, train } from '../../examples/verify/pretraining.ts';
import { useDevice } from '../../kernels/device/choose.ts';
import { each, registry } from '../../lib/op.ts';
import { differs, full, maximum, minimum, mul, ones, sub, zeros } from '../../lib/ops/arith.ts';
import { put } from '../../lib/ops/choose.ts';
import { scaleByAdam } from '../../lib/optim/adam.ts';
import { clipByGlobalNorm } from '../../lib/optim/clip.ts';
import { addDecayedWeights } from '../../lib/optim/decay.ts';
import { scaleBySchedule, warmupLinearDecay } from '../../lib/optim/schedule.ts';
import { chain } from '../../lib/optim/transform.ts';
import type { Schedule, Transform } from '../../lib/optim/transform.ts';
import { golden } from '../golden/path.ts';
import { present } from '../laws/present.ts';

const test = suite('golden');

const tiny = openFixture(golden('tiny'));
const worst = (findings: readonly Finding[]): Finding => findings.reduce((a, b) => (b.distance > a.distance ? b : a));

const laws: [string, Check, number][] = [
  ['embeddings, hidden states, attention and logits', checkForward, 8],
  ['both losses and the norm of the gradient', checkLosses, 10],
  ['the gradient of every parameter, and the part of each loss in the shared ones', checkGradients, 9],
  ['parameters after 1, 2 and 5 updates, under both schedules, and what was logged on the way', checkUpdates, 120],
  ['the three fine-tuning heads, their losses and gradients', checkHeads, 20],
  ['single operations and their gradients', checkOperations, 45],
];

for (const device of present) {
  for (const [what, check, least] of laws) {
    test(`as published: ${what} (${device})`, async () => {
      await useDevice(device);
      const findings = await check(
        check === checkOperations ? openFixture(golden('ops')) : tiny,
        device === 'reference',
      );
      assert.ok(findings.length >= least, `${findings.length} findings`);
      const { distance, where } = worst(findings);
      assert.ok(distance <= 1, where);
    });
  }
}

/** How far tensors are from a file's, at the tolerance of single precision. */
const far = async (file: string, tensors: Named): Promise<number> => worst(await compare(tiny, file, tensors)).distance;

/** How far a step with a mistake planted in it is from the published one. */
const astray = async (mistake: (set: Pretraining) => Pretraining): Promise<{ inside: number; slope: number }> => {
  const wrong = mistake(loadPretraining(tiny));
  return { inside: await far('forward', forward(wrong)), slope: await far('grads_pretrain', gradients(wrong)) };
};

const withConfig =
  (change: Partial<Pretraining['config']>) =>
  (set: Pretraining): Pretraining => ({ ...set, config: { ...set.config, ...change } });

test('planted: the law finds GELU by its tanh approximation', async () => {
  await useDevice('reference');
  const op = registry.get('gelu')!;
  const { reference } = op;
  const approximate = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  Object.assign(op, { reference: each(approximate) });
  try {
    const { inside, slope } = await astray((set) => set);
    assert.ok(inside > 1 && slope > 1, `${inside} ${slope}`);
    assert.ok(worst(await checkHeads(tiny)).distance > 1);
  } finally {
    Object.assign(op, { reference });
  }
  const { inside, slope } = await astray((set) => set);
  assert.ok(inside <= 1 && slope <= 1, `${inside} ${slope}`);
});

for (const epsilon of [1e-5, 1e-6]) {
  test(`planted: the law finds a layer norm with ε = ${epsilon}`, async () => {
    await useDevice('reference');
    const { inside, slope } = await astray(withConfig({ layerNormEpsilon: epsilon }));
    assert.ok(inside > 1 && slope > 1, `${inside} ${slope}`);
  });
}

test('planted: the law finds a discriminator loss without its factor 50', async () => {
  await useDevice('reference');
  const wrong = withConfig({ discriminatorWeight: 1 })(loadPretraining(tiny));
  assert.ok((await far('forward', forward(wrong))) <= 1);
  assert.ok((await far('grads_pretrain', gradients(wrong))) > 1);
});

test('planted: the law finds attention to padding', async () => {
  await useDevice('reference');
  const everyone = (set: Pretraining) => ({ ...set.batch, attend: ones(set.batch.attend.shape) });
  const { inside, slope } = await astray((set) => ({ ...set, batch: everyone(set) }));
  assert.ok(inside > 1 && slope > 1, `${inside} ${slope}`);
});

test('planted: the law finds a lucky guess labelled as replaced', async () => {
  await useDevice('reference');
  const { inside, slope } = await astray((set) => {
    const { at } = set.masked;
    return { ...set, replaced: differs(put(set.batch.tokens, at, full(at.shape, -1, 'i32')), set.batch.tokens) };
  });
  assert.ok(inside <= 1 && slope > 1, `${inside} ${slope}`);
});

test('planted: the law finds segments that are all alike', async () => {
  await useDevice('reference');
  const { inside } = await astray((set) => ({
    ...set,
    batch: { ...set.batch, types: zeros(set.batch.types.shape, 'i32') },
  }));
  assert.ok(inside > 1, `${inside}`);
});

const { hyper } = tiny.json<{ float64: Log }>('optim/log.json').float64;
const google = warmupLinearDecay({
  learningRate: hyper.base_lr,
  warmupSteps: hyper.warmup_steps,
  steps: hyper.total_steps,
});

const warmupThenDecay: Schedule = (step) => {
  const rising = mul(step, 1 / hyper.warmup_steps);
  const falling = sub(1, mul(sub(step, hyper.warmup_steps), 1 / (hyper.total_steps - hyper.warmup_steps)));
  return mul(hyper.base_lr, minimum(rising, maximum(0, falling)));
};

const optimiser = (schedule: Schedule, change: { clip?: Transform; adam?: Transform; decay?: Transform } = {}) => {
  const { clip = clipByGlobalNorm(1), adam = scaleByAdam(), decay = addDecayedWeights(0.01) } = change;
  return chain(clip, adam, decay, scaleBySchedule(schedule));
};

const mistakes: Record<string, Transform> = {
  'bias correction': optimiser(google, { adam: scaleByAdam({ biasCorrection: true }) }),
  'ε of 1e-8': optimiser(google, { adam: scaleByAdam({ epsilon: 1e-8 }) }),
  'warm-up before decay, not times it': optimiser(warmupThenDecay),
  'no clipping': optimiser(google, { clip: clipByGlobalNorm(1e9) }),
  'no decay': optimiser(google, { decay: addDecayedWeights(0) }),
  'decay of every parameter': optimiser(google, { decay: addDecayedWeights(0.01, () => true) }),
};

for (const [mistake, wrong] of Object.entries(mistakes)) {
  test(`planted: the law finds ${mistake}`, async () => {
    await useDevice('reference');
    const after = async (transform: Transform) =>
      far('optim/google_step2', owned(train(loadPretraining(tiny), transform, 2)[1].params));
    assert.ok((await after(wrong)) > 1);
    assert.ok((await after(optimiserOf({ hyper }, google))) <= 1);
  });
}

test.run();
