/**
 * Fine-tunes a pre-trained ELECTRA on a task, and says what it is worth beside baselines.
 *
 *     npx tsx examples/finetune.ts runs/1 --train train.csv --dev dev.csv --text message --label kind
 *     npx tsx examples/finetune.ts runs/1 --task mrpc --data glue/MRPC --seeds 5 --from-scratch
 *     npx tsx examples/finetune.ts runs/1 --train train.conllu.gz --dev dev.conllu --tags --word FORM --tag UPOS
 *
 * The folder that it writes holds `model/`, which predicts (examples/predict.ts), `predictions.jsonl` of the dev rows (and
 * `predictions-test.jsonl`), `results.json`, and `report.html`. An interrupted fine-tuning measures and saves what it has;
 * one that is killed leaves no half of a file.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Epoch, Judgement, Predicted, TunedModel } from '../lib/index.ts';
import { baselinesOf, completed, finetuneTask, judge, useDevice } from '../lib/index.ts';
import { openRun, saveModel, UserError, writeFileAtomic } from '../lib/node.ts';
import type { Console } from './finetune/console.ts';
import { openConsole } from './finetune/console.ts';
import type { Data, Tunable } from './finetune/data.ts';
import { isLabelled, readData } from './finetune/data.ts';
import type { Options } from './finetune/options.ts';
import { finetuneCommand } from './finetune/options.ts';
import type { Contender, Result } from './finetune/results.ts';
import { measure, predictionLines, tableOf } from './finetune/results.ts';
import { openStart } from './finetune/start.ts';
import { endClearly } from './models/program.ts';

/** The first of runs/finetune-1, -2, … that does not exist. */
const freshFolder = (): string => {
  let n = 1;
  while (existsSync(`runs/finetune-${n}`)) n++;
  return `runs/finetune-${n}`;
};

/** One trained model with what it says of the rows. */
interface Tried {
  readonly seed: number;
  readonly tuned: TunedModel;
  readonly dev: Judgement<Tunable>[];
  readonly test: Judgement<Tunable>[];
}

const predictionsOf = (judgements: readonly Judgement<Tunable>[]): Predicted<Tunable>[] => judgements.map(({ predicted }) => predicted);

const finetune = async (path: string, options: Options): Promise<void> => {
  const { description } = await useDevice(options.device);
  const view = openConsole(options.quiet);
  const data = readData(options);
  const start = openStart(path);
  const run = openRun(options.out ?? freshFolder());
  try {
    view.say(description);
    await tune({ path, options, data, start, view, folder: run.folder });
  } finally {
    run.close();
    view.close();
  }
};

interface Plan {
  readonly path: string;
  readonly options: Options;
  readonly data: Data;
  readonly start: ReturnType<typeof openStart>;
  readonly view: Console;
  readonly folder: string;
}

const tune = async ({ path, options, data, start, view, folder }: Plan): Promise<void> => {
  const { declaration, train, dev, test } = data;
  const { epochs, batch: batchSize, seq: sequenceLength, lr: learningRate, layerDecay, topLayer, dropout, patience, head, freeze } = options;
  const asked = Object.fromEntries(Object.entries({ epochs, batchSize, sequenceLength, learningRate, layerDecay }).filter(([, value]) => value !== undefined));
  const { maxPositions } = start.trained.config;
  if (sequenceLength !== undefined && sequenceLength > maxPositions) throw new UserError(`--seq: the model has ${maxPositions} positions, got ${sequenceLength}`);
  const recipe = completed({ ...declaration.recipe, ...asked }, start.trained.config);
  const settings = { ...recipe, topLayer, dropout, patience, head, freeze };
  const begun = performance.now();
  view.say(`${train.length.toLocaleString('en')} rows to learn from, ${dev.length.toLocaleString('en')} to decide by${test ? `, ${test.length.toLocaleString('en')} to test on` : ''}`);

  const splits = [['dev', dev] as const, ...(test && isLabelled(test) ? [['test', test] as const] : [])];
  const results: Result[] = [];
  const contend = async (name: string, predict: (split: 'dev' | 'test', rows: readonly Tunable[]) => Promise<Contender['predictions']>) => {
    for (const [split, rows] of splits) results.push(...measure(data, split, rows, { name, predictions: await predict(split, rows) }));
  };

  /** All seeds of one contender, as far as nobody interrupts. */
  const tryAll = async (name: string, from: (seed: number) => typeof start.trained, more: Partial<typeof settings> = {}): Promise<Tried[]> => {
    const tried: Tried[] = [];
    for (let seed = options.seed; seed < options.seed + options.seeds && (seed === options.seed || !view.interrupted()); seed++) {
      const watch = view.run(options.seeds === 1 ? name : `${name}, seed ${seed}`, declaration.metrics[0].name);
      const tuned = await finetuneTask(from(seed), declaration, data, { ...settings, ...more, seed }, watch);
      const said = (rows: readonly Tunable[]) => judge(tuned.model, rows, recipe.sequenceLength);
      tried.push({ seed, tuned, dev: await said(dev), test: test ? await said(test) : [] });
    }
    if (tried.length > 0) await contend(name, async (split) => tried.map((one) => predictionsOf(one[split])));
    return tried;
  };

  const tried = await tryAll('pre-trained', () => start.trained);
  const best = tried.reduce((a, b) => (b.tuned.best.score > a.tuned.best.score ? b : a));
  const save = async () => {
    await saveModel(join(folder, 'model'), best.tuned.model);
    writeFileAtomic(join(folder, 'predictions.jsonl'), predictionLines(dev, best.dev));
    if (test) writeFileAtomic(join(folder, 'predictions-test.jsonl'), predictionLines(test, best.test));
  };
  await save();

  // From chance every layer has as much to learn: slower ones would only hold it back.
  const scratch = options.fromScratch && !view.interrupted() ? await tryAll('from scratch', start.fresh, { layerDecay: 1 }) : [];
  if (options.baselines && !view.interrupted()) {
    for (const { name, predict } of await baselinesOf([0, options.seed], declaration, train)) await contend(name, async (_, rows) => [await predict(rows)]);
  }

  const historyOf = (all: readonly Tried[]): { seed: number; epochs: readonly Epoch[] }[] => all.map(({ seed, tuned }) => ({ seed, epochs: tuned.epochs }));
  const found = {
    task: declaration.name,
    kind: declaration.task,
    labels: best.tuned.model.labels,
    model: path,
    settings,
    rows: { train: train.length, dev: dev.length, ...(test && { test: test.length }) },
    kept: { seed: best.seed, epoch: best.tuned.best.epoch },
    interrupted: view.interrupted(),
    seconds: (performance.now() - begun) / 1000,
    results,
    histories: { trained: historyOf(tried), scratch: historyOf(scratch) },
  };
  writeFileAtomic(join(folder, 'results.json'), `${JSON.stringify(found, null, 1)}\n`);
  tableOf(results, data).forEach((line) => view.say(line));
  view.say(`\n95 % intervals in brackets; ${options.seeds > 1 ? `± between ${tried.length} seeds; ` : ''}the model kept is that of ${options.seeds > 1 ? `seed ${best.seed}, ` : ''}epoch ${Number(best.tuned.best.epoch.toFixed(2))}, the best by the dev rows`);
  view.say(`${folder}: model, predictions.jsonl, results.json`);
};

await endClearly(finetuneCommand().action(finetune));
