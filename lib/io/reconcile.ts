/**
 * What published model folders hold beside, or instead of, what their configuration implies, and what is right then:
 *
 * - the projection from embeddings to hidden states where both have one width (official base and large): it is not used;
 * - `position_ids`, a constant that older versions stored: it is not used;
 * - the generator's output matrix, which is the word table: one copy may be missing, whichever;
 * - another feed-forward width in the configuration than in the tensors (some generators): the tensors are right.
 *
 * Source: huggingface/transformers, issue 7530 and pull request 22437; google-research/electra, issue 94.
 */
import { sameShape, show } from '../shape.ts';
import type { Described } from './architecture.ts';
import type { SafeTensor } from './safetensors.ts';

const WORDS = 'electra.embeddings.word_embeddings.weight';
const OUTPUT = 'generator_lm_head.weight';
const INNER = 'electra.encoder.layer.0.intermediate.dense.bias';

/**
 * The description and the tensors of a folder without these differences. The rest must be as described.
 *
 * Throws when sizes contradict each other, or when the output matrix is explicitly another one than the word table.
 */
export const reconcile = (described: Described, tensors: ReadonlyMap<string, SafeTensor>, tied: boolean): { described: Described; tensors: Map<string, SafeTensor> } => {
  const { config, architecture } = described;
  const network = architecture === 'generator' ? 'generator' : 'discriminator';
  const { hiddenSize, heads, layers, feedForwardSize } = config[network];
  if (!(layers <= tensors.size)) throw new Error(`config.json says ${layers} layers, but there are only ${tensors.size} tensors`);
  if (hiddenSize % heads !== 0) throw new Error(`config.json says ${heads} heads, which do not divide 'hidden_size' ${hiddenSize}`);

  const kept = new Map(tensors);
  kept.delete('electra.embeddings.position_ids');
  if (config.embeddingSize === hiddenSize) {
    kept.delete('electra.embeddings_project.weight');
    kept.delete('electra.embeddings_project.bias');
  }
  const output = kept.get(OUTPUT);
  if (output && architecture === 'generator') {
    const words = kept.get(WORDS) ?? output;
    if (!tied) throw new Error(`config.json says 'tie_word_embeddings' false: an output matrix of its own is no ELECTRA; tie it, or leave it out`);
    if (!sameShape(output.shape, words.shape)) throw new Error(`'${OUTPUT}' has shape ${show(output.shape)}, but is tied to the word table of ${show(words.shape)}`);
    kept.set(WORDS, words);
    kept.delete(OUTPUT);
  }
  const [width = feedForwardSize] = kept.get(INNER)?.shape ?? [];
  return { described: { ...described, config: { ...config, [network]: { ...config[network], feedForwardSize: width } } }, tensors: kept };
};
