/**
 * An initialisation for small models and short runs: some heads find the neighbours from the first step. With the published
 * one, a small ELECTRA spends its first thousands of steps on a plateau where it knows only how frequent tokens
 * are, because no head can tell positions apart. Here, positions are sinusoids in channels of their own, and for half of the
 * heads, but two at least, the query is the key rotated by sₐ positions (−1, 1, −2, 2 …), so that head a attends to the token
 * sₐ places on; the others see all tokens nearly alike, as in the published initialisation.
 *
 *     position i, channels 2k and 2k+1:  cos ωₖi, sin ωₖi,   ωₖ = π (k + ½) / F
 *     key of i = √r · (cos ωₖi, sin ωₖi),   query of i = √r · (cos ωₖ(i + sₐ), sin ωₖ(i + sₐ))
 *
 * No layer writes into these channels, so every layer finds them. Only values differ from the published initialisation:
 * architecture and files are the same. After Trockman & Kolter 2023 ("Mimetic initialization of self-attention layers");
 * what it buys was measured: docs/decisions.md.
 */
import { normal, split } from '../key.ts';
import type { Dense } from '../nn/dense.ts';
import type { EncoderSize, Layer } from '../nn/encoder.ts';
import { add, full, mul } from '../ops/arith.ts';
import type { Tensor } from '../tensor.ts';
import { tensor } from '../tensor.ts';
import type { ElectraConfig } from './config.ts';
import type { Network, Params } from './params.ts';

/** Deviation of the word table. */
const WORD = 0.12;
/** Part of an embedding's squared norm that says where the token is. */
const SHARE = 0.3;
/** Logit of the attended position before the softmax. */
const PEAK = 6;
/** Deviation of what is not prescribed in queries and keys, and of the segment types. */
const NOISE = 0.02;
/** Gain of the generator's last layer norm: small, so that its first guesses follow the bias. */
const GUESS_GAIN = 0.3;
/** Log odds of a replaced token when 15 % are replaced by guesses that are mostly wrong. */
const REPLACED = -2.1;

interface Plan {
  /** Number F of frequencies; the first 2F channels hold the position. Places 4F tokens apart look alike. */
  readonly frequencies: number;
  /** Amplitude of the position channels behind the embeddings' layer norm. */
  readonly amplitude: number;
}

const omega = (k: number, { frequencies }: Plan) => (Math.PI * (k + 0.5)) / frequencies;

/** A matrix whose element (row, column) is f(row, column). */
const matrix = (rows: number, columns: number, f: (row: number, column: number) => number): Tensor =>
  tensor(Float32Array.from({ length: rows * columns }, (_, i) => f(Math.floor(i / columns), i % columns)), [rows, columns]);

/** Normal values of deviation 1/√(rows), times `gain`, where `free` allows any. */
const fanIn = (key: Tensor, rows: number, columns: number, free: (row: number, column: number) => boolean = () => true, gain = 1): Tensor =>
  mul(normal(key, [rows, columns]), matrix(rows, columns, (r, c) => (free(r, c) ? gain / Math.sqrt(rows) : 0)));

const withKernel = (layer: Dense, kernel: Tensor): Dense => ({ ...layer, kernel });

/** How many of a layer's heads look at neighbours. */
const located = (heads: number) => Math.min(heads, Math.max(2, Math.floor(heads / 2)));

/** Places that head a looks at, relative to its own: −1, 1, −2, 2, … */
const shift = (head: number) => (head % 2 === 0 ? -1 : 1) * (Math.floor(head / 2) + 1);

/** Kernels of query and key by which each located head attends to the token `shift` places on; zeros for the others. */
const neighbourHeads = (width: number, heads: number, plan: Plan): { query: Float32Array; key: Float32Array } => {
  const channels = width / heads;
  const query = new Float32Array(width * width);
  const key = new Float32Array(width * width);
  const used = Math.min(plan.frequencies, Math.floor(channels / 2));
  const r = Math.sqrt((PEAK * Math.sqrt(channels)) / (used * plan.amplitude ** 2));
  for (let head = 0; head < located(heads); head++) {
    for (let j = 0; j < used; j++) {
      const k = used === plan.frequencies ? j : Math.round((j * (plan.frequencies - 1)) / Math.max(used - 1, 1));
      const angle = omega(k, plan) * shift(head);
      const [cosine, sine] = [r * Math.cos(angle), r * Math.sin(angle)];
      const [even, odd] = [2 * k * width, (2 * k + 1) * width];
      const column = head * channels + 2 * j;
      key[even + column] = r;
      key[odd + column + 1] = r;
      query[even + column] = cosine;
      query[odd + column] = -sine;
      query[even + column + 1] = sine;
      query[odd + column + 1] = cosine;
    }
  }
  return { query, key };
};

const initLayer = (key: Tensor, layer: Layer, { hiddenSize: c, heads, feedForwardSize: f }: EncoderSize, plan: Plan): Layer => {
  const keys = split(key, 'query', 'key', 'value', 'output', 'inner', 'outer');
  const prescribed = neighbourHeads(c, heads, plan);
  const near = (noise: Tensor, values: Float32Array) => add(mul(normal(noise, [c, c]), NOISE), tensor(values, [c, c]));
  const text = (channel: number) => channel >= 2 * plan.frequencies;
  const { attention, feedForward } = layer;
  return {
    attention: {
      ...attention,
      query: withKernel(attention.query, near(keys.query, prescribed.query)),
      key: withKernel(attention.key, near(keys.key, prescribed.key)),
      value: withKernel(attention.value, fanIn(keys.value, c, c, text)),
      output: withKernel(attention.output, fanIn(keys.output, c, c, (_, column) => text(column))),
    },
    feedForward: {
      ...feedForward,
      inner: withKernel(feedForward.inner, fanIn(keys.inner, c, f)),
      outer: withKernel(feedForward.outer, fanIn(keys.outer, f, c, (_, column) => text(column))),
    },
  };
};

const initNetwork = (key: Tensor, network: Network, width: number, size: EncoderSize, plan: Plan): Network => {
  const positions = 2 * plan.frequencies;
  const { projection } = split(key, 'projection');
  const carried = matrix(width, size.hiddenSize, (r, c) => (r === c && r < positions ? 1 : 0));
  const mixed = fanIn(projection, width, size.hiddenSize, (r, c) => r >= positions && c >= positions, Math.sqrt(width / (width - positions)));
  return {
    ...(network.projection && { projection: withKernel(network.projection, add(carried, mixed)) }),
    encoder: network.encoder.map((layer, i) => initLayer(split(key, `${i}`)[`${i}`], layer, size, plan)),
  };
};

/**
 * The published parameters with the values above in place of theirs. `unigram` [v], the logarithm of each token's
 * frequency, becomes the bias of the generator's output, so that it starts as a unigram model instead of learning that.
 */
export const initPositional = (key: Tensor, params: Params, config: ElectraConfig, unigram?: Tensor): Params => {
  const { embeddingSize: e, discriminator: d, generator: g, vocabSize, maxPositions, training } = config;
  const narrowest = Math.min(e, d.hiddenSize, g.hiddenSize);
  const frequencies = Math.max(1, Math.min(Math.ceil(training.sequenceLength / 4), Math.floor(narrowest / 4)));
  const plan: Plan = { frequencies, amplitude: Math.sqrt((SHARE * e) / frequencies) };
  const positions = 2 * frequencies;
  const keys = split(key, 'word', 'type', 'discriminator', 'generator', 'judge', 'verdict', 'guess');

  const text = (rows: number, deviation: number) => matrix(rows, e, (_, c) => (c < positions ? 0 : deviation));
  const wave = WORD * Math.sqrt(((SHARE / (1 - SHARE)) * (e - positions)) / frequencies);
  const position = matrix(maxPositions, e, (i, c) => {
    if (c >= positions) return 0;
    const angle = omega(Math.floor(c / 2), plan) * i;
    return wave * (c % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
  });
  const embeddings = {
    ...params.embeddings,
    word: mul(normal(keys.word, [vocabSize, e]), text(vocabSize, WORD)),
    position,
    type: mul(normal(keys.type, [config.typeVocabSize, e]), text(config.typeVocabSize, NOISE)),
  };

  const { head: judge } = params.discriminator;
  const { head: guess, encoder, projection } = params.generator;
  const c = d.hiddenSize;
  return {
    embeddings,
    discriminator: {
      ...initNetwork(keys.discriminator, params.discriminator, e, d, plan),
      head: {
        dense: withKernel(judge.dense, fanIn(keys.judge, c, c)),
        output: { kernel: fanIn(keys.verdict, c, 1, undefined, 0.1), bias: full([1], REPLACED) },
      },
    },
    generator: {
      ...params.generator,
      ...(encoder && initNetwork(keys.generator, { projection, encoder }, e, g, plan)),
      head: {
        dense: withKernel(guess.dense, fanIn(keys.guess, g.hiddenSize, guess.dense.kernel.shape[1])),
        norm: { ...guess.norm, gain: full(guess.norm.gain.shape, GUESS_GAIN) },
        bias: unigram ?? guess.bias,
      },
    },
  };
};
