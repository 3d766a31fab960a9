/**
 * A fine-tuning as a whole: every seed of the encoder that was pre-trained, and, if it is asked for, of one from chance; the
 * best by the dev rows is saved as soon as it is known; then the baselines, the table and a few predictions in words.
 */
import { join } from 'node:path';
import type { ElectraConfig, Epoch, Judgement, TunedModel } from '../../lib/index.ts';
import { baselinesOf, completed, finetuneTask, judge } from '../../lib/index.ts';
import { saveModel, UserError, writeFileAtomic } from '../../lib/node.ts';
import { readFineTuned, renderFineTuned } from '../report/finetuned.ts';
import type { Console } from './console.ts';
import type { Data, Tunable } from './data.ts';
import { countUnlabelled } from './data.ts';
import type { Options } from './options.ts';
import type { Contender, Result } from './results.ts';
import { measure, predictionLines, sampleLines, tableOf } from './results.ts';
import type { Starts } from './start.ts';

/** One trained model with what it says of the rows. */
interface Tried {
  readonly seed: number;
  readonly tuned: TunedModel;
  readonly dev: Judgement<Tunable>[];
  readonly test: Judgement<Tunable>[];
}

/** How a task is learned: as the options say, else as the task does, else as published. Throws a UserError on options that cannot be followed. */
export const settingsOf = (
  { epochs, batch: batchSize, seq: sequenceLength, lr: learningRate, layerDecay, standardise, pooling, topLayer, dropout, patience, head, freeze }: Options,
  { recipe, task }: Data['declaration'],
  config: ElectraConfig,
) => {
  if (sequenceLength !== undefined && sequenceLength > config.maxPositions) throw new UserError(`--seq: the model has ${config.maxPositions} positions, got ${sequenceLength}`);
  if (pooling !== undefined && task === 'tagging') throw new UserError(`--pooling ${pooling}: tags are read of each token, not of a text; leave it out`);
  if (pooling !== undefined && pooling !== 'cls' && head === 'huggingface') throw new UserError(`--pooling ${pooling}: HuggingFace's head reads [CLS]; leave one of the two out`);
  const asked = Object.fromEntries(Object.entries({ epochs, batchSize, sequenceLength, learningRate, layerDecay, dropout, standardise, pooling }).filter(([, value]) => value !== undefined));
  return { ...completed({ ...recipe, ...asked }, config, task), topLayer, head, freeze, ...(patience !== undefined && { patience }) };
};

export interface Plan {
  readonly path: string;
  readonly options: Options;
  readonly settings: ReturnType<typeof settingsOf>;
  readonly data: Data;
  readonly start: Starts;
  readonly view: Console;
  readonly folder: string;
}

/** Fine-tunes, measures, and writes all into `folder`. */
export const tune = async ({ path, options, settings, data, start, view, folder }: Plan): Promise<void> => {
  const { declaration, train, dev, test } = data;
  const begun = performance.now();
  const unlabelled = countUnlabelled(test ?? []);
  const use = unlabelled === 0 ? 'to test on' : `that are only predicted, since ${unlabelled.toLocaleString('en')} of them have no label`;
  view.say(`${train.length.toLocaleString('en')} rows to learn from, ${dev.length.toLocaleString('en')} to decide by${test ? `, ${test.length.toLocaleString('en')} ${use}` : ''}`);

  const splits = [['dev', dev] as const, ...(test && unlabelled === 0 ? [['test', test] as const] : [])];
  const results: Result[] = [];
  const contend = async (name: string, guess: (split: 'dev' | 'test', rows: readonly Tunable[]) => Promise<Contender['guesses']>) => {
    for (const [split, rows] of splits) results.push(...measure(data, split, rows, { name, guesses: await guess(split, rows) }));
  };

  /** All seeds of one contender, as far as nobody interrupts. */
  const tryAll = async (name: string, from: (seed: number) => typeof start.trained, more: Partial<typeof settings> = {}): Promise<Tried[]> => {
    const tried: Tried[] = [];
    for (let seed = options.seed; seed < options.seed + options.seeds && (seed === options.seed || !view.interrupted()); seed++) {
      const watch = view.run(options.seeds === 1 ? name : `${name}, seed ${seed}`, declaration.metrics[0].name);
      const tuned = await finetuneTask(from(seed), declaration, data, { ...settings, ...more, seed }, watch);
      const said = (rows: readonly Tunable[]) => judge(tuned.model, rows);
      tried.push({ seed, tuned, dev: await said(dev), test: test ? await said(test) : [] });
    }
    if (tried.length > 0) await contend(name, async (split) => tried.map((one) => one[split]));
    return tried;
  };

  const tried = await tryAll('pre-trained', () => start.trained);
  const best = tried.reduce((a, b) => (b.tuned.best.score > a.tuned.best.score ? b : a));
  await saveModel(join(folder, 'model'), best.tuned.model);
  writeFileAtomic(join(folder, 'predictions.jsonl'), predictionLines(dev, best.dev));
  if (test) writeFileAtomic(join(folder, 'predictions-test.jsonl'), predictionLines(test, best.test));

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
  writeFileAtomic(join(folder, 'report.html'), renderFineTuned(readFineTuned(folder)));
  tableOf(results, data).forEach((line) => view.say(line));
  view.say(`\n95 % intervals in brackets; ${options.seeds > 1 ? `± between ${tried.length} seeds; ` : ''}the model kept is that of ${options.seeds > 1 ? `seed ${best.seed}, ` : ''}epoch ${Number(best.tuned.best.epoch.toFixed(2))}, the best by the dev rows`);
  sampleLines(dev, best.dev).forEach((line) => view.say(line));
  view.say(`\n${folder}: model, predictions.jsonl, results.json, report.html`);
};

