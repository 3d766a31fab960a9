/**
 * Model folders in HuggingFace's layout: `config.json`, `model.safetensors`, `vocab.txt` and `tokenizer_config.json`. A
 * folder holds one network with its own copy of the embeddings: a discriminator, a generator, or an encoder fine-tuned for
 * a task (architecture.ts); which one is said by what the parameters contain. Tensors are contiguous, named and turned as
 * their own save writes them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ElectraConfig } from '../electra/config.ts';
import type { Task, TaskParams } from '../electra/heads.ts';
import type { Params } from '../electra/params.ts';
import type { Shape } from '../shape.ts';
import { sameShape, show } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { tensor } from '../tensor.ts';
import { WordPiece } from '../text/wordpiece.ts';
import { leaves, paths, unflatten } from '../tree.ts';
import type { Described } from './architecture.ts';
import { huggingFaceConfig, parseHuggingFaceConfig, storedShapes, taskOf, unnamedLabels } from './architecture.ts';
import { writeFolderAtomic } from './atomic.ts';
import { clearly } from './error.ts';
import { huggingFaceName, isTransposed } from './names.ts';
import type { SafeTensor } from './safetensors.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';

/** The parameters of one network, as a model folder holds them. */
export type ModelParams = Pick<Params, 'embeddings' | 'discriminator'> | Pick<Params, 'embeddings' | 'generator'> | TaskParams;

export interface Model {
  readonly config: ElectraConfig;
  readonly params: ModelParams;
  readonly tokenizer?: WordPiece;
  /** What a fine-tuned network does. */
  readonly task?: Task;
  /** The names of its classes or tags, one for each output; LABEL_0, LABEL_1, … where nobody named them. */
  readonly labels?: readonly string[];
}

/** What a model is, from what its parameters contain. */
const describe = ({ config, params, task, labels }: Model): Described => {
  if (!('task' in params)) return { config, architecture: 'discriminator' in params ? 'discriminator' : 'generator' };
  if (task === undefined) throw new Error("saveModel: expected a task beside fine-tuned parameters: 'classification', 'tagging' or 'answering'");
  if (task === 'answering') return { config, architecture: task };
  const [outputs] = params.task.output.bias.shape;
  if (labels !== undefined && labels.length !== outputs) throw new Error(`saveModel: expected ${outputs} labels, one for each output, got ${labels.length}`);
  return { config, architecture: task, labels: labels ?? unnamedLabels(outputs) };
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
 * discriminator's), and when fine-tuned ones come without a task, or with another number of labels than they have outputs.
 */
export const saveModel = async (dir: string, model: Model): Promise<void> => {
  const { config, params, tokenizer, task } = model;
  const described = describe(model);
  const names = paths(params);
  const missing = storedShapes(described).find(([path]) => !names.includes(path));
  if (missing !== undefined) throw new Error(`saveModel: expected the parameter '${missing[0]}', which the ${described.architecture} uses`);
  const tensors = new Map<string, SafeTensor>();
  for (const [i, x] of leaves(params).entries()) {
    const values = await x.data();
    const turn = isTransposed(names[i]);
    tensors.set(huggingFaceName(names[i], task), {
      dtype: 'F32',
      shape: turn ? [...x.shape].reverse() : [...x.shape],
      data: turn ? turned(values, x.shape) : Float32Array.from(values),
    });
  }
  writeFolderAtomic(dir, {
    'model.safetensors': encodeSafetensors(tensors, { format: 'pt' }),
    'config.json': json(huggingFaceConfig(described)),
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
  const described = parseHuggingFaceConfig(readJson(join(dir, 'config.json')), join(dir, 'config.json'));
  const { config: read, architecture, labels } = described;
  const task = taskOf(architecture);
  const tokenizer = loadTokenizer(dir);
  if (tokenizer && tokenizer.vocab.length > read.vocabSize) {
    throw new Error(`${dir}: vocab.txt has ${tokenizer.vocab.length} tokens, but config.json says 'vocab_size' ${read.vocabSize}`);
  }
  const config = tokenizer ? { ...read, special: tokenizer.special } : read;
  const { tensors } = decodeSafetensors(readFileSync(join(dir, 'model.safetensors')));
  const entries = storedShapes(described).map(([path, shape]): [string, Tensor] => {
    const name = huggingFaceName(path, task);
    const stored = tensors.get(name);
    if (stored === undefined) throw new Error(`${dir}: model.safetensors lacks '${name}', which config.json implies`);
    const expected = isTransposed(path) ? [...shape].reverse() : shape;
    if (!sameShape(stored.shape, expected)) {
      throw new Error(`${dir}: '${name}' has shape ${show(stored.shape)}, but config.json implies ${show(expected)}`);
    }
    const values = stored.data as ArrayLike<number>;
    return [path, tensor(isTransposed(path) ? turned(values, expected) : values, shape)];
  });
  return { config, params: unflatten(entries) as ModelParams, tokenizer, ...(task && { task }), ...(labels && { labels }) };
};
