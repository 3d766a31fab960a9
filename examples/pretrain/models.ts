/** The two model folders that a training run ends with. */
import type { ElectraConfig, State } from '../../lib/index.ts';
import type { Run } from '../../lib/node.ts';
import { saveModel } from '../../lib/node.ts';
import type { Text } from './prepare.ts';

/** Writes the two model folders. */
export const saveModels = async (
  run: Pick<Run, 'discriminator' | 'generator'>,
  config: ElectraConfig,
  { params: { embeddings, discriminator, generator } }: State,
  { tokenizer }: Pick<Text, 'tokenizer'>,
): Promise<void> => {
  await saveModel(run.discriminator, { config, tokenizer, params: { embeddings, discriminator } });
  // Under tying 'all' the generator has no encoder of its own: its folder gets the shared one.
  const { encoder, projection } = discriminator;
  const whole = generator.encoder ? generator : { ...generator, encoder, ...(projection && { projection }) };
  const { embeddings: own = embeddings, ...rest } = whole;
  await saveModel(run.generator, { config, tokenizer, params: { embeddings: own, generator: rest } });
};
