/**
 * Model folders in HuggingFace's layout: `config.json`, `model.safetensors`, `vocab.txt` and `tokenizer_config.json`. A
 * folder holds one network, a discriminator (ElectraForPreTraining) or a generator (ElectraForMaskedLM), each with its own
 * copy of the embeddings; which one is said by which of the two the parameters contain. Tensors are contiguous, named and
 * turned as their own save writes them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ElectraConfig } from '../electra/config.ts';
import { configs } from '../electra/config.ts';
import type { Params } from '../electra/params.ts';
import { generatorWidth, paramShapes } from '../electra/shapes.ts';
import type { EncoderSize } from '../nn/encoder.ts';
import type { Shape } from '../shape.ts';
import { sameShape, show } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { tensor } from '../tensor.ts';
import { WordPiece } from '../text/wordpiece.ts';
import { leaves, paths, unflatten } from '../tree.ts';
import { writeFolderAtomic } from './atomic.ts';
import { clearly } from './error.ts';
import { huggingFaceName, isTransposed } from './names.ts';
import type { SafeTensor } from './safetensors.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';

/** The parameters of one network, as a model folder holds them. */
export type ModelParams = Pick<Params, 'embeddings' | 'discriminator'> | Pick<Params, 'embeddings' | 'generator'>;

export interface Model {
  readonly config: ElectraConfig;
  readonly params: ModelParams;
  readonly tokenizer?: WordPiece;
}

type Network = 'discriminator' | 'generator';

const networkOf = (params: ModelParams): Network => ('discriminator' in params ? 'discriminator' : 'generator');

const ARCHITECTURES: Record<Network, string> = { discriminator: 'ElectraForPreTraining', generator: 'ElectraForMaskedLM' };

/** Width of the embeddings in a network's folder. */
const widthOf = (config: ElectraConfig, network: Network): number =>
  network === 'generator' ? generatorWidth(config) : config.embeddingSize;

/** Path → shape of what the folder of a network holds: a copy of all that it uses, shared or not. */
const storedShapes = (config: ElectraConfig, network: Network): [string, Shape][] =>
  Object.entries(paramShapes({ ...config, tying: 'embeddings', embeddingSize: widthOf(config, network) })).filter(
    ([path]) => path.startsWith('embeddings') || path.startsWith(network),
  );

/** `config.json` as HuggingFace's ElectraConfig writes it. */
export const huggingFaceConfig = (config: ElectraConfig, network: Network): Record<string, unknown> => {
  const { hiddenSize, layers, heads, feedForwardSize } = config[network];
  return {
    architectures: [ARCHITECTURES[network]],
    attention_probs_dropout_prob: config.attentionDropout,
    classifier_dropout: null,
    embedding_size: widthOf(config, network),
    hidden_act: 'gelu',
    hidden_dropout_prob: config.dropout,
    hidden_size: hiddenSize,
    initializer_range: 0.02,
    intermediate_size: feedForwardSize,
    layer_norm_eps: config.layerNormEpsilon,
    max_position_embeddings: config.maxPositions,
    model_type: 'electra',
    num_attention_heads: heads,
    num_hidden_layers: layers,
    pad_token_id: config.special.pad,
    position_embedding_type: 'absolute',
    summary_activation: 'gelu',
    summary_last_dropout: 0.1,
    summary_type: 'first',
    summary_use_proj: true,
    torch_dtype: 'float32',
    type_vocab_size: config.typeVocabSize,
    use_cache: true,
    vocab_size: config.vocabSize,
  };
};

/** A matrix with rows and columns exchanged, on the host. */
const turned = (values: ArrayLike<number>, [rows, columns]: Shape): Float32Array => {
  const result = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c];
  return result;
};

const tokenizerConfig = ({ options: { lowerCase, stripAccents } }: WordPiece, { maxPositions }: ElectraConfig) => ({
  cls_token: '[CLS]',
  do_lower_case: lowerCase,
  mask_token: '[MASK]',
  model_max_length: maxPositions,
  pad_token: '[PAD]',
  sep_token: '[SEP]',
  strip_accents: stripAccents,
  tokenize_chinese_chars: true,
  tokenizer_class: 'ElectraTokenizer',
  unk_token: '[UNK]',
});

/**
 * Writes a model folder, whole or not at all; one that is there is replaced.
 *
 * Throws when the parameters lack one that the network uses (under tying 'all', the generator's encoder is the
 * discriminator's).
 */
export const saveModel = async (dir: string, { config, params, tokenizer }: Model): Promise<void> => {
  const names = paths(params);
  const missing = storedShapes(config, networkOf(params)).find(([path]) => !names.includes(path));
  if (missing !== undefined) throw new Error(`saveModel: expected the parameter '${missing[0]}', which the ${networkOf(params)} uses`);
  const tensors = new Map<string, SafeTensor>();
  for (const [i, x] of leaves(params).entries()) {
    const values = await x.data();
    const turn = isTransposed(names[i]);
    tensors.set(huggingFaceName(names[i]), {
      dtype: 'F32',
      shape: turn ? [...x.shape].reverse() : [...x.shape],
      data: turn ? turned(values, x.shape) : Float32Array.from(values),
    });
  }
  writeFolderAtomic(dir, {
    'model.safetensors': encodeSafetensors(tensors, { format: 'pt' }),
    'config.json': json(huggingFaceConfig(config, networkOf(params))),
    ...(tokenizer && {
      'vocab.txt': `${tokenizer.vocab.join('\n')}\n`,
      'tokenizer_config.json': json(tokenizerConfig(tokenizer, config)),
    }),
  });
};

const json = (data: unknown) => `${JSON.stringify(data, null, 2)}\n`;

const readJson = (path: string): Record<string, unknown> => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch (cause) {
    throw new Error(`${path}: expected JSON: ${(cause as Error).message}`, { cause });
  }
};

/** Our configuration from theirs: of the network that the folder holds; the other one's sizes are as in `configs.small`. */
const parseHuggingFaceConfig = (theirs: Record<string, unknown>, path: string): { config: ElectraConfig; network: Network } => {
  const number = (key: string): number => {
    const value = theirs[key];
    if (typeof value !== 'number') throw new Error(`${path}: expected a number at '${key}', got ${JSON.stringify(value)}`);
    return value;
  };
  const architecture = (theirs.architectures as string[] | undefined)?.[0];
  const network = Object.entries(ARCHITECTURES).find(([, name]) => name === architecture)?.[0] as Network | undefined;
  if (network === undefined) {
    throw new Error(`${path}: expected the architecture ${Object.values(ARCHITECTURES).join(' or ')}, got ${architecture}`);
  }
  if (theirs.hidden_act !== undefined && theirs.hidden_act !== 'gelu') {
    throw new Error(`${path}: expected 'gelu' at 'hidden_act', got ${JSON.stringify(theirs.hidden_act)}`);
  }
  const size: EncoderSize = {
    hiddenSize: number('hidden_size'),
    layers: number('num_hidden_layers'),
    heads: number('num_attention_heads'),
    feedForwardSize: number('intermediate_size'),
  };
  const config: ElectraConfig = {
    ...configs.small,
    vocabSize: number('vocab_size'),
    embeddingSize: number('embedding_size'),
    maxPositions: number('max_position_embeddings'),
    typeVocabSize: number('type_vocab_size'),
    layerNormEpsilon: number('layer_norm_eps'),
    dropout: number('hidden_dropout_prob'),
    attentionDropout: number('attention_probs_dropout_prob'),
    [network]: size,
  };
  return { config, network };
};

/** The tokens of a `vocab.txt`, one a line. */
export const readVocabulary = (path: string): string[] =>
  clearly(`read ${path}`, () => readFileSync(path, 'utf8'))
    .replace(/\r?\n$/, '')
    .split(/\r?\n/);

const loadTokenizer = (dir: string): WordPiece | undefined => {
  const path = join(dir, 'vocab.txt');
  if (!existsSync(path)) return undefined;
  const vocab = readVocabulary(path);
  const settings = existsSync(join(dir, 'tokenizer_config.json')) ? readJson(join(dir, 'tokenizer_config.json')) : {};
  return new WordPiece(vocab, {
    lowerCase: settings.do_lower_case !== false,
    ...(typeof settings.strip_accents === 'boolean' && { stripAccents: settings.strip_accents }),
  });
};

/**
 * Reads a model folder. Copies of tied matrices and old buffers in it are passed over.
 *
 * Throws when a tensor that the configuration implies is missing or has another shape, naming it, and when there are more
 * words than the model has embeddings.
 */
export const loadModel = (dir: string): Model => {
  if (!existsSync(join(dir, 'config.json'))) throw new Error(`${dir}: expected a model folder with config.json and model.safetensors`);
  const { config: read, network } = parseHuggingFaceConfig(readJson(join(dir, 'config.json')), join(dir, 'config.json'));
  const tokenizer = loadTokenizer(dir);
  if (tokenizer && tokenizer.vocab.length > read.vocabSize) {
    throw new Error(`${dir}: vocab.txt has ${tokenizer.vocab.length} tokens, but config.json says 'vocab_size' ${read.vocabSize}`);
  }
  const config = tokenizer ? { ...read, special: tokenizer.special } : read;
  const { tensors } = decodeSafetensors(readFileSync(join(dir, 'model.safetensors')));
  const entries = storedShapes(config, network).map(([path, shape]): [string, Tensor] => {
    const name = huggingFaceName(path);
    const stored = tensors.get(name);
    if (stored === undefined) throw new Error(`${dir}: model.safetensors lacks '${name}', which config.json implies`);
    const expected = isTransposed(path) ? [...shape].reverse() : shape;
    if (!sameShape(stored.shape, expected)) {
      throw new Error(`${dir}: '${name}' has shape ${show(stored.shape)}, but config.json implies ${show(expected)}`);
    }
    const values = stored.data as ArrayLike<number>;
    return [path, tensor(isTransposed(path) ? turned(values, expected) : values, shape)];
  });
  return { config, params: unflatten(entries) as ModelParams, tokenizer };
};
