/**
 * What a model folder of HuggingFace's says about the network in it, `config.json`, and what parameters follow from that.
 * A folder holds one network of one architecture, with a copy of all that it uses: a discriminator, a generator, or an
 * encoder fine-tuned for a task.
 *
 * HuggingFace has no class for Google's heads for classes and answers. A folder with one of them has our own `model_type`, so
 * that no other program takes it for what it is not, and the head's tensors are called as in this library: `task.output.weight`.
 * The encoder's names are theirs, so that an encoder can still be had from it.
 */
import type { ElectraConfig, Pooling } from '../electra/config.ts';
import { configs, poolings } from '../electra/config.ts';
import type { Task } from '../electra/heads.ts';
import { generatorWidth, paramShapes, spanShapes, taskShapes } from '../electra/shapes.ts';
import type { SpanOptions } from '../electra/spans.ts';
import type { EncoderSize } from '../nn/encoder.ts';
import type { Shape } from '../shape.ts';

export type Architecture = 'discriminator' | 'generator' | Task;

/** Theirs for ours. */
const CLASSES: Record<Architecture, string> = {
  discriminator: 'ElectraForPreTraining',
  generator: 'ElectraForMaskedLM',
  classification: 'ElectraForSequenceClassification',
  tagging: 'ElectraForTokenClassification',
  answering: 'ElectraForQuestionAnswering',
};

/** Ours, of Google's heads. (That for tags is HuggingFace's without dropout.) */
const PUBLISHED: Partial<Record<Architecture, string>> = { classification: 'AmberForSequenceClassification', answering: 'AmberForQuestionAnswering' };

/** `summary_type` for what a head for classes reads; the last is ours alone. */
const SUMMARIES: Record<Pooling, string> = { cls: 'first', mean: 'mean', layers: 'layers' };

/** What a folder's network is: its sizes, what it does, and the names of its classes or tags. */
export interface Described {
  readonly config: ElectraConfig;
  readonly architecture: Architecture;
  /** Google's head for classes. */
  readonly published?: boolean;
  /** Google's head for answers, and what it has. */
  readonly spans?: Required<SpanOptions>;
  /** Of classification and tagging: one for each output. */
  readonly labels?: readonly string[];
}

/** The task of an architecture that has one. */
export const taskOf = (architecture: Architecture): Task | undefined =>
  architecture === 'discriminator' || architecture === 'generator' ? undefined : architecture;

const isPublished = ({ published, spans }: Described): boolean => published === true || spans !== undefined;

/** By whose names the head's tensors go: the task's in HuggingFace's classes, else none, for our own. */
export const namedFor = (described: Described): Task | undefined => (isPublished(described) ? undefined : taskOf(described.architecture));

const networkOf = (architecture: Architecture) => (architecture === 'generator' ? 'generator' : 'discriminator');

/** The names of outputs that have none. */
export const unnamedLabels = (outputs: number): string[] => Array.from({ length: outputs }, (_, i) => `LABEL_${i}`);

/** Width of the embeddings in a folder. */
const widthOf = (config: ElectraConfig, architecture: Architecture): number =>
  architecture === 'generator' ? generatorWidth(config) : config.embeddingSize;

/** Path → shape of what a folder holds: a copy of all that the network uses, shared or not. */
export const storedShapes = ({ config, architecture, published, spans, labels }: Described): [string, Shape][] => {
  const task = taskOf(architecture);
  if (spans !== undefined) return Object.entries(spanShapes(config, spans));
  if (task !== undefined) return Object.entries(taskShapes(config, task, labels?.length ?? 2, published ? 'google' : 'huggingface'));
  const whole = paramShapes({ ...config, tying: 'embeddings', embeddingSize: widthOf(config, architecture) });
  return Object.entries(whole).filter(([path]) => path.startsWith('embeddings') || path.startsWith(architecture));
};

/** Theirs leave out what is as by default: two labels without names. */
const namesOf = (labels: readonly string[] | undefined) =>
  labels === undefined || String(labels) === String(unnamedLabels(2))
    ? {}
    : { id2label: { ...labels }, label2id: Object.fromEntries(labels.map((label, i) => [label, i])) };

/** `config.json` as HuggingFace's ElectraConfig writes it, or as like it as Google's heads allow. */
export const huggingFaceConfig = (described: Described): Record<string, unknown> => {
  const { config, architecture, spans, labels } = described;
  const { hiddenSize, layers, heads, feedForwardSize } = config[networkOf(architecture)];
  const { id2label, label2id } = namesOf(labels);
  return {
    architectures: [(isPublished(described) ? PUBLISHED : CLASSES)[architecture]],
    attention_probs_dropout_prob: config.attentionDropout,
    classifier_dropout: config.classifierDropout,
    embedding_size: widthOf(config, architecture),
    hidden_act: 'gelu',
    hidden_dropout_prob: config.dropout,
    hidden_size: hiddenSize,
    ...(id2label && { id2label }),
    initializer_range: 0.02,
    intermediate_size: feedForwardSize,
    ...(label2id && { label2id }),
    layer_norm_eps: config.layerNormEpsilon,
    max_position_embeddings: config.maxPositions,
    model_type: isPublished(described) ? 'amber-electra' : 'electra',
    num_attention_heads: heads,
    num_hidden_layers: layers,
    pad_token_id: config.special.pad,
    position_embedding_type: 'absolute',
    ...(spans && { span_head: { joint: spans.joint, no_answer: spans.noAnswer, width: spans.width } }),
    summary_activation: 'gelu',
    summary_last_dropout: config.classifierDropout,
    summary_type: described.published ? SUMMARIES[config.pooling] : SUMMARIES.cls,
    summary_use_proj: true,
    torch_dtype: 'float32',
    type_vocab_size: config.typeVocabSize,
    use_cache: true,
    vocab_size: config.vocabSize,
  };
};

/** The labels in `id2label`, in order; where there are none, as many as `num_labels` says, else two. */
const parseLabels = ({ id2label, num_labels: count }: Record<string, unknown>, path: string): readonly string[] => {
  if (id2label === undefined) return unnamedLabels(typeof count === 'number' ? count : 2);
  const names = typeof id2label === 'object' && id2label !== null ? (id2label as Record<string, unknown>) : {};
  const labels = Object.keys(names).map((_, i) => names[i]);
  if (labels.length === 0 || !labels.every((label) => typeof label === 'string')) {
    throw new Error(`${path}: expected a name for each of 0, 1, … at 'id2label', got ${JSON.stringify(id2label)}`);
  }
  return labels;
};

/** What Google's head for answers has, at `span_head`. */
const parseSpans = (theirs: unknown, path: string): Required<SpanOptions> => {
  const { joint, no_answer: noAnswer, width } = (theirs ?? {}) as Record<string, unknown>;
  if (typeof joint === 'boolean' && (noAnswer === 'starts' || noAnswer === 'cls' || noAnswer === false) && typeof width === 'number' && Number.isInteger(width)) {
    return { joint, noAnswer, width };
  }
  throw new Error(`${path}: expected joint, no_answer and width at 'span_head', got ${JSON.stringify(theirs)}`);
};

/** Our description from their `config.json` (`path` is for errors); sizes of a network that is not there are as in `configs.small`. */
export const parseHuggingFaceConfig = (theirs: Record<string, unknown>, path: string): Described => {
  const number = (key: string): number => {
    const value = theirs[key];
    if (typeof value !== 'number') throw new Error(`${path}: expected a number at '${key}', got ${JSON.stringify(value)}`);
    return value;
  };
  const whole = (key: string): number => {
    const value = number(key);
    if (!Number.isInteger(value) || value < 0) throw new Error(`${path}: expected a whole number at '${key}', got ${value}`);
    return value;
  };
  const name = (theirs.architectures as string[] | undefined)?.[0];
  const architecture = (Object.keys(CLASSES) as Architecture[]).find((ours) => CLASSES[ours] === name || PUBLISHED[ours] === name);
  if (architecture === undefined) {
    throw new Error(`${path}: expected one of the architectures ${[CLASSES, PUBLISHED].flatMap(Object.values).join(', ')}; got ${name}`);
  }
  if (theirs.hidden_act !== undefined && theirs.hidden_act !== 'gelu') {
    throw new Error(`${path}: expected 'gelu' at 'hidden_act', got ${JSON.stringify(theirs.hidden_act)}`);
  }
  if (theirs.position_embedding_type !== undefined && theirs.position_embedding_type !== 'absolute') {
    throw new Error(`${path}: expected 'absolute' at 'position_embedding_type', got ${JSON.stringify(theirs.position_embedding_type)}`);
  }
  const published = PUBLISHED[architecture] === name;
  const size: EncoderSize = {
    hiddenSize: whole('hidden_size'),
    layers: whole('num_hidden_layers'),
    heads: whole('num_attention_heads'),
    feedForwardSize: whole('intermediate_size'),
  };
  const config: ElectraConfig = {
    ...configs.small,
    vocabSize: whole('vocab_size'),
    embeddingSize: whole('embedding_size'),
    maxPositions: whole('max_position_embeddings'),
    typeVocabSize: whole('type_vocab_size'),
    special: { ...configs.small.special, pad: theirs.pad_token_id === undefined ? 0 : whole('pad_token_id') },
    layerNormEpsilon: number('layer_norm_eps'),
    dropout: number('hidden_dropout_prob'),
    attentionDropout: number('attention_probs_dropout_prob'),
    // Left open there, it is that of the hidden states.
    classifierDropout: number(typeof theirs.classifier_dropout === 'number' ? 'classifier_dropout' : 'hidden_dropout_prob'),
    pooling: (published && poolings.find((pooling) => SUMMARIES[pooling] === theirs.summary_type)) || 'cls',
    [networkOf(architecture)]: size,
  };
  const named = architecture === 'classification' || architecture === 'tagging';
  return {
    config,
    architecture,
    ...(published && (architecture === 'answering' ? { spans: parseSpans(theirs.span_head, path) } : { published })),
    ...(named && { labels: parseLabels(theirs, path) }),
  };
};
