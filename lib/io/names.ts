/**
 * HuggingFace's names for our parameters. A path of ours becomes theirs by rewriting its parts from left to right; a
 * kernel, which we keep as [in, out], is PyTorch's weight, kept as [out, in].
 */
import type { Task } from '../electra/heads.ts';

const EMBEDDINGS: [RegExp, string][] = [
  [/^(?:generator\.)?embeddings\.(word|position)$/, 'electra.embeddings.$1_embeddings.weight'],
  [/^(?:generator\.)?embeddings\.type$/, 'electra.embeddings.token_type_embeddings.weight'],
  [/^(?:generator\.)?embeddings\.norm/, 'electra.embeddings.LayerNorm'],
];

const HEADS: [RegExp, string][] = [
  [/^generator\.head\.bias$/, 'generator_lm_head.bias'],
  [/^generator\.head\.(dense|norm)/, 'generator_predictions.$1'],
  [/^discriminator\.head\.dense/, 'discriminator_predictions.dense'],
  [/^discriminator\.head\.output/, 'discriminator_predictions.dense_prediction'],
];

/** What the last layer of a fine-tuned network is called, by its task. */
const OUTPUTS: Record<Task, string> = { classification: 'classifier.out_proj', tagging: 'classifier', answering: 'qa_outputs' };

const taskHead = (task: Task): [RegExp, string][] => [
  [/^task\.dense/, 'classifier.dense'],
  [/^task\.output/, OUTPUTS[task]],
];

const ENCODER: [RegExp, string][] = [
  [/^(?:generator|discriminator)\.projection/, 'electra.embeddings_project'],
  [/^(?:generator|discriminator)\.encoder\.(\d+)/, 'electra.encoder.layer.$1'],
  [/\.attention\.(query|key|value)/, '.attention.self.$1'],
  [/\.attention\.output/, '.attention.output.dense'],
  [/\.attention\.norm/, '.attention.output.LayerNorm'],
  [/\.feedForward\.inner/, '.intermediate.dense'],
  [/\.feedForward\.outer/, '.output.dense'],
  [/\.feedForward\.norm/, '.output.LayerNorm'],
];

const LEAVES: [RegExp, string][] = [
  [/\.norm\./, '.LayerNorm.'],
  [/\.(kernel|gain)$/, '.weight'],
];

/** Whether a parameter is stored transposed there. */
export const isTransposed = (path: string): boolean => path.endsWith('.kernel');

/**
 * `discriminator.encoder.0.attention.query.kernel` → `electra.encoder.layer.0.attention.self.query.weight`; the names of a
 * fine-tuned network's head depend on its task.
 */
export const huggingFaceName = (path: string, task?: Task): string =>
  [...EMBEDDINGS, ...HEADS, ...(task === undefined ? [] : taskHead(task)), ...ENCODER, ...LEAVES].reduce((name, [from, to]) => name.replace(from, to), path);
