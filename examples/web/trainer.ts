/**
 * The trainer: a worker, so that the page answers while it computes, and because only a worker may wait for threads. It
 * pre-trains `tiny` or `demo` on a text with the step of lib/electra/step.ts, and tells the page of every step, and now and then
 * what the model makes of a held-out sentence.
 */
import type { ElectraConfig, State } from '../../lib/index.ts';
import { batchAt, configs, countParams, derive, initState, pretrainOptimiser, pretrainStep, sentences, tensor, useDevice } from '../../lib/index.ts';
import { numbersOf, openMeasurer } from '../pretrain/measure.ts';
import type { Text } from '../pretrain/prepare.ts';
import { packDocuments, textOf, toBatch } from '../pretrain/prepare.ts';
import type { FromTrainer, Size, ToTrainer } from './messages.ts';

const SEED = 0;
/** Tokens in the vocabulary, at most. */
const VOCABULARY = 1000;
/** Fewer training examples than these make no batch worth the name. */
const LEAST = 8;
/** Steps between two looks at the held-out text, and batches of it in each. */
const LOOK = 10;
const BATCHES = 2;
/** Seconds over which the speed is taken. */
const WINDOW = 5;

const rules = { lowerCase: true };

const tell = (message: FromTrainer): void => postMessage(message);

/** Sentences in a document. */
const SENTENCES = 8;

/** The documents of a text, some of which are held out: every eight sentences are one. */
const documentsOf = (text: string): string[] => {
  const all = sentences(text);
  return Array.from({ length: Math.ceil(all.length / SENTENCES) }, (_, i) => all.slice(SENTENCES * i, SENTENCES * (i + 1)).join(' '));
};

/** The text as examples. Throws, saying how much is missing, when there are too few. */
const prepare = (pasted: string, seq: number): Text => {
  if (pasted.trim() === '') throw new Error('There is no text yet: paste some, at least a page or two.');
  const documents = documentsOf(pasted);
  const packed = documents.length < 2 ? undefined : packDocuments(documents, { vocabSize: VOCABULARY, seq, seed: SEED, rules });
  const count = packed?.train.count ?? 0;
  if (packed === undefined || count < LEAST || packed.heldOut.count === 0) {
    throw new Error(
      `The text is too short: ${pasted.trim().length.toLocaleString('en')} characters make ${count} examples of ${seq} tokens to train on, and ${LEAST} are the least. Paste about ten times as much, or more.`,
    );
  }
  return textOf(packed, rules);
};

/** The configuration of that size for this vocabulary. */
const configOf = (size: Size, { tokenizer: { vocab, special }, train }: Text): ElectraConfig => ({
  ...configs[size],
  vocabSize: vocab.length,
  special,
  training: { ...configs[size].training, batchSize: Math.min(configs[size].training.batchSize, train.count), warmupSteps: 100, steps: 10_000 },
});

/** Makes a new model for a text; what comes back does one step. */
const begin = async ({ text: pasted, size, device: name }: Extract<ToTrainer, { kind: 'begin' }>): Promise<() => Promise<void>> => {
  tell({ kind: 'doing', what: 'Learning the vocabulary …' });
  const text = prepare(pasted, configs[size].training.sequenceLength);
  tell({ kind: 'doing', what: 'Opening the device …' });
  const { description } = await useDevice(name);
  const config = configOf(size, text);
  const { batchSize, sequenceLength } = config.training;
  const optimiser = pretrainOptimiser(config.training);
  const step = pretrainStep(config, optimiser);
  const order = derive([0, SEED], 3);
  const measurer = openMeasurer(config, text, SEED);
  let state: State = initState(config, optimiser, SEED, tensor(text.unigram));
  let done = 0;
  const times: number[] = [];

  const look = async (): Promise<void> => {
    const evaluation = await measurer.evaluate(state.params, text.heldOut, BATCHES);
    tell({ kind: 'measured', point: { step: done, split: 'heldout', ...numbersOf(evaluation) }, words: await measurer.words(state.params) });
  };

  tell({ kind: 'begun', device: description, vocabulary: config.vocabSize, examples: text.train.count, parameters: countParams(config), unigramLoss: text.unigramLoss });
  await look();

  return async () => {
    const start = performance.now();
    const { epochs, ...batch } = batchAt(text.train, order, done, batchSize);
    const [next, metrics] = step(state, toBatch(batch));
    state = next;
    done++;
    const [loss, mlmLoss, rtdLoss] = await Promise.all([metrics.loss.item(), metrics.mlm.item(), metrics.rtd.item()]);
    times.push((performance.now() - start) / 1000);
    while (times.length > 1 && times.reduce((sum, time) => sum + time) > WINDOW) times.shift();
    const speed = (times.length * batchSize * sequenceLength) / times.reduce((sum, time) => sum + time);
    if (!Number.isFinite(loss)) throw new Error(`The loss of step ${done} is no finite number, so training has ended; start again.`);
    tell({ kind: 'step', point: { step: done, split: 'train', loss, mlmLoss, rtdLoss }, speed });
    if (done % LOOK === 0) await look();
  };
};

/** How one step is done, once a model is there. */
let doStep: (() => Promise<void>) | undefined;
/** Steps that the page has asked for and that are not done. */
let owed = 0;
let busy = false;

const work = async (): Promise<void> => {
  if (busy || doStep === undefined || owed === 0) return;
  busy = true;
  for (; owed > 0; owed--) await doStep();
  busy = false;
  tell({ kind: 'paused' });
};

const fail = (error: Error): void => {
  doStep = undefined;
  owed = 0;
  busy = false;
  tell({ kind: 'failed', message: error.message });
};

onmessage = ({ data }: MessageEvent<ToTrainer>) => {
  switch (data.kind) {
    case 'begin':
      void begin(data)
        .then((step) => {
          doStep = step;
          return work();
        })
        .catch(fail);
      break;
    case 'go':
      owed = data.steps;
      void work().catch(fail);
      break;
    case 'pause':
      owed = Math.min(owed, 1);
  }
};
