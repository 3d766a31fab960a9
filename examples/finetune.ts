/**
 * Fine-tunes a pre-trained ELECTRA on a task, and says what it is worth beside baselines.
 *
 *     npm run finetune          # parts of speech in the Brown corpus, with the newest model that npm start made
 *     npx tsx examples/finetune.ts runs/1 --train train.csv --dev dev.csv --text message --label kind
 *     npx tsx examples/finetune.ts runs/1 --task mrpc --data glue/MRPC --seeds 5 --from-scratch
 *     npx tsx examples/finetune.ts runs/1 --train train.conllu.gz --dev dev.conllu --tags --word FORM --tag UPOS
 *
 * The folder that it writes holds `model/`, which predicts (examples/predict.ts), `predictions.jsonl` of the dev rows (and
 * `predictions-test.jsonl`), `results.json` and `report.html`. An interrupted fine-tuning measures and saves what it has; one that is
 * killed leaves no half of a file.
 */
import { existsSync } from 'node:fs';
import { useDevice } from '../lib/index.ts';
import { openRun } from '../lib/node.ts';
import { openConsole } from './finetune/console.ts';
import { readData } from './finetune/data.ts';
import type { Options } from './finetune/options.ts';
import { finetuneCommand } from './finetune/options.ts';
import { settingsOf, tune } from './finetune/run.ts';
import { newestModel, openStart, pretrainBriefly } from './finetune/start.ts';
import { endClearly } from './models/program.ts';

/** The first of runs/finetune-1, -2, … that does not exist. */
const freshFolder = (): string => {
  let n = 1;
  while (existsSync(`runs/finetune-${n}`)) n++;
  return `runs/finetune-${n}`;
};

const finetune = async (model: string | undefined, options: Options): Promise<void> => {
  const data = readData(options);
  const path = model ?? newestModel() ?? (await pretrainBriefly(options));
  const { description } = await useDevice(options.device);
  const view = openConsole(options.quiet);
  const start = openStart(path);
  const settings = settingsOf(options, data.declaration, start.trained.config);
  const run = openRun(options.out ?? freshFolder());
  try {
    view.say(`${description}\n${path}: ${data.declaration.about}`);
    await tune({ path, options, settings, data, start, view, folder: run.folder });
  } finally {
    run.close();
    view.close();
  }
};

await endClearly(finetuneCommand().action(finetune));
