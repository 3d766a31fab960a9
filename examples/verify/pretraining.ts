/**
 * The pre-training part of a set of fixtures: one step of generator and discriminator with shared embeddings, at given
 * masked positions and with given sampled tokens, and what the published optimiser makes of it. Everything is computed
 * by the functions that a step of Amber's is made of.
 */
import type { Batch, ElectraConfig, Masked, Moments, Params, Schedule, Tensor, Transform } from '../../lib/index.ts';
import {
  addDecayedWeights,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  constant,
  discriminate,
  full,
  generate,
  globalNorm,
  grad,
  isDecayed,
  key,
  paths,
  scaleByAdam,
  scaleBySchedule,
  scoped,
  sigmoidCrossEntropy,
  softmaxCrossEntropy,
  sum,
  tensor,
  warmupLinearDecay,
  weighted,
} from '../../lib/index.ts';
import { huggingFaceName, loadModel } from '../../lib/node.ts';
import type { Both, Fixture, Named } from './fixture.ts';
import { named } from './fixture.ts';

/** A set's step on the current device. */
export interface Pretraining {
  readonly config: ElectraConfig;
  readonly params: Params;
  readonly batch: Batch;
  /** What the generator sees, at the fixture's positions. */
  readonly masked: Masked;
  /** The same at every position, none of which is wanted: for logits everywhere. */
  readonly everywhere: Masked;
  /** What the discriminator sees: a constant, so no sampling is involved. */
  readonly corrupted: Tensor;
  readonly replaced: Tensor;
}

export const loadPretraining = (fixture: Fixture): Pretraining => {
  const input = (name: string, dtype: 'f32' | 'i32' = 'i32') => fixture.tensor('inputs', name, dtype);
  const discriminator = loadModel(`${fixture.dir}/discriminator`);
  const generator = loadModel(`${fixture.dir}/generator`);
  const losses = fixture.json<Both>('losses.json').float64;
  const batch = { tokens: input('orig_ids'), types: input('token_type_ids'), attend: input('attention_mask', 'f32') };
  const [b, t] = batch.tokens.shape;
  const tokens = input('masked_ids');
  const weights = input('masked_lm_weights', 'f32');
  const { data: used } = fixture.read('inputs').get('masked_lm_weights')!;
  const positions = fixture.read('inputs').get('masked_lm_positions')!.data as ArrayLike<number>;
  // Theirs gives unused slots position 0 and weight 0; ours are at −1.
  const at = tensor(
    Array.from(positions, (p, i) => (used[i] ? p : -1)),
    weights.shape,
    'i32',
  );
  const all = tensor(
    Array.from({ length: b * t }, (_, i) => i % t),
    [b, t],
    'i32',
  );
  return {
    config: {
      ...discriminator.config,
      generator: generator.config.generator,
      generatorWeight: losses.gen_weight ?? 1,
      discriminatorWeight: losses.disc_weight ?? 50,
    },
    params: { ...discriminator.params, ...generator.params, embeddings: discriminator.params.embeddings } as Params,
    batch,
    masked: { ...batch, tokens, at, answers: input('masked_lm_ids'), weights, hidden: weights },
    everywhere: { ...batch, tokens, at: all, answers: batch.tokens, weights: batch.attend, hidden: batch.attend },
    corrupted: input('replaced_ids'),
    replaced: input('is_replaced', 'f32'),
  };
};

/** The objective of a step, with the sampled tokens given. */
export const objective =
  ({ config, batch, masked, corrupted, replaced }: Pretraining) =>
  (params: Params) => {
    const guesses = generate(key(0), params, masked, config);
    const mlm = softmaxCrossEntropy(guesses, masked.answers, masked.weights, config.lossEpsilon);
    const verdicts = discriminate(key(0), params, corrupted, batch, config);
    const rtd = sigmoidCrossEntropy(verdicts, replaced, batch.attend, config.lossEpsilon);
    return { loss: weighted([config.generatorWeight, mlm], [config.discriminatorWeight, rtd]), mlm, rtd };
  };

/** `forward`: both networks, and everything inside them. */
export const forward = ({ config, params, batch, everywhere, corrupted }: Pretraining): Named => {
  const seen: [string, Tensor][] = [];
  const look = (network: string) => (name: string, x: Tensor) => {
    seen.push([`${network}.${name.replace('hidden', 'hidden_states').replace('attention', 'attentions')}`, x]);
  };
  const logits = generate(key(0), params, everywhere, config, look('gen'));
  const verdicts = discriminate(key(0), params, corrupted, batch, config, look('disc'));
  return [...seen, ['gen.mlm_logits', logits], ['disc.rtd_logits', verdicts]];
};

/** Parameters or gradients of both networks under the fixtures' names: `shared.electra.embeddings.…`. */
export const owned = (tree: unknown, prefix = ''): Named =>
  named(tree, (path) => `${prefix}${path.split('.')[0].replace('embeddings', 'shared')}.`);

/** `grads_pretrain`: of every parameter, and of the shared ones what each loss alone gives. */
export const gradients = (set: Pretraining): Named => {
  const of = (weights: Partial<ElectraConfig>) =>
    grad(objective({ ...set, config: { ...set.config, ...weights } }))(set.params).grads;
  return [
    ...owned(of({})),
    ...owned({ embeddings: of({ generatorWeight: 1, discriminatorWeight: 0 }).embeddings }, 'gen_loss_only.'),
    ...owned({ embeddings: of({ generatorWeight: 0, discriminatorWeight: 1 }).embeddings }, 'disc_loss_only.'),
  ];
};

/** The losses with the names that the fixtures give them. */
const numbers = async ({ loss, mlm, rtd }: Record<'loss' | 'mlm' | 'rtd', Tensor>) => ({
  gen_loss: await mlm.item(),
  disc_loss: await rtd.item(),
  total_loss: await loss.item(),
});

/** `losses`: as they are, and with the ε that google-research/electra adds to the denominators. */
export const losses = async (set: Pretraining): Promise<Record<string, number>> => {
  const { grads, ...means } = grad(objective(set))(set.params);
  const google = await numbers(objective({ ...set, config: { ...set.config, lossEpsilon: 1e-6 } })(set.params));
  return {
    ...(await numbers(means)),
    n_masked: await sum(set.masked.weights).item(),
    n_nonpad: await sum(set.batch.attend).item(),
    gen_weight: set.config.generatorWeight,
    disc_weight: set.config.discriminatorWeight,
    google_gen_loss: google.gen_loss,
    google_disc_loss: google.disc_loss,
    grad_global_norm: await globalNorm(grads).item(),
  };
};

/** `optim/log.json`: what the optimiser was told, and the numbers of every update. */
export interface Log {
  readonly hyper: Readonly<
    Record<
      'base_lr' | 'warmup_steps' | 'total_steps' | 'beta1' | 'beta2' | 'eps' | 'weight_decay' | 'clip_norm',
      number
    >
  > & {
    readonly bias_correction: boolean;
    readonly decayed_parameters: readonly string[];
  };
}

/** The updates of one schedule in the log. */
export interface Updates {
  readonly steps: readonly Readonly<Record<string, number>>[];
  readonly after_last: Readonly<Record<string, number>>;
}

export const scheduleOf = ({ hyper }: Pick<Log, 'hyper'>, { steps }: Updates): Schedule =>
  steps.every(({ lr }) => lr === steps[0].lr)
    ? constant(steps[0].lr)
    : warmupLinearDecay({ learningRate: hyper.base_lr, warmupSteps: hyper.warmup_steps, steps: hyper.total_steps });

export const optimiserOf = ({ hyper }: Pick<Log, 'hyper'>, schedule: Schedule): Transform =>
  chain(
    clipByGlobalNorm(hyper.clip_norm),
    scaleByAdam({ beta1: hyper.beta1, beta2: hyper.beta2, epsilon: hyper.eps, biasCorrection: hyper.bias_correction }),
    addDecayedWeights(hyper.weight_decay),
    scaleBySchedule(schedule),
  );

/** The parameters after each of `count` updates on the set's batch, and what was seen before each. */
export const train = (set: Pretraining, optimiser: Transform, count: number) => {
  let params = set.params;
  let moments: Moments = optimiser.init(params);
  return Array.from({ length: count }, () => {
    const done = scoped(() => {
      const { grads, ...means } = grad(objective(set))(params);
      const [updates, next] = optimiser.update(grads, moments, params);
      return { params: applyUpdates(params, updates), moments: next, ...means, norm: globalNorm(grads) };
    });
    ({ params, moments } = done);
    return done;
  });
};

/** The log's numbers of every update, as we computed them: `3.lr` is the third update's rate. */
export const logged = async (
  set: Pretraining,
  { hyper }: Pick<Log, 'hyper'>,
  schedule: Schedule,
  done: ReturnType<typeof train>,
): Promise<Record<string, number>> => {
  const all: Record<string, number> = {};
  const record = (where: string, seen: object) =>
    Object.entries(seen).forEach(([name, value]) => (all[`${where}.${name}`] = value as number));
  for (const [i, one] of done.entries()) {
    const norm = await one.norm.item();
    const lr = await schedule(full([], i, 'i32')).item();
    const seen = { update: i + 1, global_step: i, lr, ...(await numbers(one)), grad_global_norm: norm };
    record(String(i + 1), { ...seen, clip_scale: hyper.clip_norm / Math.max(norm, hyper.clip_norm) });
  }
  record('after_last', await numbers(objective(set)(done.at(-1)!.params)));
  return all;
};

/** Names of the parameters that weight decay reaches. */
export const decayed = (params: Params): string[] =>
  paths(params)
    .filter(isDecayed)
    .map((path) => `${path.split('.')[0].replace('embeddings', 'shared')}.${huggingFaceName(path)}`);
