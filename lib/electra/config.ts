/**
 * Every number of an ELECTRA, as plain JSON data. The published sizes are those of google-research/electra
 * (configure_pretraining.py, util/training_utils.py) and of the paper's Table 6; `tiny` and `mini` are ours, for machines
 * without a GPU. The generator is a quarter to a half as wide as the discriminator: the paper's Figure 3 shows that a
 * larger one makes the discriminator's task too hard.
 */
import type { EncoderSize } from '../nn/encoder.ts';

/** Ids of the tokens that are not text. */
export interface SpecialTokens {
  readonly pad: number;
  readonly unk: number;
  readonly cls: number;
  readonly sep: number;
  readonly mask: number;
}

/**
 * How the hidden states of a text become one: that of [CLS]; the mean of all tokens'; or the means of all layers', one behind
 * the other, that of the encoder's input first.
 */
export const poolings = ['cls', 'mean', 'layers'] as const;
export type Pooling = (typeof poolings)[number];

export interface ElectraConfig {
  readonly vocabSize: number;
  readonly embeddingSize: number;
  readonly maxPositions: number;
  readonly typeVocabSize: number;
  readonly discriminator: EncoderSize;
  readonly generator: EncoderSize;
  readonly special: SpecialTokens;
  /**
   * What generator and discriminator share (the paper's §3.2 compares the three): the embedding block, as published;
   * nothing; or all weights, which needs equal sizes.
   */
  readonly tying: 'embeddings' | 'none' | 'all';
  /** How parameters are drawn: as published, or so that small models use context early (docs/decisions.md). */
  readonly initialisation: 'published' | 'positional';
  readonly layerNormEpsilon: number;
  readonly dropout: number;
  readonly attentionDropout: number;
  /** Dropout in the heads of fine-tuning. */
  readonly classifierDropout: number;
  /** What a head for classes reads of a text; [CLS] as published. */
  readonly pooling: Pooling;
  /** The part of the tokens that the generator must guess. */
  readonly maskProbability: number;
  /** The part of those that it sees as [MASK]; the rest stay as they are. */
  readonly hideProbability: number;
  /** Draw positions with replacement, as published, so that some are chosen twice; ours are distinct. */
  readonly maskWithReplacement: boolean;
  /** Divides the generator's logits before sampling. */
  readonly temperature: number;
  /** Never sample the original token; false as published. */
  readonly disallowCorrect: boolean;
  readonly generatorWeight: number;
  /** λ of the paper's §2: the discriminator's loss is about 20 times smaller than the generator's. */
  readonly discriminatorWeight: number;
  /** Added to the denominators of both losses' means; 0, where published code has 1e-6. */
  readonly lossEpsilon: number;
  readonly training: Training;
}

export interface Training {
  readonly sequenceLength: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly warmupSteps: number;
  readonly steps: number;
  readonly weightDecay: number;
  /** Largest global norm of the gradients. */
  readonly clipNorm: number;
}

/** What all published sizes have in common (configure_pretraining.py; Devlin et al. 2019 for the vocabulary). */
const published = {
  vocabSize: 30522,
  maxPositions: 512,
  typeVocabSize: 2,
  special: { pad: 0, unk: 100, cls: 101, sep: 102, mask: 103 },
  tying: 'embeddings',
  initialisation: 'published',
  layerNormEpsilon: 1e-12,
  dropout: 0.1,
  attentionDropout: 0.1,
  classifierDropout: 0.1,
  pooling: 'cls',
  maskProbability: 0.15,
  hideProbability: 0.85,
  maskWithReplacement: false,
  temperature: 1,
  disallowCorrect: false,
  generatorWeight: 1,
  discriminatorWeight: 50,
  lossEpsilon: 0,
} as const;

const training = { warmupSteps: 10_000, weightDecay: 0.01, clipNorm: 1 };

/** Sizes by the published rule: heads of 64 channels, a feed-forward network four times as wide. */
const size = (hiddenSize: number, layers: number): EncoderSize => ({
  hiddenSize,
  layers,
  heads: Math.max(1, Math.floor(hiddenSize / 64)),
  feedForwardSize: 4 * hiddenSize,
});

/** What our own sizes have in common: vocabularies trained here begin with the special tokens; short runs need no dropout. */
const ours = {
  ...published,
  maxPositions: 128,
  special: { pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 },
  dropout: 0,
  attentionDropout: 0,
};

export const configs = {
  /**
   * What `npm start` trains: the size and the initialisation that use context soonest in a few minutes on a processor
   * (docs/decisions.md).
   */
  demo: {
    ...ours,
    vocabSize: 1000,
    embeddingSize: 64,
    initialisation: 'positional',
    discriminator: { hiddenSize: 64, layers: 2, heads: 2, feedForwardSize: 256 },
    generator: { hiddenSize: 32, layers: 2, heads: 2, feedForwardSize: 128 },
    training: { ...training, sequenceLength: 32, batchSize: 64, learningRate: 1e-3, warmupSteps: 300, steps: 3000 },
  },
  /** Runs anywhere. */
  tiny: {
    ...ours,
    vocabSize: 2048,
    embeddingSize: 32,
    discriminator: { hiddenSize: 64, layers: 2, heads: 2, feedForwardSize: 256 },
    generator: { hiddenSize: 32, layers: 2, heads: 1, feedForwardSize: 128 },
    training: { ...training, sequenceLength: 48, batchSize: 32, learningRate: 1e-3, warmupSteps: 100, steps: 1000 },
  },
  /** The size for a processor and half an hour. */
  mini: {
    ...ours,
    vocabSize: 4096,
    embeddingSize: 64,
    discriminator: { hiddenSize: 128, layers: 4, heads: 4, feedForwardSize: 512 },
    generator: { hiddenSize: 64, layers: 4, heads: 1, feedForwardSize: 256 },
    training: { ...training, sequenceLength: 64, batchSize: 32, learningRate: 1e-3, warmupSteps: 500, steps: 10_000 },
  },
  /** ELECTRA-Small: 14 M parameters; generator ¼. */
  small: {
    ...published,
    embeddingSize: 128,
    discriminator: size(256, 12),
    generator: size(64, 12),
    training: { ...training, sequenceLength: 128, batchSize: 128, learningRate: 5e-4, steps: 1_000_000 },
  },
  /** ELECTRA-Base: 110 M parameters; generator ⅓. */
  base: {
    ...published,
    embeddingSize: 768,
    discriminator: size(768, 12),
    generator: size(256, 12),
    training: { ...training, sequenceLength: 512, batchSize: 256, learningRate: 2e-4, steps: 766_000 },
  },
  /** ELECTRA-Large: 335 M parameters; generator ¼, and a quarter of the tokens masked. */
  large: {
    ...published,
    embeddingSize: 1024,
    maskProbability: 0.25,
    discriminator: size(1024, 24),
    generator: size(256, 24),
    training: { ...training, sequenceLength: 512, batchSize: 2048, learningRate: 2e-4, steps: 400_000 },
  },
} as const satisfies Record<string, ElectraConfig>;

export type ConfigName = keyof typeof configs;

/** The configuration with dropout off: for evaluation and use. */
export const withoutDropout = (config: ElectraConfig): ElectraConfig => ({ ...config, dropout: 0, attentionDropout: 0, classifierDropout: 0 });

type Rule = readonly [where: RegExp, holds: (value: number | string) => boolean, what: string];

const whole = (from: number) => (value: number | string) => Number.isInteger(value) && Number(value) >= from;

/** What single values must be, by their path. */
const rules: readonly Rule[] = [
  [/Size$|Positions$|layers$|heads$|sequenceLength$|steps$/, whole(1), 'a whole number from 1 on'],
  [/warmupSteps$|^special/, whole(0), 'a whole number from 0 on'],
  [/dropout$/i, (x) => Number(x) >= 0 && Number(x) < 1, 'at least 0 and below 1'],
  [/^maskProbability$/, (x) => Number(x) > 0 && Number(x) < 1, 'between 0 and 1'],
  [/^hideProbability$/, (x) => Number(x) >= 0 && Number(x) <= 1, 'from 0 to 1'],
  [/temperature$|NormEpsilon$|clipNorm$/, (x) => Number(x) > 0, 'above 0'],
  [/Weight$|weightDecay$|learningRate$|lossEpsilon$/, (x) => Number(x) >= 0, 'at least 0'],
  [/^tying$/, (x) => ['embeddings', 'none', 'all'].includes(String(x)), "'embeddings', 'none' or 'all'"],
  [/^pooling$/, (x) => poolings.some((pooling) => pooling === x), "'cls', 'mean' or 'layers'"],
  [/^initialisation$/, (x) => ['published', 'positional'].includes(String(x)), "'published' or 'positional'"],
];

const values = (node: object, path = ''): [string, number | string][] =>
  Object.entries(node).flatMap(([key, value]) => (typeof value === 'object' ? values(value as object, `${path}${key}.`) : [[`${path}${key}`, value]]));

/** What is wrong with a configuration, in sentences; empty when nothing is. */
const faults = (config: ElectraConfig): string[] => {
  const { discriminator: d, generator: g } = config;
  const wrong = values(config).flatMap(([path, value]) =>
    rules.filter(([where, holds]) => where.test(path) && !holds(value)).map(([, , what]) => `'${path}' should be ${what}; got ${JSON.stringify(value)}`),
  );
  return [
    ...wrong,
    ...[d, g].flatMap(({ hiddenSize, heads }) => (hiddenSize % heads === 0 ? [] : [`hiddenSize ${hiddenSize} is not a multiple of its ${heads} heads`])),
    ...(config.training.sequenceLength > config.maxPositions ? [`sequenceLength ${config.training.sequenceLength} exceeds maxPositions ${config.maxPositions}`] : []),
    ...(config.tying === 'all' && JSON.stringify(d) !== JSON.stringify(g) ? ["tying 'all' needs a generator of the discriminator's size"] : []),
    ...(config.initialisation === 'positional' && config.tying === 'none' ? ["initialisation 'positional' needs shared embeddings (tying 'embeddings' or 'all')"] : []),
  ];
};

/**
 * A configuration from JSON data: `base` with the given values in place of its own.
 *
 * Throws on unknown keys, values of another type or out of range, and sizes that do not fit together.
 */
export const parseConfig = (json: unknown, base: ElectraConfig = configs.tiny): ElectraConfig => {
  const merge = (into: object, from: unknown, path: string): object => {
    if (typeof from !== 'object' || from === null || Array.isArray(from)) throw new Error(`config: expected an object at '${path || 'the top'}', got ${JSON.stringify(from)}`);
    const result: Record<string, unknown> = { ...into };
    for (const [key, value] of Object.entries(from)) {
      const known = result[key];
      const name = path === '' ? key : `${path}.${key}`;
      if (!Object.hasOwn(into, key)) throw new Error(`config: unknown key '${name}'; the keys there are ${Object.keys(into).join(', ')}`);
      if (typeof known === 'object') result[key] = merge(known as object, value, name);
      else if (typeof value !== typeof known) throw new Error(`config: '${name}' should be a ${typeof known}, like ${JSON.stringify(known)}; got ${JSON.stringify(value)}`);
      else result[key] = value;
    }
    return result;
  };
  const config = merge(base, json, '') as ElectraConfig;
  const [fault] = faults(config);
  if (fault !== undefined) throw new Error(`config: ${fault}`);
  return config;
};
