/**
 * The pre-training step of lib/electra/step.ts in TensorFlow.js (wasm, SIMD, or WebGPU), as a user who cares for speed
 * writes it. The wasm backend is fast at plain 2-d products and at broadcasting arithmetic (XNNPACK), slow at products with
 * transpose flags, at sums over the first axis and at permuting five axes, and it lacks the kernel of gather's gradient. So
 * gradients that stumble over these are written by hand with `tf.customGrad`. It has no threads in Node: its workers start
 * in browsers alone.
 */
import * as tf from '@tensorflow/tfjs';
import { b, backend, job, n, rateAt, run, t } from './batch.mjs';

const { config, dropout } = job;
const { special, embeddingSize: e, vocabSize: v, layerNormEpsilon: epsilon, training } = config;

await import(`@tensorflow/tfjs-backend-${backend}`);
await tf.setBackend(backend);

const variables = [];
const variable = (initial) => {
  const own = tf.variable(initial);
  const [m, s] = [tf.variable(tf.zerosLike(own), false), tf.variable(tf.zerosLike(own), false)];
  variables.push({ own, m, s, decay: own.rank > 1 ? training.weightDecay : 0 });
  return own;
};
const normal = (...shape) => variable(tf.truncatedNormal(shape, 0, 0.02));
const dense = (from, to) => ({ kernel: normal(from, to), bias: variable(tf.zeros([to])) });
const scale = (c) => ({ gain: variable(tf.ones([c])), bias: variable(tf.zeros([c])) });
const layer = ({ hiddenSize: c, feedForwardSize: f }) => ({
  query: dense(c, c),
  key: dense(c, c),
  value: dense(c, c),
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
const embeddings = { word: normal(v, e), position: normal(config.maxPositions, e), type: normal(2, e), norm: scale(e) };
const generator = {
  ...network(g),
  dense: dense(g.hiddenSize, e),
  norm: scale(e),
  bias: variable(tf.zeros([v])),
};
const discriminator = { ...network(d), dense: dense(d.hiddenSize, d.hiddenSize), output: dense(d.hiddenSize, 1) };

/** The last two axes swapped. */
const swap = (x) => tf.transpose(x, x.rank === 2 ? [1, 0] : [0, 2, 1]);
/** Σ over the rows of x [n, c], as a product: 30 times as fast as `tf.sum(x, 0)`. */
const sumRows = (x) => tf.reshape(tf.matMul(tf.ones([1, x.shape[0]]), x), [x.shape[1]]);
/** aᵀ·b, a [n, c], b [n, d]: the narrower of the two is transposed. */
const transposedProduct = (x, y) => (x.shape[1] <= y.shape[1] ? tf.matMul(swap(x), y) : swap(tf.matMul(swap(y), x)));

const linearOf = tf.customGrad((x, kernel, bias, save) => {
  save([x, kernel]);
  return {
    value: tf.fused.matMul({ a: x, b: kernel, bias }),
    gradFunc: (dy, [x, kernel]) => [tf.matMul(dy, swap(kernel)), transposedProduct(x, dy), sumRows(dy)],
  };
});
const linear = ({ kernel, bias }, x) => linearOf(x, kernel, bias);

/** x·y for batches of matrices. */
const product = tf.customGrad((x, y, save) => {
  save([x, y]);
  return {
    value: tf.matMul(x, y),
    gradFunc: (dy, [x, y]) => [tf.matMul(dy, swap(y)), tf.matMul(swap(x), dy)],
  };
});

/** x [n, c] + bias [c]. */
const addBias = tf.customGrad((x, bias) => ({ value: tf.add(x, bias), gradFunc: (dy) => [dy, sumRows(dy)] }));

const normOf = tf.customGrad((x, gain, bias, save) => {
  const { mean, variance } = tf.moments(x, -1, true);
  const inverse = tf.rsqrt(tf.add(variance, epsilon));
  const standard = tf.mul(tf.sub(x, mean), inverse);
  save([standard, inverse, gain]);
  return {
    value: tf.add(tf.mul(standard, gain), bias),
    gradFunc: (dy, [standard, inverse, gain]) => {
      const d = tf.mul(dy, gain);
      const along = tf.mul(standard, tf.mean(tf.mul(d, standard), -1, true));
      const dx = tf.mul(tf.sub(tf.sub(d, tf.mean(d, -1, true)), along), inverse);
      return [dx, sumRows(tf.mul(dy, standard)), sumRows(dy)];
    },
  };
});
const norm = ({ gain, bias }, x) => normOf(x, gain, bias);

/** x·Φ(x), Φ(x) = (1 + erf(x / √2)) / 2. */
const gelu = tf.customGrad((x, save) => {
  const below = tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5);
  save([x, below]);
  return {
    value: tf.mul(x, below),
    gradFunc: (dy, [x, below]) => {
      const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return tf.mul(dy, tf.add(below, tf.mul(x, density)));
    },
  };
});

/** Rows of a table; the gradient is a scatter, which adds where ids repeat. */
const take = (table, ids) =>
  tf.customGrad((table, save) => {
    save([ids]);
    const gradFunc = (dy, [ids]) => tf.scatterND(tf.expandDims(ids, 1), dy, table.shape);
    return { value: tf.gather(table, ids), gradFunc };
  })(table);

/** The mean of −log softmax(logits)[right]. */
const crossEntropy = (logits, right) =>
  tf.customGrad((logits, save) => {
    const [probabilities, target] = [tf.softmax(logits), tf.cast(tf.oneHot(right, v), 'float32')];
    save([probabilities, target]);
    return {
      value: tf.neg(tf.mean(tf.log(tf.add(tf.sum(tf.mul(probabilities, target), -1), 1e-30)))),
      gradFunc: (dy, [probabilities, target]) => tf.mul(tf.sub(probabilities, target), tf.div(dy, right.shape[0])),
    };
  })(logits);

/** The mean of softplus(x) − x·replaced over the tokens that are there. */
const binaryCrossEntropy = (x, replaced, attend) =>
  tf.customGrad((x, save) => {
    const weight = tf.div(attend, tf.sum(attend));
    save([x, replaced, weight]);
    return {
      value: tf.sum(tf.mul(tf.sub(tf.softplus(x), tf.mul(x, replaced)), weight)),
      gradFunc: (dy, [x, replaced, weight]) => tf.mul(tf.sub(tf.sigmoid(x), replaced), tf.mul(weight, dy)),
    };
  })(x);

const drop = (x) => (dropout === 0 ? x : tf.dropout(x, dropout));

const attention = ({ query, key, value, output }, x, mask, h) => {
  const c = x.shape[1];
  const heads = (own) =>
    tf.reshape(tf.transpose(tf.reshape(linear(own, x), [b, t, h, c / h]), [0, 2, 1, 3]), [b * h, t, c / h]);
  const scores = product(tf.mul(heads(query), (c / h) ** -0.5), swap(heads(key)));
  const probabilities = drop(tf.softmax(tf.add(tf.reshape(scores, [b, h, t, t]), mask)));
  const heard = tf.reshape(product(tf.reshape(probabilities, [b * h, t, t]), heads(value)), [b, h, t, c / h]);
  return linear(output, tf.reshape(tf.transpose(heard, [0, 2, 1, 3]), [b * t, c]));
};

const encode = ({ projection, layers }, { heads }, x, mask) => {
  let y = projection ? linear(projection, x) : x;
  for (const { attentionNorm, inner, outer, norm: last, ...own } of layers) {
    const a = norm(attentionNorm, tf.add(y, drop(attention(own, y, mask, heads))));
    y = norm(last, tf.add(a, drop(linear(outer, gelu(linear(inner, a))))));
  }
  return y;
};

/** tokens, types [b·t] → [b·t, e]. */
const embed = ({ word, position, type, norm: own }, tokens, types) => {
  const positions = tf.reshape(tf.slice(position, 0, t), [t * e]);
  const sum = tf.add(take(word, tokens), take(type, types));
  return drop(norm(own, tf.reshape(addBias(tf.reshape(sum, [b, t * e]), positions), [b * t, e])));
};

const loss = (tokens, types, attend) => {
  const mask = tf.reshape(tf.mul(tf.sub(attend, 1), 1e9), [b, 1, 1, t]);

  // 1. Hide tokens.
  const candidates = [special.cls, special.sep, special.mask, special.pad].reduce(
    (all, id) => tf.mul(all, tf.cast(tf.notEqual(tokens, id), 'float32')),
    attend,
  );
  const { indices: at } = tf.topk(tf.reshape(tf.mul(tf.add(tf.randomUniform([b * t]), 1), candidates), [b, t]), n);
  const rows = tf.reshape(tf.add(at, tf.reshape(tf.range(0, b * t, t, 'int32'), [b, 1])), [b * n]);
  const answers = tf.gather(tokens, rows);
  const hide = tf.less(tf.randomUniform([b * n]), config.hideProbability);
  const hidden = tf.where(hide, tf.fill([b * n], special.mask, 'int32'), answers);
  const put = (values) => tf.tensorScatterUpdate(tokens, tf.expandDims(rows, 1), values);

  // 2. The generator guesses.
  const { dense: guess, norm: guessNorm, bias } = generator;
  const all = encode(generator, g, embed(embeddings, put(hidden), types), mask);
  const h = norm(guessNorm, gelu(linear(guess, take(all, rows))));
  const guesses = linear({ kernel: swap(embeddings.word), bias }, h);
  const mlm = crossEntropy(guesses, answers);

  // 3. Sampled guesses replace the hidden tokens.
  const corrupted = put(tf.reshape(tf.multinomial(guesses, 1), [b * n]));

  // 4. The discriminator judges.
  const replaced = tf.cast(tf.notEqual(corrupted, tokens), 'float32');
  const { dense: judge, output } = discriminator;
  const judged = encode(discriminator, d, embed(embeddings, corrupted, types), mask);
  const x = tf.reshape(linear(output, gelu(linear(judge, judged))), [b * t]);
  const rtd = binaryCrossEntropy(x, replaced, attend);
  return tf.add(tf.mul(mlm, config.generatorWeight), tf.mul(rtd, config.discriminatorWeight));
};

/** Adam without bias correction (lib/optim/adam.ts), after clipping by the global norm. */
const update = (gradients, rate) => {
  // One after another: `tf.addN` of so many binds more buffers than WebGPU has.
  const squares = variables.map(({ own }) => tf.sum(tf.square(gradients[own.name])));
  const size = tf.sqrt(squares.reduce((sum, x) => tf.add(sum, x)));
  const clip = tf.minimum(tf.div(training.clipNorm, size), 1);
  variables.forEach(({ own, m, s, decay }) => {
    const clipped = tf.mul(gradients[own.name], clip);
    m.assign(tf.add(tf.mul(m, 0.9), tf.mul(clipped, 0.1)));
    s.assign(tf.add(tf.mul(s, 0.999), tf.mul(tf.square(clipped), 0.001)));
    const direction = tf.div(m, tf.add(tf.sqrt(s), 1e-6));
    own.assign(tf.sub(tf.mul(own, 1 - rate * decay), tf.mul(direction, rate)));
  });
};

const types = tf.zeros([b * t], 'int32');
const attend = tf.ones([b * t]);

await run(
  `TensorFlow.js ${tf.version.tfjs} (${backend === 'wasm' ? 'wasm, SIMD, 1 thread: it has no more in Node' : backend})`,
  1,
  async (i, tokens) => {
    const value = tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => loss(tf.tensor1d(tokens, 'int32'), types, attend));
      update(grads, rateAt(i));
      return value;
    });
    const [result] = await value.data();
    value.dispose();
    return result;
  },
);
