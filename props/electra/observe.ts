/** Laws of watching one sequence: what is told of it is what the step computes, and only the model can change it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withoutDropout } from '../../lib/electra/config.ts';
import { observer } from '../../lib/electra/observe.ts';
import { pretrainLoss } from '../../lib/electra/objective.ts';
import { initElectra } from '../../lib/electra/params.ts';
import { key } from '../../lib/key.ts';
import { softmax } from '../../lib/ops/softmax.ts';
import { live } from '../../lib/tensor.ts';
import { batchOf, small, tyings } from './small.ts';

const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-5, `${a} is not near ${b}`);
const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);

test('an observation tells what the step computes on the same sequence, without dropout', async () => {
  const config = { ...small, dropout: 0.1, attentionDropout: 0.1 };
  const params = initElectra(key(1), config);
  const { masked, guesses, corrupted, verdicts } = pretrainLoss(key(5), params, batchOf([14]), withoutDropout(config));
  const found = await observer(config)(key(5), params, batchOf([14]));
  assert.equal(found.tokens, [...(await batchOf([14]).tokens.data())]);
  assert.equal(found.corrupted, [...(await corrupted.data())]);
  (await verdicts.data()).forEach((logit, i) => near(found.suspicion[i], 1 / (1 + Math.exp(-logit))));
  const [at, hidden, p] = await Promise.all([masked.at.data(), masked.hidden.data(), softmax(guesses).data()]);
  assert.equal(
    found.slots.map((slot) => slot.at),
    [...at].filter((place) => place >= 0),
  );
  found.slots.forEach((slot, j) => {
    assert.is(slot.hidden, hidden[j] === 1);
    const row = [...p.slice(j * config.vocabSize, (j + 1) * config.vocabSize)];
    const best = row.sort((a, b) => b - a).slice(0, 3);
    slot.guesses.forEach(({ probability }, i) => near(probability, best[i]));
  });
});

test('attention has a map for every head of the discriminator, whose rows add up to one', async () => {
  for (const config of Object.values(tyings)) {
    const { attention } = await observer(config)(key(2), initElectra(key(1), config), batchOf([14]));
    assert.is(attention.length, config.discriminator.layers);
    for (const map of attention.flat()) {
      assert.is(map.length, 14);
      for (const row of map) near(sum(row), 1);
    }
    assert.ok(attention.every((layer) => layer.length === config.discriminator.heads));
  }
});

test('an observation repeats for the same key, and leaves no buffers', async () => {
  const params = initElectra(key(1), small);
  const [observe, chosen] = [observer(small), key(3)];
  const first = await observe(chosen, params, batchOf([14]));
  const before = live();
  assert.equal(await observe(chosen, params, batchOf([14])), first);
  assert.is(live(), before);
});

test.run();
