/**
 * The names and shapes of all parameters that a configuration implies, without making any of them: what a model folder is
 * checked against, and what sizes and costs are computed from.
 */
import type { EncoderSize } from '../nn/encoder.ts';
import type { Shape } from '../shape.ts';
import { sizeOf } from '../shape.ts';
import type { ElectraConfig } from './config.ts';
import type { HeadStyle, Task } from './heads.ts';
import { outputWidth } from './heads.ts';
import { maskSlots } from './mask.ts';
import type { SpanOptions } from './spans.ts';

type Shapes = Record<string, Shape>;

const under = (prefix: string, shapes: Shapes): Shapes =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [`${prefix}.${name}`, shape]));

const dense = (inputs: number, outputs: number): Shapes => ({ kernel: [inputs, outputs], bias: [outputs] });

const norm = (width: number): Shapes => ({ gain: [width], bias: [width] });

const embeddings = ({ vocabSize, maxPositions, typeVocabSize }: ElectraConfig, width: number): Shapes => ({
  word: [vocabSize, width],
  position: [maxPositions, width],
  type: [typeVocabSize, width],
  ...under('norm', norm(width)),
});

const layer = ({ hiddenSize: c, feedForwardSize: f }: EncoderSize): Shapes => ({
  ...['query', 'key', 'value', 'output'].reduce<Shapes>((all, name) => ({ ...all, ...under(`attention.${name}`, dense(c, c)) }), {}),
  ...under('attention.norm', norm(c)),
  ...under('feedForward.inner', dense(c, f)),
  ...under('feedForward.outer', dense(f, c)),
  ...under('feedForward.norm', norm(c)),
});

const network = (width: number, size: EncoderSize): Shapes => ({
  ...(width !== size.hiddenSize && under('projection', dense(width, size.hiddenSize))),
  ...Array.from({ length: size.layers }, (_, i) => under(`encoder.${i}`, layer(size))).reduce((all, one) => ({ ...all, ...one }), {}),
});

/** Width of the generator's embeddings: its own under tying 'none' (google-research's untied_generator_embeddings). */
export const generatorWidth = ({ tying, embeddingSize, generator }: ElectraConfig): number =>
  tying === 'none' ? generator.hiddenSize : embeddingSize;

/** Path → shape of every parameter of an ELECTRA with this configuration. */
export const paramShapes = (config: ElectraConfig): Shapes => {
  const { discriminator: d, generator: g, embeddingSize, tying } = config;
  const width = generatorWidth(config);
  return {
    ...under('embeddings', embeddings(config, embeddingSize)),
    ...under('discriminator', {
      ...network(embeddingSize, d),
      ...under('head.dense', dense(d.hiddenSize, d.hiddenSize)),
      ...under('head.output', dense(d.hiddenSize, 1)),
    }),
    ...under('generator', {
      ...(tying === 'none' && under('embeddings', embeddings(config, width))),
      ...(tying !== 'all' && network(width, g)),
      ...under('head.dense', dense(g.hiddenSize, width)),
      ...under('head.norm', norm(width)),
      'head.bias': [config.vocabSize],
    }),
  };
};

/** An encoder under a head with the parameters `task`. */
const tunedShapes = (config: ElectraConfig, task: Shapes): Shapes => ({
  ...under('embeddings', embeddings(config, config.embeddingSize)),
  ...under('discriminator', network(config.embeddingSize, config.discriminator)),
  ...under('task', task),
});

/** Path → shape of every parameter of a network fine-tuned for a task with this number of outputs. */
export const taskShapes = (config: ElectraConfig, task: Task, outputs: number, style: HeadStyle = 'google'): Shapes => {
  const { hiddenSize: c } = config.discriminator;
  return tunedShapes(config, {
    ...(task === 'classification' && style === 'huggingface' && under('dense', dense(c, c))),
    ...under('output', dense(outputWidth(config, task, style), outputs)),
  });
};

/** As `taskShapes`, with the published head for answers. */
export const spanShapes = (config: ElectraConfig, { joint, noAnswer, width }: Required<SpanOptions>): Shapes => {
  const { hiddenSize: c } = config.discriminator;
  const logit = (ofTwo: boolean): Shapes => ({ ...(ofTwo && under('dense', dense(2 * c, width))), ...under('output', dense(ofTwo ? width : c, 1)) });
  return tunedShapes(config, {
    ...under('start', dense(c, 1)),
    ...under('end', logit(joint)),
    ...(noAnswer !== false && under('noAnswer', logit(noAnswer === 'starts'))),
  });
};

/** Number of parameters, of all or of those whose path `where` accepts. */
export const countParams = (config: ElectraConfig, where: (path: string) => boolean = () => true): number =>
  Object.entries(paramShapes(config)).reduce((total, [path, shape]) => total + (where(path) ? sizeOf(shape) : 0), 0);

/**
 * Floating-point operations of the matrix products of one training step (two for a multiplication and an addition; the
 * backward pass costs twice the forward pass).
 */
export const stepFlops = (config: ElectraConfig): number => {
  const { discriminator, generator, embeddingSize: e, vocabSize, training, maskProbability } = config;
  const { batchSize: b, sequenceLength: t } = training;
  const encoder = ({ hiddenSize: c, layers, feedForwardSize: f }: EncoderSize) =>
    b * t * ((e === c ? 0 : e * c) + layers * (4 * c * c + 2 * c * f + 2 * t * c));
  const slots = b * maskSlots(t, maskProbability);
  const heads = b * t * discriminator.hiddenSize ** 2 + slots * (generator.hiddenSize * e + e * vocabSize);
  return 3 * 2 * (encoder(discriminator) + encoder(generator) + heads);
};
