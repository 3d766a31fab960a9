/**
 * Sentence vectors: a text as one vector, from any encoder, pre-trained or fine-tuned, in use as in predict.ts.
 *
 *     for await (const { row, vector } of embedder(model)([{ text: 'One.' }, { text: 'Two.' }])) …
 */
import type { Pooling } from '../electra/config.ts';
import { withoutDropout } from '../electra/config.ts';
import { encodedText } from '../electra/heads.ts';
import { key } from '../key.ts';
import { encodeTexts } from './encode.ts';
import type { Prediction, Streaming, Text, TrainedModel } from './predict.ts';
import { streaming } from './predict.ts';

export interface Embedded<Row> {
  readonly row: Row;
  /** As many numbers as the encoder is wide, or as all its layers are and its input. */
  readonly vector: Float32Array | Float64Array;
}

/**
 * The vector of each text or pair, from a discriminator or a fine-tuned network: the last hidden states' mean over its
 * tokens, [CLS] and [SEP] included, or that of [CLS], or the means of all layers. Vectors of a network that was never trained
 * to compare texts are a start, not more: their cosines are all high, and only their order says something.
 */
export const embedder = <Row extends Text>(
  model: TrainedModel,
  { pooling = 'mean', ...options }: Prediction & { readonly pooling?: Pooling } = {},
): Streaming<Row, Embedded<Row>> => {
  const { embeddings, discriminator } = model.params;
  if (!discriminator)
    throw new Error('embedder: expected a discriminator or a fine-tuned network, but this model has neither');
  const config = { ...withoutDropout(model.config), pooling };
  return streaming(
    model,
    {
      encode: encodeTexts,
      run: (batch) => encodedText(key(0), { embeddings, discriminator }, batch, config),
      result: (row: Row, [{ values }]) => ({ row, vector: values.slice() }),
    },
    options,
  );
};
