/** Laws of the optimiser's parts: what clipping, Adam, decay and schedules each do to an update, and that a chain is their composition. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import { scaleByAdam } from '../../lib/optim/adam.ts';
import { clipByGlobalNorm, globalNorm } from '../../lib/optim/clip.ts';
import { addDecayedWeights, isDecayed } from '../../lib/optim/decay.ts';
import { constant, scaleBySchedule, warmupLinearDecay } from '../../lib/optim/schedule.ts';
import { applyUpdates, chain } from '../../lib/optim/transform.ts';
import { key } from '../../lib/key.ts';
import { initElectra } from '../../lib/electra/params.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { tensor } from '../../lib/tensor.ts';
import { leaves, paths } from '../../lib/tree.ts';
import { small } from '../electra/small.ts';

const test = suite('transform');
test.before.each(async () => void (await useDevice('reference')));

/** The numbers of all tensors of a tree, in order. */
const numbers = async (tree: unknown): Promise<number[]> =>
  (await Promise.all(leaves(tree).map((x) => x.data()))).flatMap((values) => [...values]);

const close = (a: readonly number[], b: readonly number[], tolerance = 1e-12) => {
  assert.is(a.length, b.length);
  a.forEach((x, i) =>
    assert.ok(Math.abs(x - b[i]) <= tolerance * (1 + Math.abs(b[i])), `element ${i}: ${x}, not ${b[i]}`),
  );
};

const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 6 });
/** Two parameters, one of which decays. */
const trees = fc.tuple(values, values).map(([kernel, bias]) => ({ kernel, bias }));
const make = ({ kernel, bias }: Record<'kernel' | 'bias', number[]>) => ({
  kernel: tensor(kernel),
  bias: tensor(bias),
});
const like = (tree: Record<'kernel' | 'bias', number[]>, f: (x: number) => number) =>
  make({ kernel: tree.kernel.map(f), bias: tree.bias.map(f) });

test('clipping bounds the norm, keeps the direction, and leaves small gradients as they are', async () => {
  await fc.assert(
    fc.asyncProperty(trees, fc.double({ min: 0.1, max: 50, noNaN: true }), async (tree, limit) => {
      const gradients = make(tree);
      const [clipped] = clipByGlobalNorm(limit).update(gradients, {}, gradients);
      const norm = await globalNorm(gradients).item();
      assert.ok(Math.abs(norm - Math.hypot(...tree.kernel, ...tree.bias)) <= 1e-12 * (1 + norm));
      assert.ok((await globalNorm(clipped).item()) <= limit * (1 + 1e-12));
      const scale = Math.min(1, limit / norm);
      close(
        await numbers(clipped),
        [...tree.kernel, ...tree.bias].map((g) => g * scale),
      );
    }),
  );
});

test("Adam's first direction is √10 · sign(g) without bias correction, and sign(g) with it", async () => {
  const first = async (biasCorrection: boolean) => {
    const g = { kernel: tensor([3, -0.5, 0.01, 200]) };
    const adam = scaleByAdam({ biasCorrection, epsilon: 1e-12 });
    return numbers(adam.update(g, adam.init(g), g)[0]);
  };
  const signs = [1, -1, 1, 1];
  close(
    await first(false),
    signs.map((s) => s * Math.sqrt(10)),
    1e-8,
  );
  close(await first(true), signs, 1e-8);
});

test('Adam ignores the scale of the gradient', async () => {
  await fc.assert(
    fc.asyncProperty(trees, async (tree) => {
      const directions = async (scale: number) => {
        const adam = scaleByAdam({ epsilon: 0 });
        const g = like(tree, (x) => (Math.abs(x) + 0.1) * scale);
        const [, state] = adam.update(g, adam.init(g), g);
        return numbers(adam.update(g, state, g)[0]);
      };
      close(await directions(8), await directions(1), 1e-10);
    }),
    { numRuns: 20 },
  );
});

test('decay adds rate · parameter to kernels and tables, and nothing to a bias or a layer norm', async () => {
  await fc.assert(
    fc.asyncProperty(trees, fc.double({ min: 0, max: 1, noNaN: true }), async (tree, rate) => {
      const zero = like(tree, () => 0);
      const [updates] = addDecayedWeights(rate).update(zero, {}, make(tree));
      close(await numbers(updates), [...tree.kernel.map((p) => rate * p), ...tree.bias.map(() => 0)]);
    }),
  );
  const spared = paths(initElectra(key(0), small)).filter((path) => !isDecayed(path));
  assert.ok(spared.every((path) => /\.(bias|gain)$/.test(path)));
  assert.ok(spared.includes('embeddings.norm.gain') && spared.includes('generator.head.bias'));
  assert.ok(
    ['embeddings.word', 'embeddings.position', 'embeddings.type', 'discriminator.head.output.kernel'].every(isDecayed),
  );
});

test('the published schedule is warm-up times linear decay: 0 at the first step, 0 from the last on', async () => {
  const sizes = fc.record({
    warmupSteps: fc.nat(50),
    steps: fc.integer({ min: 1, max: 200 }),
    learningRate: fc.double({ min: 1e-6, max: 1, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(250), async (options, step) => {
      const { warmupSteps: w, steps, learningRate } = options;
      const rate = async (at: number) => warmupLinearDecay(options)(tensor([at], [], 'i32')).item();
      const wanted = learningRate * (1 - Math.min(step, steps) / steps) * (w === 0 ? 1 : Math.min(1, step / w));
      assert.ok(Math.abs((await rate(step)) - wanted) <= 1e-12 * learningRate);
      assert.ok(Math.abs(await rate(steps)) <= 1e-15);
      assert.is(await rate(0), w === 0 ? learningRate : 0);
    }),
  );
});

test('the first update with warm-up moves nothing, and the step after it counts 1', async () => {
  const params = { kernel: tensor([1, 2]) };
  const slide = scaleBySchedule(warmupLinearDecay({ learningRate: 1, warmupSteps: 2, steps: 10 }));
  const [first, state] = slide.update(params, slide.init(params), params);
  close(await numbers(applyUpdates(params, first)), [1, 2], 0);
  const [second] = slide.update(params, state, params);
  close(await numbers(second), [-0.45, -0.9]);
});

test('a chain is the composition of its parts, and the empty chain the identity', async () => {
  await fc.assert(
    fc.asyncProperty(trees, trees, async (weights, tree) => {
      const params = make(weights);
      const gradients = like(weights, (x) => Math.sin(x) * (1 + Math.abs(tree.kernel[0])));
      const [a, b, c] = [clipByGlobalNorm(1), scaleByAdam(), scaleBySchedule(constant(0.1))];
      const whole = chain(a, b, c);
      const [updates, state] = whole.update(gradients, whole.init(params), params);
      const [clipped, s] = a.update(gradients, a.init(params), params);
      const [direction, t] = b.update(clipped, b.init(params), params);
      const [stepped, u] = c.update(direction, c.init(params), params);
      close(await numbers(updates), await numbers(stepped), 0);
      close(await numbers(state), await numbers([s, t, u]), 0);
      const nested = chain(chain(a, b), chain(), c);
      close(await numbers(nested.update(gradients, nested.init(params), params)[0]), await numbers(updates), 0);
    }),
    { numRuns: 20 },
  );
});

test('a step never depends on a number outside its arguments: the same state gives the same update', async () => {
  const params = { kernel: tensor([1, -2]) };
  const optimiser = chain(clipByGlobalNorm(1), scaleByAdam(), addDecayedWeights(0.01), scaleBySchedule(constant(0.1)));
  const start = optimiser.init(params);
  const once = (): { updates: { kernel: Tensor }; state: unknown } => {
    const [updates, state] = optimiser.update(params, start, params);
    return { updates, state };
  };
  close(await numbers(once()), await numbers(once()), 0);
});

test.run();
