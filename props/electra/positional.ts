/** Laws of the positional initialisation: heads see their neighbours from the first step, and nothing else changes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import type { ElectraConfig } from '../../lib/electra/config.ts';
import { configs } from '../../lib/electra/config.ts';
import { discriminate } from '../../lib/electra/discriminator.ts';
import { generate } from '../../lib/electra/generator.ts';
import type { Look } from '../../lib/electra/generator.ts';
import { maskTokens } from '../../lib/electra/mask.ts';
import { pretrainLoss } from '../../lib/electra/objective.ts';
import { initElectra } from '../../lib/electra/params.ts';
import { paramShapes } from '../../lib/electra/shapes.ts';
import { key } from '../../lib/key.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { tensor } from '../../lib/tensor.ts';
import { leaves, paths } from '../../lib/tree.ts';
import { batchOf, small } from './small.ts';

const test = suite('positional');
test.before.each(async () => void (await useDevice('reference')));

const config: ElectraConfig = {
  ...small,
  initialisation: 'positional',
  embeddingSize: 32,
  maxPositions: 32,
  discriminator: { hiddenSize: 64, layers: 2, heads: 8, feedForwardSize: 32 },
  generator: { hiddenSize: 32, layers: 2, heads: 2, feedForwardSize: 32 },
  training: { ...small.training, sequenceLength: 16 },
};

/** Where head a looks, relative to its own position; of eight heads, four look somewhere. */
const shifts = [-1, 1, -2, 2];

/**
 * Every row of the probabilities [b, h, t, t] has its largest element at the shifted position, where there is one; those of
 * the other heads prefer no token much.
 */
const looksAtNeighbour = async (name: string, probabilities: Tensor) => {
  const [b, h, t] = probabilities.shape;
  const p = await probabilities.data();
  for (let row = 0; row < b * h * t; row++) {
    const [head, query] = [Math.floor(row / t) % h, row % t];
    const values = [...p.slice(row * t, (row + 1) * t)];
    if (head >= Math.max(2, h / 2)) assert.ok(Math.max(...values) < 2 / t, `${name}, head ${head}, token ${query}: ${Math.max(...values)}`);
    const wanted = query + shifts[head];
    if (head >= Math.max(2, h / 2) || wanted < 0 || wanted >= t) continue;
    assert.is(values.indexOf(Math.max(...values)), wanted, `${name}, head ${head}, token ${query}`);
  }
};

for (const [name, sizes] of Object.entries({ small: config, demo: configs.demo })) {
  test(`half of the heads of every layer, two at least, attend most to a neighbour: 1 before, 1 after, 2 before, 2 after; the others to all (${name})`, async () => {
    const { sequenceLength } = sizes.training;
    for (const seed of [1, 2]) {
      const params = initElectra(key(seed), sizes);
      const batch = batchOf([sequenceLength], sizes.training, seed);
      const seen: [string, Tensor][] = [];
      const look: Look = (name, x) => name.startsWith('attention') && seen.push([name, x]);
      discriminate(key(0), params, batch.tokens, batch, sizes, look);
      generate(key(0), params, maskTokens(key(0), batch, sizes), sizes, look);
      assert.is(seen.length, 4);
      for (const [name, probabilities] of seen) await looksAtNeighbour(name, probabilities);
    }
  });
}

test('architecture and names are those of the published initialisation', () => {
  const params = initElectra(key(0), config);
  const made = Object.fromEntries(leaves(params).map((x, i) => [paths(params)[i], x.shape]));
  assert.equal(
    Object.entries(made).sort(),
    Object.entries(paramShapes({ ...config, initialisation: 'published' })).sort(),
  );
});

test('a generator that is given the frequencies of the tokens starts near their entropy', async () => {
  const frequency = Array.from({ length: config.vocabSize }, (_, v) => (v < 5 ? 1e-4 : 1 / (v + 1)));
  const total = frequency.reduce((a, b) => a + b);
  const unigram = tensor(frequency.map((f) => Math.log(f / total)));
  const params = initElectra(key(0), config, unigram);
  const batch = batchOf([16, 16, 16, 16, 16, 16], config.training);
  const { mlm, masked } = pretrainLoss(key(0), params, batch, config);
  const answers = [...(await masked.answers.data())].filter((id) => id >= 0);
  const baseline = answers.reduce((sum, id) => sum - Math.log(frequency[id] / total), 0) / answers.length;
  assert.ok(Math.abs((await mlm.item()) - baseline) < 0.6, `${await mlm.item()}, baseline ${baseline}`);
});

test.run();
