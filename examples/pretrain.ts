/**
 * Pre-trains an ELECTRA on text, from files to model folders, and shows on the way what it learns.
 *
 *     npm start                                        # a small one, on the State of the Union addresses
 *     npx tsx examples/pretrain.ts --corpus my/texts --config mini --out runs/mine
 */
import type { ElectraConfig, State, Transform } from '../lib/index.ts';
import {
  accumulatedStep,
  addDecayedWeights,
  batchAt,
  chain,
  clipByGlobalNorm,
  derive,
  initState,
  pretrainStep,
  scaleByAdam,
  scaleBySchedule,
  tensor,
  useDevice,
  warmupLinearDecay,
} from '../lib/index.ts';
import type { Run } from '../lib/node.ts';
import { checkpointSteps, loadCheckpoint, openRun, saveCheckpoint, saveModel, UserError } from '../lib/node.ts';
import { dryRun } from './pretrain/cost.ts';
import { openConsole } from './pretrain/console.ts';
import { openJournal } from './pretrain/journal.ts';
import { chooseConfig, freshFolder, parseOptions, warnings } from './pretrain/options.ts';
import type { Options } from './pretrain/options.ts';
import { prepareText, toBatch } from './pretrain/text.ts';
import type { Text } from './pretrain/text.ts';

/** The published optimiser: clip, Adam without bias correction, decoupled decay, warm-up × linear decay. */
const published = ({ training }: ElectraConfig): Transform =>
  chain(
    clipByGlobalNorm(training.clipNorm),
    scaleByAdam(),
    addDecayedWeights(training.weightDecay),
    scaleBySchedule(warmupLinearDecay(training)),
  );

/** Writes the two model folders. */
const saveModels = async (run: Run, config: ElectraConfig, { params: { embeddings, discriminator, generator } }: State, text: Text) => {
  const { tokenizer } = text;
  await saveModel(run.discriminator, { config, tokenizer, params: { embeddings, discriminator } });
  // Under tying 'all' the generator has no encoder of its own: its folder gets the shared one.
  const { encoder, projection } = discriminator;
  const whole = generator.encoder ? generator : { ...generator, encoder, ...(projection && { projection }) };
  await saveModel(run.generator, { config, tokenizer, params: { embeddings: generator.embeddings ?? embeddings, generator: whole } });
};

/**
 * Saves the last good checkpoint as the model, and says so: what is left to do when a loss is no number. The loss of a step
 * is that of the parameters before it, so the checkpoint just before it is not good either.
 */
const keepLastGood = async (run: Run, config: ElectraConfig, text: Text, step: number): Promise<never> => {
  const last = checkpointSteps(run.checkpoints).findLast((saved) => saved < step - 1);
  if (last === undefined) throw new UserError(`the loss of step ${step} is not finite; lower the learning rate (--lr)`);
  const { state } = loadCheckpoint<State>(`${run.checkpoints}/${last}`);
  await saveModels(run, config, state, text);
  throw new UserError(`the loss of step ${step} is not finite; the model of step ${last} is kept; lower the learning rate (--lr)`);
};

const train = async (options: Options, run: Run, config: ElectraConfig, text: Text, device: string): Promise<void> => {
  const { steps, batchSize, sequenceLength } = config.training;
  const evalEvery = options.evalEvery ?? Math.max(1, Math.round(steps / 20));
  const checkpointEvery = options.checkpointEvery ?? Math.max(1, Math.round(steps / 10));

  const optimiser = published(config);
  let state = initState(config, optimiser, options.seed, tensor(text.unigram));
  const step = options.accumulate > 1 ? accumulatedStep(config, optimiser, options.accumulate) : pretrainStep(config, optimiser);
  const order = derive([0, options.seed], 3);

  const view = openConsole(options, config, text);
  const journal = openJournal(run, config, text, { device, seed: options.seed });
  view.sample(await journal.evaluate(0, state));

  let done = 0;
  while (done < steps && !view.interrupted()) {
    const { epochs, ...batch } = batchAt(text.train, order, done, batchSize);
    const [next, metrics] = step(state, toBatch(batch));
    state = next;
    done++;
    const [loss, mlm, rtd] = await Promise.all([metrics.loss.item(), metrics.mlm.item(), metrics.rtd.item()]);
    if (!Number.isFinite(loss)) await keepLastGood(run, config, text, done);
    view.step(done, { mlm, rtd, epochs, tokens: batchSize * sequenceLength });

    const last = done === steps || view.interrupted();
    if (done % evalEvery === 0 || last) {
      const measured = await journal.evaluate(done, state, view.tokensPerSecond());
      if (!Number.isFinite(measured.heldOut.loss)) await keepLastGood(run, config, text, done + 1);
      view.sample(measured);
    }
    if (done % checkpointEvery === 0 || last) {
      await saveCheckpoint(run.checkpoints, done, state, { config, seed: options.seed }, { best: journal.best() });
    }
  }

  await saveModels(run, config, state, text);
  journal.finish(view.seconds(), done);
  view.close(journal.summary(), run.folder);
};

const main = async (): Promise<void> => {
  const options = parseOptions(process.argv);
  const chosen = chooseConfig(options);
  const device = await useDevice(options.device);
  const say = (line: string) => options.quiet || process.stdout.write(`${line}\n`);
  say(device.description);
  if (options.dryRun) return dryRun(chosen, say);

  const run = openRun(options.out ?? freshFolder());
  try {
    const text = await prepareText(options, chosen, run.cache);
    const { vocab, special } = text.tokenizer;
    const config: ElectraConfig = { ...chosen, vocabSize: vocab.length, special };
    warnings(config).forEach((warning) => say(`warning: ${warning}`));
    await train(options, run, config, text, device.description);
  } finally {
    run.close();
  }
};

main().catch((error: Error) => {
  process.stderr.write(`${process.env.AMBER_DEBUG ? error.stack : error.message}\n`);
  process.exitCode = 1;
});
