/**
 * The parameters of an ELECTRA: one plain tree. What the two networks share stands in it once, so that sharing is passing
 * the same value twice, and the tape adds up the gradients of both uses.
 */
import { split } from '../key.ts';
import type { Dense, Norm } from '../nn/dense.ts';
import type { Embeddings } from '../nn/embed.ts';
import { initEmbeddings } from '../nn/embed.ts';
import type { EncoderSize, Layer } from '../nn/encoder.ts';
import { initEncoder } from '../nn/encoder.ts';
import { glorot, initDense, initNorm, truncated } from '../nn/init.ts';
import { zeros } from '../ops/arith.ts';
import type { Tensor } from '../tensor.ts';
import type { ElectraConfig } from './config.ts';
import { initPositional } from './positional.ts';
import { generatorWidth } from './shapes.ts';

/** An encoder with the linear map to its width, where the embeddings have another. */
export interface Network {
  readonly projection?: Dense;
  readonly encoder: readonly Layer[];
}

/** h → LayerNorm(gelu(h · W + b)) → · word tableᵀ + bias: logits over the vocabulary. */
export interface GeneratorHead {
  readonly dense: Dense;
  readonly norm: Norm;
  /** [v] */
  readonly bias: Tensor;
}

/** h → gelu(h · W + b) → · w + b: one logit a token. */
export interface DiscriminatorHead {
  readonly dense: Dense;
  readonly output: Dense;
}

export interface Params {
  readonly embeddings: Embeddings;
  readonly discriminator: Network & { readonly head: DiscriminatorHead };
  /** Has embeddings of its own under tying 'none', and no encoder of its own under 'all'. */
  readonly generator: Partial<Network> & { readonly embeddings?: Embeddings; readonly head: GeneratorHead };
}

/** σ of the truncated normal distribution from which kernels and tables are drawn (Devlin et al. 2019). */
const SIGMA = 0.02;

const initNetwork = (key: Tensor, width: number, size: EncoderSize): Network => {
  const keys = split(key, 'projection', 'encoder');
  return {
    ...(width !== size.hiddenSize && { projection: initDense(keys.projection, width, size.hiddenSize, glorot) }),
    encoder: initEncoder(keys.encoder, size, truncated(SIGMA)),
  };
};

/**
 * Fresh parameters: as published, or by `config.initialisation`, which can use the logarithms `unigram` [v] of the tokens'
 * frequencies.
 */
export const initElectra = (key: Tensor, config: ElectraConfig, unigram?: Tensor): Params => {
  const { vocabSize: words, maxPositions: positions, typeVocabSize: types, embeddingSize, tying } = config;
  const keys = split(key, 'embeddings', 'discriminator', 'discriminatorHead', 'generator', 'generatorHead', 'generatorEmbeddings');
  const table = truncated(SIGMA);
  const width = generatorWidth(config);
  const { dense, output } = split(keys.discriminatorHead, 'dense', 'output');
  const { hiddenSize } = config.discriminator;
  const params: Params = {
    embeddings: initEmbeddings(keys.embeddings, { words, positions, types, width: embeddingSize }, table),
    discriminator: {
      ...initNetwork(keys.discriminator, embeddingSize, config.discriminator),
      head: { dense: initDense(dense, hiddenSize, hiddenSize, table), output: initDense(output, hiddenSize, 1, glorot) },
    },
    generator: {
      ...(tying === 'none' && { embeddings: initEmbeddings(keys.generatorEmbeddings, { words, positions, types, width }, table) }),
      ...(tying !== 'all' && initNetwork(keys.generator, width, config.generator)),
      head: { dense: initDense(keys.generatorHead, config.generator.hiddenSize, width, table), norm: initNorm(width), bias: zeros([words]) },
    },
  };
  return config.initialisation === 'positional' ? initPositional(key, params, config, unigram) : params;
};
