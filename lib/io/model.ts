/**
 * Model folders in HuggingFace's layout: `config.json`, `model.safetensors` and the tokenizer's files (tokenizer.ts). A
 * folder holds one network with its own copy of the embeddings: a discriminator, a generator, or an encoder fine-tuned for
 * a task (architecture.ts); which one, and whose head, is said by what the parameters contain. Tensors are contiguous, named
 * and turned as their own save writes them.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ElectraConfig } from '../electra/config.ts';
import type { Task, TaskParams } from '../electra/heads.ts';
import type { Params } from '../electra/params.ts';
import type { SpanParams } from '../electra/spans.ts';
import { spanOptionsOf } from '../electra/spans.ts';
import type { Shape } from '../shape.ts';
import { sameShape, show, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { tensor } from '../tensor.ts';
import type { WordPiece } from '../text/wordpiece.ts';
import { leaves, paths, unflatten } from '../tree.ts';
import type { Described } from './architecture.ts';
import { huggingFaceConfig, namedFor, parseHuggingFaceConfig, storedShapes, taskOf, unnamedLabels } from './architecture.ts';
import { writeFolderAtomic } from './atomic.ts';
import { readJson, toJson } from './json.ts';
import { huggingFaceName, isTransposed } from './names.ts';
import { reconcile } from './reconcile.ts';
import type { SafeTensor } from './safetensors.ts';
import { encodeSafetensors } from './safetensors.ts';
import { loadTokenizer, sequenceLengthOf, tokenizerFiles } from './tokenizer.ts';
import { readWeights } from './weights.ts';

/** The parameters of one network, as a model folder holds them. */
export type ModelParams = Pick<Params, 'embeddings' | 'discriminator'> | Pick<Params, 'embeddings' | 'generator'> | TaskParams | SpanParams;

export interface Model {
  readonly config: ElectraConfig;
  readonly params: ModelParams;
  readonly tokenizer?: WordPiece;
  /** Tokens of a text that are read at most, if fewer than there are positions; kept with the tokenizer, as HuggingFace does. */
  readonly sequenceLength?: number;
  /** What a fine-tuned network does. */
  readonly task?: Task;
  /** The names of its classes or tags, one for each output; LABEL_0, LABEL_1, … where nobody named them. */
  readonly labels?: readonly string[];
}

/** What a model is, from what its parameters contain. */
const describe = ({ config, params, task, labels }: Model): Described => {
  if (!('task' in params)) return { config, architecture: 'discriminator' in params ? 'discriminator' : 'generator' };
  if (task === undefined) throw new Error("saveModel: expected a task beside fine-tuned parameters: 'classification', 'tagging' or 'answering'");
  const head = params.task;
  if (task === 'answering') return { config, architecture: task, ...('start' in head && { spans: spanOptionsOf(head) }) };
  const [outputs] = 'start' in head ? [2] : head.output.bias.shape;
  if (labels !== undefined && labels.length !== outputs) throw new Error(`saveModel: expected ${outputs} labels, one for each output, got ${labels.length}`);
  const published = task === 'classification' && !('dense' in head);
  return { config, architecture: task, ...(published && { published }), labels: labels ?? unnamedLabels(outputs) };
};

/** A matrix with rows and columns exchanged, on the host; written to `result`. */
const turned = (values: ArrayLike<number>, [rows, columns]: Shape, result = new Float32Array(values.length)): Float32Array => {
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c];
  return result;
};

/**
 * Writes a model folder, whole or not at all; one that is there is replaced.
 *
 * Throws when the parameters lack one that the network uses (under tying 'all', the generator's encoder is the
 * discriminator's), and when fine-tuned ones come without a task, or with another number of labels than they have outputs;
 * or when `sequenceLength` is more than there are positions.
 */
export const saveModel = async (dir: string, model: Model): Promise<void> => {
  const { config, params, tokenizer, sequenceLength = config.maxPositions } = model;
  if (sequenceLength > config.maxPositions) throw new Error(`saveModel: expected a sequenceLength of at most the model's ${config.maxPositions} positions, got ${sequenceLength}`);
  const described = describe(model);
  const names = paths(params);
  const missing = storedShapes(described).find(([path]) => !names.includes(path));
  if (missing !== undefined) throw new Error(`saveModel: expected the parameter '${missing[0]}', which the ${described.architecture} uses`);
  const tensors = new Map<string, SafeTensor>();
  for (const [i, x] of leaves(params).entries()) {
    const values = await x.data();
    const turn = isTransposed(names[i]);
    tensors.set(huggingFaceName(names[i], namedFor(described)), {
      dtype: 'F32',
      shape: turn ? [...x.shape].reverse() : [...x.shape],
      data: turn ? turned(values, x.shape) : Float32Array.from(values),
    });
  }
  writeFolderAtomic(dir, {
    'model.safetensors': encodeSafetensors(tensors, { format: 'pt' }),
    'config.json': toJson(huggingFaceConfig(described)),
    ...(tokenizer && tokenizerFiles(tokenizer, sequenceLength)),
  });
};

/** Says of which folder an error is. */
const inFolder = <T>(dir: string, action: () => T): T => {
  try {
    return action();
  } catch (cause) {
    throw new Error(`${dir}: ${(cause as Error).message}`, { cause });
  }
};

/** The parameters that are described, from tensors of their names and shapes and no others. */
const parametersOf = (described: Described, tensors: ReadonlyMap<string, SafeTensor>): ModelParams => {
  const task = namedFor(described);
  const stray = new Set(tensors.keys());
  // A tensor copies what it is given, so one piece of memory serves to turn all matrices.
  const shapes = storedShapes(described);
  const scratch = new Float32Array(Math.max(0, ...shapes.filter(([path]) => isTransposed(path)).map(([, shape]) => sizeOf(shape))));
  const entries = shapes.map(([path, shape]): [string, Tensor] => {
    const name = huggingFaceName(path, task);
    const stored = tensors.get(name);
    stray.delete(name);
    if (stored === undefined) throw new Error(`it lacks '${name}', which config.json implies`);
    const expected = isTransposed(path) ? [...shape].reverse() : shape;
    if (!sameShape(stored.shape, expected)) throw new Error(`'${name}' has shape ${show(stored.shape)}, but config.json implies ${show(expected)}`);
    if (stored.dtype !== 'F32' && stored.dtype !== 'F64') throw new Error(`'${name}' has dtype ${stored.dtype}, expected F32, F64, F16 or BF16`);
    const values = stored.data as ArrayLike<number>;
    return [path, tensor(isTransposed(path) ? turned(values, expected, scratch.subarray(0, values.length)) : values, shape)];
  });
  const [name] = stray;
  if (name !== undefined) throw new Error(`it holds '${name}', which config.json does not imply; is it the folder of another model class?`);
  return unflatten(entries) as ModelParams;
};

/**
 * Reads a model folder, whichever way its weights are stored (weights.ts). What published folders hold too much, or leave
 * out, is made good (reconcile.ts).
 *
 * Throws when a tensor that the configuration implies is missing, has another shape or is not implied, naming it, and when
 * there are more words than the model has embeddings.
 */
export const loadModel = (dir: string): Model => {
  const path = join(dir, 'config.json');
  if (!existsSync(path)) throw new Error(`${dir}: expected a model folder with config.json and model.safetensors (or other weights)`);
  const theirs = readJson(path);
  const parsed = parseHuggingFaceConfig(theirs, path);
  const tokenizer = inFolder(dir, () => loadTokenizer(dir));
  if (tokenizer && tokenizer.vocab.length > parsed.config.vocabSize) {
    throw new Error(`${dir}: the tokenizer has ${tokenizer.vocab.length} tokens, but config.json says 'vocab_size' ${parsed.config.vocabSize}`);
  }
  const sequenceLength = sequenceLengthOf(dir, parsed.config.maxPositions);
  const weights = readWeights(dir);
  return inFolder(dir, () => {
    const { described, tensors } = reconcile(parsed, weights, theirs.tie_word_embeddings !== false);
    const { config: read, architecture, labels } = described;
    const params = parametersOf(described, tensors);
    const config = tokenizer ? { ...read, special: tokenizer.special } : read;
    const task = taskOf(architecture);
    return { config, params, tokenizer, ...(sequenceLength && { sequenceLength }), ...(task && { task }), ...(labels && { labels }) };
  });
};
