/**
 * A fine-tuned classifier in TensorFlow.js (wasm, SIMD), as a user who cares for speed writes it: texts sorted by length and
 * cut into batches that are padded only to their longest, `tf.tidy`, fused products with bias, transposes before products
 * (the backend is slow at the flag), and the next batch is started before the last one's result is read. It is given token
 * ids, so tokenising is not in its time. `node tensorflow-predict.mjs '{ model, ids, batchTokens, out }'`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';

const job = JSON.parse(process.argv[2]);
const config = JSON.parse(readFileSync(`${job.model}/config.json`, 'utf8'));
const { hidden_size: c, num_attention_heads: heads, num_hidden_layers: depth, layer_norm_eps: epsilon } = config;

await tf.setBackend('wasm');

const file = readFileSync(`${job.model}/model.safetensors`);
const start = 8 + Number(file.readBigUInt64LE(0));
const entries = JSON.parse(file.subarray(8, start).toString('utf8'));
const load = (name) => {
  const { shape, data_offsets: offsets } = entries[name];
  const [from, to] = offsets.map((offset) => start + offset);
  return tf.tensor(new Float32Array(file.buffer.slice(file.byteOffset + from, file.byteOffset + to)), shape);
};
const dense = (name) => ({ kernel: tf.transpose(load(`${name}.weight`)), bias: load(`${name}.bias`) });
const scale = (name) => ({ gain: load(`${name}.weight`), bias: load(`${name}.bias`) });

const embeddings = 'electra.embeddings';
const [word, position, type] = ['word', 'position', 'token_type'].map((of) =>
  load(`${embeddings}.${of}_embeddings.weight`),
);
const embeddingNorm = scale(`${embeddings}.LayerNorm`);
const projection = dense('electra.embeddings_project');
const layers = Array.from({ length: depth }, (_, i) => {
  const name = `electra.encoder.layer.${i}`;
  return {
    query: dense(`${name}.attention.self.query`),
    key: dense(`${name}.attention.self.key`),
    value: dense(`${name}.attention.self.value`),
    output: dense(`${name}.attention.output.dense`),
    attentionNorm: scale(`${name}.attention.output.LayerNorm`),
    inner: dense(`${name}.intermediate.dense`),
    outer: dense(`${name}.output.dense`),
    norm: scale(`${name}.output.LayerNorm`),
  };
});
const [headDense, headOutput] = [dense('classifier.dense'), dense('classifier.out_proj')];

const linear = ({ kernel, bias }, x) => tf.fused.matMul({ a: x, b: kernel, bias });
const gelu = (x) => tf.mul(x, tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5));
const norm = ({ gain, bias }, x) => {
  const { mean, variance } = tf.moments(x, -1, true);
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon))), gain), bias);
};

const attention = ({ query, key, value, output }, x, mask, b, t) => {
  const d = c / heads;
  const split = (own, order) => tf.transpose(tf.reshape(linear(own, x), [b, t, heads, d]), order);
  const scores = tf.matMul(tf.mul(split(query, [0, 2, 1, 3]), d ** -0.5), split(key, [0, 2, 3, 1]));
  const heard = tf.matMul(tf.softmax(tf.add(scores, mask)), split(value, [0, 2, 1, 3]));
  return linear(output, tf.reshape(tf.transpose(heard, [0, 2, 1, 3]), [b * t, c]));
};

/** Ids [b·t], attend [b, 1, 1, t] → logits [b, n]. */
const classify = (ids, attend, b, t) => {
  const mask = tf.mul(tf.sub(1, attend), -1e9);
  const e = tf.reshape(
    tf.add(tf.reshape(tf.gather(word, ids), [b, t, -1]), tf.add(tf.slice(position, 0, t), tf.slice(type, 0, 1))),
    [b * t, -1],
  );
  let x = linear(projection, norm(embeddingNorm, e));
  for (const layer of layers) {
    const a = norm(layer.attentionNorm, tf.add(x, attention(layer, x, mask, b, t)));
    x = norm(layer.norm, tf.add(a, linear(layer.outer, gelu(linear(layer.inner, a)))));
  }
  const first = tf.reshape(tf.slice(tf.reshape(x, [b, t, c]), [0, 0, 0], [b, 1, c]), [b, c]);
  return linear(headOutput, gelu(linear(headDense, first)));
};

/** Places of texts of like length, at most `batchTokens` tokens with padding a batch. */
const batchesOf = (texts) => {
  const order = [...texts.keys()].sort((i, j) => texts[i].length - texts[j].length);
  const batches = [];
  let batch = [];
  for (const i of order) {
    if (batch.length > 0 && (batch.length + 1) * texts[i].length > job.batchTokens) {
      batches.push(batch);
      batch = [];
    }
    batch.push(i);
  }
  return [...batches, batch];
};

const launch = (texts, places) => {
  const [b, t] = [places.length, Math.max(...places.map((i) => texts[i].length))];
  const ids = new Int32Array(b * t);
  const attend = new Float32Array(b * t);
  places.forEach((i, row) => {
    ids.set(texts[i], row * t);
    attend.fill(1, row * t, row * t + texts[i].length);
  });
  return tf.tidy(() => classify(tf.tensor1d(ids, 'int32'), tf.tensor(attend, [b, 1, 1, t]), b, t));
};

const predict = async (texts) => {
  const found = [];
  let running;
  const collect = async ({ places, logits }) => {
    const values = await logits.data();
    logits.dispose();
    const n = values.length / places.length;
    places.forEach((i, row) => (found[i] = Array.from(values.subarray(row * n, (row + 1) * n))));
  };
  for (const places of batchesOf(texts)) {
    const next = { places, logits: launch(texts, places) };
    if (running) await collect(running);
    running = next;
  }
  await collect(running);
  return found;
};

const texts = JSON.parse(readFileSync(job.ids, 'utf8'));
await predict(texts.slice(0, 500));
const before = performance.now();
const logits = await predict(texts);
const ms = performance.now() - before;
writeFileSync(job.out, JSON.stringify(logits));
const description = `TensorFlow.js ${tf.version.tfjs} (wasm, SIMD, 1 thread: it has no more in Node), given token ids`;
console.log(JSON.stringify({ description, ms, peakRssMb: process.resourceUsage().maxRSS / 1024 }));
process.exit(0);
