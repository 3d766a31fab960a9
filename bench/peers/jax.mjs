/**
 * The pre-training step of lib/electra/step.ts in jax-js (wasm or WebGPU), as its documentation recommends for speed: one `jit`
 * around gradient and update. jax-js counts references: `.ref` keeps a value for another use, passing it gives it away.
 */
import './browser.mjs';
import { defaultDevice, init, jit, lax, nn, numpy as np, random, tree, valueAndGrad } from '@jax-js/jax';
import { b, backend, job, n, rateAt, run, t } from './batch.mjs';

const { config, dropout } = job;
const { special, embeddingSize: e, vocabSize: v, layerNormEpsilon: epsilon, training } = config;

await init(backend);
defaultDevice(backend);

let seed = 0;
const normal = (...shape) => random.normal(random.key(seed++), shape).mul(0.02);
const dense = (from, to) => ({ kernel: normal(from, to), bias: np.zeros([to]) });
const scale = (c) => ({ gain: np.ones([c]), bias: np.zeros([c]) });
const layer = ({ hiddenSize: c, feedForwardSize: f }) => ({
  qkv: dense(c, 3 * c),
  output: dense(c, c),
  attentionNorm: scale(c),
  inner: dense(c, f),
  outer: dense(f, c),
  norm: scale(c),
});
const network = (size) => ({
  ...(size.hiddenSize !== e && { projection: dense(e, size.hiddenSize) }),
  layers: Array.from({ length: size.layers }, () => layer(size)),
});
const { discriminator: d, generator: g } = config;
const initial = {
  embeddings: { word: normal(v, e), position: normal(config.maxPositions, e), type: normal(2, e), norm: scale(e) },
  generator: { ...network(g), dense: dense(g.hiddenSize, e), norm: scale(e), bias: np.zeros([v]) },
  discriminator: { ...network(d), dense: dense(d.hiddenSize, d.hiddenSize), output: dense(d.hiddenSize, 1) },
};

const linear = ({ kernel, bias }, x) => np.matmul(x, kernel).add(bias);
const norm = ({ gain, bias }, x) => nn.standardize(x, -1, { epsilon }).mul(gain).add(bias);
const gelu = (x) => nn.gelu(x, { approximate: false });

/** Dropout with keys from a list that is used up. */
const drop = (keys, x) => {
  if (dropout === 0) return x;
  const kept = random.bernoulli(keys.pop(), 1 - dropout, x.shape);
  return x.mul(kept.astype(np.float32)).mul(1 / (1 - dropout));
};

const attention = ({ qkv, output }, x, bias, keys, h) => {
  const c = x.shape[1];
  const parts = np
    .transpose(linear(qkv, x).reshape([b, t, 3, h, c / h]), [2, 0, 3, 1, 4])
    .reshape([3, b * h, t, c / h]);
  const [q, k, value] = [0, 1, 2].map((i) => (i < 2 ? parts.ref : parts).slice(i));
  const scores = np
    .matmul(q, np.swapaxes(k, 1, 2))
    .mul((c / h) ** -0.5)
    .reshape([b, h, t, t])
    .add(bias);
  const probabilities = drop(keys, nn.softmax(scores, -1).reshape([b * h, t, t]));
  const heard = np.matmul(probabilities, value).reshape([b, h, t, c / h]);
  return linear(output, np.transpose(heard, [0, 2, 1, 3]).reshape([b * t, c]));
};

const encode = ({ projection, layers }, { heads }, x, bias, keys) => {
  let y = projection ? linear(projection, x) : x;
  for (const { attentionNorm, inner, outer, norm: last, ...own } of layers) {
    const a = norm(attentionNorm, y.ref.add(drop(keys, attention(own, y, bias.ref, keys, heads))));
    y = norm(last, a.ref.add(drop(keys, linear(outer, gelu(linear(inner, a))))));
  }
  bias.dispose();
  return y;
};

/**
 * Rows of a table. Under jit, jax-js 0.1.25 cannot scatter what is a mere view, so that ids and result (and with it its
 * gradient) are multiplied by a 1 that is an argument.
 */
const take = (table, ids, one) => np.take(table, ids.mul(one.ref.astype(np.int32)), 0).mul(one);

const embed = ({ word, position, type, norm: own }, tokens, types, one, keys) => {
  const sum = take(word, tokens, one.ref)
    .add(take(type, types, one))
    .add(position.slice([0, t]));
  return drop(keys, norm(own, sum).reshape([b * t, e]));
};

/** x [b, t] with `values` at positions `at` [b, n], by comparing all columns: jax-js fuses that. */
const put = (x, at, values) => {
  const here = np
    .arange(t)
    .reshape([1, 1, t])
    .equal(at.reshape([b, n, 1]))
    .astype(np.int32);
  const written = here.ref.mul(values.reshape([b, n, 1])).sum(1);
  return np.where(here.sum(1).greater(0), written, x);
};

const countKeys = 2 * (1 + 3 * 12) + 4;

const loss = (params, tokens, types, attend, one, key) => {
  const { embeddings, generator, discriminator } = params;
  const keys = np.split(random.split(key, countKeys), countKeys, 0).map((k) => k.reshape([2]));
  const bias = attend.ref.sub(1).mul(1e9).reshape([b, 1, 1, t]);

  // 1. Hide tokens.
  let candidates = attend.ref;
  for (const id of [special.cls, special.sep, special.mask, special.pad])
    candidates = candidates.mul(tokens.ref.notEqual(id).astype(np.float32));
  const [best, at] = lax.topK(random.uniform(keys.pop(), [b, t]).add(1).mul(candidates), n);
  best.dispose();
  const answers = np.takeAlongAxis(tokens.ref, at.ref, 1);
  const hidden = np.where(random.uniform(keys.pop(), [b, n]).less(config.hideProbability), special.mask, answers.ref);

  // 2. The generator guesses.
  const { dense: guess, norm: guessNorm, bias: guessBias, ...generatorNetwork } = generator;
  const masked = put(tokens.ref, at.ref, hidden);
  const all = encode(
    generatorNetwork,
    g,
    embed(tree.ref(embeddings), masked, types.ref, one.ref, keys),
    bias.ref,
    keys,
  );
  const rows = np
    .arange(b)
    .reshape([b, 1])
    .mul(t)
    .add(at.ref)
    .reshape([b * n]);
  const h = norm(guessNorm, gelu(linear(guess, take(all, rows, one.ref))));
  const guesses = np.matmul(h, np.transpose(embeddings.word.ref)).add(guessBias);
  const right = nn.oneHot(answers.reshape([b * n]), v);
  const mlm = np.mean(nn.logsumexp(guesses.ref, -1).sub(guesses.ref.mul(right).sum(-1)));

  // 3. Sampled guesses replace the hidden tokens.
  const chosen = random.categorical(keys.pop(), lax.stopGradient(guesses)).astype(np.int32).reshape([b, n]);
  const corrupted = put(tokens.ref, at, chosen);

  // 4. The discriminator judges.
  const replaced = corrupted.ref.notEqual(tokens).astype(np.float32);
  const { dense: judge, output, ...discriminatorNetwork } = discriminator;
  const judged = encode(discriminatorNetwork, d, embed(embeddings, corrupted, types, one, keys), bias, keys);
  const x = linear(output, gelu(linear(judge, judged))).reshape([b, t]);
  const each = nn.softplus(x.ref).sub(x.mul(replaced));
  const rtd = each.mul(attend.ref).sum().div(attend.sum());
  keys.forEach((k) => k.dispose());
  return mlm.mul(config.generatorWeight).add(rtd.mul(config.discriminatorWeight));
};

const step = jit((params, m, s, tokens, types, attend, one, key, rate) => {
  const [value, gradients] = valueAndGrad(loss)(tree.ref(params), tokens, types, attend, one, key);
  const leaves = tree.leaves(gradients);
  const size = np.sqrt(leaves.map((x) => np.square(x.ref).sum()).reduce((a, x) => a.add(x)));
  const clip = np.minimum(np.array(training.clipNorm).div(size), 1);
  const kept = tree.map((a, x) => a.mul(0.9).add(x.ref.mul(clip.ref).mul(0.1)), m, gradients);
  const squares = tree.map((a, x) => a.mul(0.999).add(np.square(x.mul(clip.ref)).mul(0.001)), s, gradients);
  clip.dispose();
  const moved = tree.map(
    (p, a, q) => {
      const decay = p.shape.length > 1 ? training.weightDecay : 0;
      const direction = a.ref.div(np.sqrt(q.ref).add(1e-6));
      return p.ref.sub(direction.add(p.mul(decay)).mul(rate.ref));
    },
    params,
    kept,
    squares,
  );
  rate.dispose();
  return [value, moved, kept, squares];
});

let params = initial;
let m = tree.map((p) => np.zeros(p.shape), tree.ref(params));
let s = tree.map((p) => np.zeros(p.shape), tree.ref(params));
const types = np.zeros([b, t], { dtype: np.int32 });
const attend = np.ones([b, t]);

await run(`jax-js (${backend})`, navigator.hardwareConcurrency, async (i, tokens) => {
  const [value, ...next] = step(
    params,
    m,
    s,
    np.array(tokens).reshape([b, t]),
    types.ref,
    attend.ref,
    np.ones([1]),
    random.key(i),
    np.array(rateAt(i)),
  );
  [params, m, s] = next;
  return (await value.data())[0];
});
