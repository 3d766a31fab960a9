/**
 * Writes a model as HuggingFace keeps them today: config.json, model.safetensors and the tokenizer's files. The source is a
 * model folder with its weights in any form that can be read (pytorch_model.bin, several files, half precision …), or the
 * folder of a run, whose newest whole checkpoint becomes two models, OUT/discriminator and OUT/generator.
 *
 *     npx tsx examples/convert.ts electra-small-discriminator converted
 *     npx tsx examples/convert.ts runs/1 models
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { State } from '../lib/index.ts';
import { leaves, useDevice, WordPiece } from '../lib/index.ts';
import { checkpointSteps, latestCheckpoint, saveModel, UserError } from '../lib/node.ts';
import { kindOf, readModel } from './models/open.ts';
import { endClearly } from './models/program.ts';
import { saveModels } from './pretrain/models.ts';
import type { Remembered } from './pretrain/resume.ts';

const warn = (message: string) => console.error(`warning: ${message}`);

const wrote = (dir: string): void => console.log(`wrote ${dir}: ${readdirSync(dir).sort().join(', ')}`);

const convertModel = async (source: string, out: string): Promise<void> => {
  const model = readModel(source);
  const { params, tokenizer } = model;
  const count = leaves(params).reduce((sum, { size }) => sum + size, 0);
  const words = tokenizer ? `${tokenizer.vocab.length.toLocaleString('en')} tokens` : 'no tokenizer';
  console.log(`read ${source}: ${kindOf(model)}, ${count.toLocaleString('en')} parameters, ${words}`);
  await saveModel(out, model);
  wrote(out);
};

const convertRun = async (source: string, out: string): Promise<void> => {
  const checkpoint = latestCheckpoint<State>(join(source, 'checkpoints'), warn);
  const { settings, tokenizer: remembered } = checkpoint.info as Partial<Remembered>;
  if (settings === undefined || remembered === undefined) {
    throw new UserError(
      `${source}: the checkpoint of step ${checkpoint.step} is not one of examples/pretrain.ts, for it holds no settings`,
    );
  }
  const tokenizer = new WordPiece(remembered.vocab, remembered.options);
  const state = checkpoint.state();
  // The run's own sizes; of the vocabulary, what was asked for may be more than what was learned.
  const [vocabSize] = state.params.embeddings.word.shape;
  const config = { ...settings.config, vocabSize, special: tokenizer.special };
  console.log(`read ${source}: the checkpoint of step ${checkpoint.step}`);
  const folders = { discriminator: join(out, 'discriminator'), generator: join(out, 'generator') };
  await saveModels(folders, config, state, { tokenizer });
  Object.values(folders).forEach(wrote);
};

const convert = async (source: string, out: string): Promise<void> => {
  if (existsSync(out) && !(statSync(out).isDirectory() && readdirSync(out).length === 0)) {
    throw new UserError(`${out} is there already; choose a new folder`);
  }
  // Nothing is computed, so the device is the one whose memory is the host's.
  await useDevice('cpu');
  await (checkpointSteps(join(source, 'checkpoints')).length > 0 ? convertRun : convertModel)(source, out);
};

await endClearly(
  new Command('convert')
    .description(
      'Writes a model, or the newest checkpoint of a run, as HuggingFace keeps models: config.json, model.safetensors and the tokenizer.',
    )
    .argument('<source>', 'a model folder, or that of a run')
    .argument('<out>', 'a new folder')
    .action(convert),
);
