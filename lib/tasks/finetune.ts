/**
 * Fine-tuning (Clark et al. 2020, §3.1 and appendix B): a pre-trained encoder and a fresh head learn a task from labelled
 * examples, both together, for a few epochs, the layers near the input more slowly than those near the head.
 *
 *     step       grad of the loss → clip → Adam → decay → warm-up × linear decay → layer-wise rates
 *     loop       every example once in an epoch, in an order of its own; the dev set at each epoch's end; the best is kept
 *
 * The loss is the sum over the examples of a batch, clipped at 1, as published (google-research/electra,
 * finetune/classification/classification_tasks.py): so nearly every step is clipped, and all have about the same length.
 * A sum may be computed in parts: those of a step's examples that are alike in length, so that little of it is padding.
 */
import type { TaskHead, TaskParams } from '../electra/heads.ts';
import type { Batch } from '../electra/mask.ts';
import type { Finetuning } from '../electra/optimiser.ts';
import { finetuneOptimiser } from '../electra/optimiser.ts';
import { grad, stopGradient } from '../grad.ts';
import { UserError } from '../io/error.ts';
import { fold, key, rowKeys, split } from '../key.ts';
import { donating, scoped } from '../memory.ts';
import { add, mul, zeros } from '../ops/arith.ts';
import { scaleByPath } from '../optim/scale.ts';
import type { Moments, Transform } from '../optim/transform.ts';
import { applyUpdates, chain } from '../optim/transform.ts';
import type { Tensor } from '../tensor.ts';
import { tensor } from '../tensor.ts';
import { indicesAt } from '../text/batch.ts';
import { derive } from '../text/order.ts';
import { leaves, map } from '../tree.ts';
import type { Encoded } from './encode.ts';
import { alike } from './encode.ts';
import type { HeadInput } from './standardise.ts';
import { standardise } from './standardise.ts';

/** Sequences with what is to be learned from them. */
export interface TaskBatch extends Batch {
  /** What the loss is a mean of: examples, or words with a tag. */
  readonly count: number;
}

/** How one kind of task is learned: its examples as batches, and what a batch costs. */
export interface Learner<Example, B extends TaskBatch = TaskBatch, Head = TaskHead> {
  readonly batch: (examples: readonly Example[]) => B;
  /** The mean loss of a batch, a scalar. */
  readonly loss: (key: Tensor, params: TaskParams<Head>, batch: B) => Tensor;
  /** What the head reads of a batch, without dropout. */
  readonly read: (params: TaskParams<Head>, batch: B) => HeadInput;
}

/** All that fine-tuning carries from one step to the next. */
export interface TunedState<Head = TaskHead> {
  readonly params: TaskParams<Head>;
  readonly moments: Moments;
  /** Steps done, an i32 scalar. */
  readonly step: Tensor;
  readonly key: Tensor;
}

/** The same parameters, of which only the head has gradients. */
const headOnly = <Head>({ task, ...encoder }: TaskParams<Head>): TaskParams<Head> => ({ ...map(stopGradient, encoder), task });

/** One step of fine-tuning, on a batch in parts; with `freeze` only the head learns. State and batch are donated. */
export const finetuneStep = <Example, B extends TaskBatch, Head>(
  { loss }: Learner<Example, B, Head>,
  optimiser: Transform,
  { freeze = false }: { readonly freeze?: boolean } = {},
) =>
  donating((state: TunedState<Head>, parts: readonly B[]) => {
    const { drop } = split(fold(state.key, state.step), 'drop');

    const { grads, loss: total } = grad((params: TaskParams<Head>) => {
      const learning = freeze ? headOnly(params) : params;
      const sums = parts.map((part, i) => mul(loss(rowKeys(fold(drop, i), part.tokens.shape[0]), learning, part), part.count));
      return { loss: sums.reduce((a, b) => add(a, b)) };
    })(state.params);

    const [updates, moments] = optimiser.update(grads, state.moments, state.params);
    return [{ ...state, params: applyUpdates(state.params, updates), moments, step: add(state.step, 1) }, { loss: mul(total, 1 / parts.reduce((sum, { count }) => sum + count, 0)) }] as const;
  });

/** How long and how fast a network is fine-tuned. */
export interface Settings extends Omit<Finetuning, 'steps' | 'clipNorm'> {
  readonly epochs: number;
  readonly batchSize: number;
  /** Stops after so many epochs without a better dev score; Infinity never. */
  readonly patience?: number;
  /** Decides the order of the examples and all dropout: with the same examples and parameters, every bit of the result. */
  readonly seed: number;
  /** Only the head learns. */
  readonly freeze?: boolean;
  /** Whether what the head reads is standardised first (standardise.ts). */
  readonly standardise?: boolean;
}

/** What a loop tells on its way, and asks. */
export interface Watch {
  /** After each of `steps` steps: how many are done, and the mean loss of the last. */
  step?(done: number, steps: number, loss: number): void;
  /** After each evaluation. */
  epoch?(measured: Epoch): void;
  /** Whether to stop now. */
  stopped?(): boolean;
}

/** What an epoch came to. */
export interface Epoch {
  /** Epochs done; a part of one at a stop. */
  readonly epoch: number;
  /** Mean over the steps since the last evaluation. */
  readonly loss: number;
  /** On the dev set, higher is better. */
  readonly score: number;
}

export interface Tuned<Head = TaskHead> {
  /** Those of the best epoch. */
  readonly params: TaskParams<Head>;
  readonly best: Epoch;
  readonly epochs: readonly Epoch[];
}

/** How many examples tell how to standardise. */
const READ = 256;

/** All values of a tree, copied to the host; the function returned makes a tree of them again. */
const remembered = async <T>(tree: T): Promise<() => T> => {
  const values = await Promise.all(leaves(tree).map((x) => x.data()));
  return () => {
    let i = 0;
    return map(({ shape }) => tensor(values[i++], shape), tree);
  };
};

/** Frees a tree that nobody needs any more. */
const release = (tree: unknown): void => donating((_: unknown) => undefined)(tree);

/**
 * Fine-tunes a network; `evaluate` scores parameters on the dev set, and those of the epoch that had the best score (the
 * first of equals) are returned. The parameters that are given are donated.
 *
 * Throws when there are no examples, and a UserError when a loss is no number.
 */
export const finetune = async <Example extends Pick<Encoded, 'ids'>, B extends TaskBatch, Head>(
  params: TaskParams<Head>,
  layers: number,
  learner: Learner<Example, B, Head>,
  examples: readonly Example[],
  evaluate: (params: TaskParams<Head>) => Promise<number>,
  { epochs, batchSize, patience = Infinity, seed, freeze = false, standardise: standardised = false, ...rates }: Settings,
  watch: Watch = {},
): Promise<Tuned<Head>> => {
  const n = examples.length;
  if (n === 0) throw new Error('finetune: expected examples to learn from, got none');
  const b = Math.min(batchSize, n);
  const steps = Math.ceil((n * epochs) / b);
  const tuning = finetuneOptimiser(layers, { ...rates, steps });
  const optimiser = freeze ? chain(tuning, scaleByPath((path) => (path.startsWith('task.') ? 1 : 0))) : tuning;
  const step = finetuneStep(learner, optimiser, { freeze });
  const order = derive([0, seed], 0);

  const some = indicesAt(n, order, 0, Math.min(n, READ)).map((i) => examples[i]);
  const begun = standardised ? standardise(params, alike(some).map(learner.batch), learner.read) : params;
  let state: TunedState<Head> = scoped(() => ({ params: begun, moments: optimiser.init(begun), step: zeros([], 'i32'), key: split(key(seed), 'steps').steps }));
  const measured: Epoch[] = [];
  let best: { epoch: Epoch; params: () => TaskParams<Head> } | undefined;
  let losses: number[] = [];
  let told: unknown;

  for (let done = 0; ; ) {
    const chosen = indicesAt(n, order, done, b).map((i) => examples[i]);
    const [next, metrics] = step(state, alike(chosen).map(learner.batch));
    [state, told] = [next, metrics];
    done++;
    const loss = await metrics.loss.item();
    if (!Number.isFinite(loss)) throw new UserError(`the loss of step ${done} is ${loss}; choose a lower learning rate`);
    losses.push(loss);
    watch.step?.(done, steps, loss);

    // An epoch ends with the step that takes its last example.
    const last = done === steps || (watch.stopped?.() ?? false);
    if (!last && Math.floor((done * b) / n) === Math.floor(((done - 1) * b) / n)) continue;
    const epoch = { epoch: Math.min((done * b) / n, epochs), loss: losses.reduce((sum, x) => sum + x, 0) / losses.length, score: await evaluate(state.params) };
    losses = [];
    measured.push(epoch);
    watch.epoch?.(epoch);
    // A score may be no number, as a correlation with predictions that are all the same: any other is better.
    if (best === undefined || epoch.score > best.epoch.score || Number.isNaN(best.epoch.score)) best = { epoch, params: await remembered(state.params) };
    if (last || measured.length - 1 - measured.indexOf(best.epoch) >= patience) break;
  }
  release([state, told]);
  return { params: best.params(), best: best.epoch, epochs: measured };
};
