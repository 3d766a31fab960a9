/**
 * Pre-trains an ELECTRA on text, from files to model folders, and shows on the way what it learns.
 *
 *     npm start                                        # a small one, on the State of the Union addresses
 *     npx tsx examples/pretrain.ts --corpus my/texts --config mini --out runs/mine
 *     npx tsx examples/pretrain.ts --resume runs/mine  # goes on where it stopped, however it did
 */
import type { DeviceName, ElectraConfig, State } from '../lib/index.ts';
import {
  accumulatedStep,
  batchAt,
  derive,
  DeviceError,
  initState,
  pretrainOptimiser,
  pretrainStep,
  tensor,
  useDevice,
  WordPiece,
} from '../lib/index.ts';
import type { Checkpoint, Run } from '../lib/node.ts';
import { checkpointSteps, latestCheckpoint, loadCheckpoint, openRun, pruneCheckpoints, readMetrics, saveCheckpoint, UserError, writeMetrics } from '../lib/node.ts';
import { dryRun } from './pretrain/cost.ts';
import type { Console } from './pretrain/console.ts';
import { openConsole } from './pretrain/console.ts';
import { loadStart, startState } from './pretrain/init.ts';
import type { Start } from './pretrain/init.ts';
import { openJournal } from './pretrain/journal.ts';
import { saveModels } from './pretrain/models.ts';
import { checkpointEvery, chooseConfig, evalEvery, freshFolder, namedConfig, parseOptions, warnings } from './pretrain/options.ts';
import type { Options } from './pretrain/options.ts';
import { bestOf, differences, machineOf, refuseOthers, settingsOf } from './pretrain/resume.ts';
import type { Remembered } from './pretrain/resume.ts';
import { toBatch } from './pretrain/prepare.ts';
import type { Text } from './pretrain/prepare.ts';
import { prepareText, readDocuments } from './pretrain/text.ts';

/**
 * Saves the last good checkpoint as the model, and says so: what is left to do when a loss is no number. The loss of a step
 * is that of the parameters before it, so the checkpoint just before it is not good either.
 */
const keepLastGood = async (run: Run, config: ElectraConfig, text: Text, step: number): Promise<never> => {
  const last = checkpointSteps(run.checkpoints).findLast((saved) => saved < step - 1);
  if (last === undefined) throw new UserError(`the loss of step ${step} is not finite; start a new run with a lower learning rate (--lr)`);
  await saveModels(run, config, loadCheckpoint<State>(`${run.checkpoints}/${last}`).state(), text);
  throw new UserError(`the loss of step ${step} is not finite; the models of step ${last} are kept; start a new run with a lower learning rate (--lr), from them with --init ${run.discriminator} ${run.generator}`);
};

/** All that a run is, once its settings are chosen and its text is read. */
interface Plan {
  readonly options: Options;
  readonly run: Run;
  readonly config: ElectraConfig;
  readonly text: Text;
  readonly start?: Start;
  /** Where it goes on, if it is no new one. */
  readonly from?: Checkpoint<State>;
  /** What every checkpoint remembers; metrics and time come to it. */
  readonly remembered: Pick<Remembered, 'settings' | 'options' | 'machine' | 'tokenizer'>;
}

const train = async ({ options, run, config, text, start, from, remembered }: Plan, view: Console): Promise<void> => {
  const { steps, batchSize, sequenceLength } = config.training;
  const optimiser = pretrainOptimiser(config.training);
  const fresh = () => (start ? startState(start, config, optimiser, options.seed) : initState(config, optimiser, options.seed, tensor(text.unigram)));
  const before = from && (from.info as Remembered);
  let state = from?.state() ?? fresh();
  let done = from?.step ?? 0;
  const step = options.accumulate > 1 ? accumulatedStep(config, optimiser, options.accumulate) : pretrainStep(config, optimiser);
  const order = derive([0, options.seed], 3);

  writeMetrics(run.metrics, before?.metrics ?? []);
  const journal = openJournal(run, config, text, { device: remembered.machine.device, seed: options.seed });

  const best = () => bestOf([...checkpointSteps(run.checkpoints), done], readMetrics(run.metrics));
  const save = () => saveCheckpoint(run.checkpoints, done, state, { ...remembered, metrics: readMetrics(run.metrics), seconds: view.seconds() }, { best: best() });
  // A process that was killed may have left one that it was about to remove.
  if (from) pruneCheckpoints(run.checkpoints, { best: best() });

  // Saving comes before measuring: a checkpoint knows nothing of its own step's evaluation, which is made again, the same,
  // by a run that goes on from there. So the evaluation at an interruption leaves no trace in a run that is resumed.
  for (;;) {
    const last = done === steps || view.interrupted();
    if ((last || done % checkpointEvery(options, config) === 0) && done !== from?.step) await save();
    if (last || done % evalEvery(options, config) === 0) {
      const measured = await journal.evaluate(done, state, view.tokensPerSecond());
      if (!Number.isFinite(measured.heldOut.loss)) await keepLastGood(run, config, text, done + 1);
      view.sample(measured);
    }
    if (last) break;

    const { epochs, ...batch } = batchAt(text.train, order, done, batchSize);
    const [next, metrics] = step(state, toBatch(batch));
    state = next;
    done++;
    const [loss, mlm, rtd] = await Promise.all([metrics.loss.item(), metrics.mlm.item(), metrics.rtd.item()]);
    if (!Number.isFinite(loss)) await keepLastGood(run, config, text, done);
    view.step(done, { mlm, rtd, epochs, tokens: batchSize * sequenceLength });
  }

  await saveModels(run, config, state, text);
  await journal.finish(state, view.seconds(), done);
  view.close(journal.summary(), run.folder);
};

const warn = (message: string) => process.stderr.write(`warning: ${message}\n`);

/**
 * Trains; where the device fails on the way (it is lost, or its memory runs out), goes on from the last checkpoint on
 * `wasm`, which every machine has.
 */
const trainOn = async (device: DeviceName, plan: Plan): Promise<void> => {
  const { options, run, config, text, from, remembered } = plan;
  const view = openConsole(options, config, text, { from: from?.step, spent: (from?.info as Remembered | undefined)?.seconds });
  try {
    await train(plan, view);
  } catch (error) {
    const last = latestCheckpoint<State>(run.checkpoints, warn);
    if (!(error instanceof DeviceError) || device === 'wasm' || last === undefined) throw error;
    const { description } = await useDevice('wasm');
    warn(`${error.message}\nthe run goes on from step ${last.step}, on ${description}`);
    await train({ ...plan, from: last, remembered: { ...remembered, machine: machineOf(description) } }, view);
  }
};

/** Says where a run goes on that the file system stopped. */
const sayWhatIsSaved = (run: Run, error: Error): never => {
  const last = checkpointSteps(run.checkpoints).at(-1);
  if (!(error instanceof UserError) || error.cause === undefined || last === undefined) throw error;
  throw new UserError(`${error.message}\nthe checkpoint of step ${last} is whole: --resume ${run.folder} goes on from there`, { cause: error });
};

const main = async (): Promise<void> => {
  const { options: asked, given } = parseOptions(process.argv);
  const say = (line: string) => asked.quiet || process.stdout.write(`${line}\n`);
  const { resume, out, quiet, dryRun: isDry, ...lasting } = asked;

  /** Opens the device and settles the sizes: those of a run that goes on, of the models to start from, or the named ones. */
  const choose = async (options: Options, before?: Remembered) => {
    const device = await useDevice(options.device);
    say(device.description);
    if (before && given.config === undefined) return { device, chosen: chooseConfig(options, before.settings.config) };
    const named = namedConfig(options.config);
    const start = options.init && (await loadStart(options.init, named));
    return { device, start, chosen: chooseConfig(options, start?.config ?? named) };
  };
  if (isDry) return dryRun((await choose(asked)).chosen, asked.accumulate, say);

  const run = openRun(resume ?? out ?? freshFolder(), { resume: resume !== undefined });
  try {
    const from = resume === undefined ? undefined : latestCheckpoint<State>(run.checkpoints, warn);
    const before = from && (from.info as Remembered);
    const options: Options = { ...asked, ...before?.options, ...given };
    const { device, start, chosen } = await choose(options, before);
    const documents = readDocuments(options);
    const machine = machineOf(device.description);
    const settings = settingsOf(options, chosen, documents.identity);
    if (before) {
      refuseOthers(run.folder, before.settings, settings);
      const other = differences(before.machine, machine);
      if (other.length > 0) warn(`this is not where the run was computed, so its last bits may differ: ${other.join('; ')}`);
      say(`going on from step ${from.step}`);
    }
    // The vocabulary of models to start from is known; any other is learned or read again, and must turn out the same.
    const known = start?.tokenizer ?? (options.init && before && new WordPiece(before.tokenizer.vocab, before.tokenizer.options));
    const text = await prepareText(documents, options, chosen, run.cache, known);
    const { vocab, special } = text.tokenizer;
    const tokenizer = { vocab, options: text.tokenizer.options };
    if (before) refuseOthers(run.folder, { tokenizer: before.tokenizer }, { tokenizer });
    const config: ElectraConfig = known ? chosen : { ...chosen, vocabSize: vocab.length, special };
    warnings(config).forEach((warning) => say(`warning: ${warning}`));
    const remembered = { settings, options: before?.options ?? lasting, machine, tokenizer };
    await trainOn(device.name, { options, run, config, text, start, from, remembered }).catch((error: Error) => sayWhatIsSaved(run, error));
  } finally {
    run.close();
  }
};

main().catch((error: Error) => {
  process.stderr.write(`${process.env.AMBER_DEBUG ? error.stack : error.message}\n`);
  process.exitCode = 1;
});
