/**
 * Laws of the whole step against published code: every number inside it equals what HuggingFace's ELECTRA computes from
 * the same weights (props/golden), on every device. The last laws keep these honest: a step with one well-known mistake
 * planted in it must be found.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import { discriminate } from '../../lib/electra/discriminator.ts';
import { generate } from '../../lib/electra/generator.ts';
import { grad } from '../../lib/grad.ts';
import { key } from '../../lib/key.ts';
import { each, registry } from '../../lib/op.ts';
import { differs, full, ones, zeros } from '../../lib/ops/arith.ts';
import { put } from '../../lib/ops/choose.ts';
import { globalNorm } from '../../lib/optim/clip.ts';
import type { Tensor } from '../../lib/tensor.ts';
import type { Named, Tiny } from '../golden/tiny.ts';
import { distance, loadTiny, named, objective, readJson } from '../golden/tiny.ts';
import { present } from '../laws/present.ts';

const test = suite('golden');

const losses = readJson<{ float64: Record<string, number> }>('tiny/losses.json').float64;

/** Both networks, and everything inside them, under the fixture's names. */
const forward = ({ config, params, batch, everywhere, corrupted }: Tiny): Named => {
  const seen: [string, Tensor][] = [];
  const look = (network: string) => (name: string, x: Tensor) => {
    seen.push([`${network}.${name.replace('hidden', 'hidden_states').replace('attention', 'attentions')}`, x]);
  };
  const logits = generate(key(0), params, everywhere, config, look('gen'));
  const verdicts = discriminate(key(0), params, corrupted, batch, config, look('disc'));
  return [...seen, ['gen.mlm_logits', logits], ['disc.rtd_logits', verdicts]];
};

const gradients = (tiny: Tiny): Named => named(grad(objective(tiny))(tiny.params).grads);

/** Gradients of one loss alone, which only the shared part has from both. */
const partial = (tiny: Tiny, loss: 'gen' | 'disc'): Named => {
  const weights = { generatorWeight: loss === 'gen' ? 1 : 0, discriminatorWeight: loss === 'disc' ? 1 : 0 };
  const { grads } = grad(objective({ ...tiny, config: { ...tiny.config, ...weights } }))(tiny.params);
  return named({ embeddings: grads.embeddings }, `${loss}_loss_only.`);
};

for (const device of present) {
  test(`embeddings, hidden states, attention and logits are the published ones (${device})`, async () => {
    await useDevice(device);
    const tensors = forward(loadTiny());
    assert.is(tensors.length, 14);
    const { most, where } = await distance('forward', tensors, device);
    assert.ok(most <= 1, where);
  });

  test(`both losses and the norm of the gradient are the published ones (${device})`, async () => {
    await useDevice(device);
    const tiny = loadTiny();
    const { grads, loss, mlm, rtd } = grad(objective(tiny))(tiny.params);
    const tolerance = device === 'reference' ? 1e-13 : 2e-6;
    const near = async (x: Tensor, wanted: number) =>
      assert.ok(Math.abs((await x.item()) / wanted - 1) < tolerance, `${await x.item()}, not ${wanted}`);
    await near(loss, losses.total_loss);
    await near(mlm, losses.gen_loss);
    await near(rtd, losses.disc_loss);
    await near(globalNorm(grads), losses.grad_global_norm);
  });

  test(`the gradient of every parameter is the published one, shared ones summed over both losses (${device})`, async () => {
    await useDevice(device);
    const tiny = loadTiny();
    const all = [...gradients(tiny), ...partial(tiny, 'gen'), ...partial(tiny, 'disc')];
    assert.is(all.length, 90);
    const { most, where } = await distance('grads_pretrain', all, device);
    assert.ok(most <= 1, where);
  });
}

/** How far, at the tolerance of single precision, a step with a mistake planted in it is from the published one. */
const astray = async (mistake: (tiny: Tiny) => Tiny): Promise<{ inside: number; slope: number }> => {
  const wrong = mistake(loadTiny());
  const inside = await distance('forward', forward(wrong), 'wasm');
  return { inside: inside.most, slope: (await distance('grads_pretrain', gradients(wrong), 'wasm')).most };
};

const withConfig =
  (change: Partial<Tiny['config']>) =>
  (tiny: Tiny): Tiny => ({ ...tiny, config: { ...tiny.config, ...change } });

test('planted: the law finds GELU by its tanh approximation', async () => {
  await useDevice('reference');
  const op = registry.get('gelu')!;
  const { reference } = op;
  const approximate = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  Object.assign(op, { reference: each(approximate) });
  try {
    const { inside, slope } = await astray((tiny) => tiny);
    assert.ok(inside > 1 && slope > 1, `${inside} ${slope}`);
  } finally {
    Object.assign(op, { reference });
  }
  assert.ok((await astray((tiny) => tiny)).inside <= 1);
});

test('planted: the law finds a layer norm with ε = 1e-5', async () => {
  await useDevice('reference');
  const { inside, slope } = await astray(withConfig({ layerNormEpsilon: 1e-5 }));
  assert.ok(inside > 1 && slope > 1, `${inside} ${slope}`);
});

test('planted: the law finds a discriminator loss without its factor 50', async () => {
  await useDevice('reference');
  const { inside, slope } = await astray(withConfig({ discriminatorWeight: 1 }));
  assert.ok(inside <= 1 && slope > 1, `${inside} ${slope}`);
});

test('planted: the law finds attention to padding', async () => {
  await useDevice('reference');
  const everyone = (tiny: Tiny) => ({ ...tiny.batch, attend: ones(tiny.batch.attend.shape) });
  const { inside, slope } = await astray((tiny) => ({ ...tiny, batch: everyone(tiny) }));
  assert.ok(inside > 1 && slope > 1, `${inside} ${slope}`);
});

test('planted: the law finds a lucky guess labelled as replaced', async () => {
  await useDevice('reference');
  const { slope } = await astray((tiny) => {
    const chosen = loadTiny().masked;
    return {
      ...tiny,
      replaced: differs(put(tiny.batch.tokens, chosen.at, full(chosen.at.shape, -1, 'i32')), tiny.batch.tokens),
    };
  });
  assert.ok(slope > 1, `${slope}`);
});

test('planted: the law finds segments that are all alike', async () => {
  await useDevice('reference');
  const { inside } = await astray((tiny) => ({
    ...tiny,
    batch: { ...tiny.batch, types: zeros(tiny.batch.types.shape, 'i32') },
  }));
  assert.ok(inside > 1, `${inside}`);
});

test.run();
