/** Laws of ELECTRA's optimisers: which layer learns how fast, by the published table, and that both are the published chain. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import { initTaskHead, withTaskHead } from '../../lib/electra/heads.ts';
import { finetuneOptimiser, layerRate, pretrainOptimiser } from '../../lib/electra/optimiser.ts';
import { initElectra } from '../../lib/electra/params.ts';
import { key } from '../../lib/key.ts';
import { scaleByPath } from '../../lib/optim/scale.ts';
import { tensor } from '../../lib/tensor.ts';
import { leaves, map, paths } from '../../lib/tree.ts';
import { small } from './small.ts';

const test = suite('optimiser');
test.before.each(async () => void (await useDevice('reference')));

const { layers } = small.discriminator;
const tuned = () => withTaskHead(initElectra(key(1), small), initTaskHead(key(2), 'classification', 3, small));
const numbers = async (tree: unknown): Promise<number[][]> =>
  Promise.all(leaves(tree).map(async (x) => [...(await x.data())]));
const near = (a: number, b: number) => assert.ok(Math.abs(a - b) <= 1e-12 * (1 + Math.abs(b)), `${a}, not ${b}`);

/** _get_layer_lrs (model/optimization.py): depth 0 at the embeddings, i + 1 at layer i, n + 2 at the head; d^(n + 2 − depth). */
const published = (path: string, n: number, d: number): number => {
  const [, layer] = /encoder\.(\d+)\./.exec(path) ?? [];
  const depth = path.startsWith('task.') ? n + 2 : layer === undefined ? 0 : Number(layer) + 1;
  return d ** (n + 2 - depth);
};

test('every parameter has the published rate; the corrected one is larger by one d, except at the head', () => {
  const decays = fc.double({ min: 0.1, max: 1, noNaN: true });
  fc.assert(
    fc.property(decays, (layerDecay) => {
      const rate = layerRate(layers, { layerDecay });
      const corrected = layerRate(layers, { layerDecay, topLayer: 'corrected' });
      for (const path of paths(tuned())) {
        near(rate(path), published(path, layers, layerDecay));
        near(rate(path), corrected(path) * (path.startsWith('task.') ? 1 : layerDecay));
      }
    }),
    { numRuns: 10 },
  );
  // Twelve layers and 0.8: the embeddings of small and base learn at 4.4 % of the head's rate.
  near(layerRate(12)('embeddings.word'), 0.04398046511104);
  near(layerRate(12)('discriminator.encoder.11.feedForward.outer.kernel'), 0.64);
});

test('fine-tuning is pre-training with each update times the rate of its layer, through the whole schedule', async () => {
  const params = tuned();
  const recipe = { learningRate: 0.1, steps: 25, weightDecay: 0.01, clipNorm: 1 };
  const whole = finetuneOptimiser(layers, { ...recipe, layerDecay: 0.8 });
  const plain = pretrainOptimiser({ ...recipe, warmupSteps: 2.5 });
  const gradients = map((x) => x, params);
  let [a, b] = [whole.init(params), plain.init(params)];
  for (let step = 0; step < 4; step++) {
    const [slow, nextA] = whole.update(gradients, a, params);
    const [fast, nextB] = plain.update(gradients, b, params);
    [a, b] = [nextA, nextB];
    const [got, base] = [await numbers(slow), await numbers(fast)];
    paths(params).forEach((path, i) => got[i].forEach((x, j) => near(x, base[i][j] * published(path, layers, 0.8))));
    assert.is(
      got.flat().every((x) => x === 0),
      step === 0,
    );
  }
});

test('a factor of 0 freezes what it is given, and 1 leaves it as it is', async () => {
  const tree = { a: tensor([1, 2]), b: tensor([3]) };
  const [scaled] = scaleByPath((path) => (path === 'a' ? 0 : 1)).update(tree, {}, tree);
  assert.equal(await numbers(scaled), [[0, 0], [3]]);
});

test('a layer that is not there, a decay out of range and no whole number of steps are refused', () => {
  assert.throws(() => layerRate(2)('discriminator.encoder.2.attention.query.kernel'), /an encoder of 2, got/);
  assert.throws(() => layerRate(2, { layerDecay: 0 }), /above 0 and at most 1; got 0/);
  assert.throws(() => layerRate(2, { layerDecay: 1.1 }), /above 0 and at most 1; got 1.1/);
  assert.throws(() => finetuneOptimiser(2, { learningRate: 1e-4, steps: 2.5 }), /whole number from 1 on; got 2.5/);
});

test.run();
