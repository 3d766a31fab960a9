/**
 * Fixtures of the same form as `tiny/`, of other sizes, as the `reference` device computes them: they prove that checks take
 * everything from the files. What `tiny/` does not have: a generator that projects its embeddings and a discriminator that
 * does not, a first row with padding, other numbers of updates, and two unnamed classes.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Named } from '../../examples/verify/fixture.ts';
import { openFixture } from '../../examples/verify/fixture.ts';
import * as heads from '../../examples/verify/heads.ts';
import * as pretraining from '../../examples/verify/pretraining.ts';
import type { ElectraConfig } from '../../lib/electra/config.ts';
import { configs } from '../../lib/electra/config.ts';
import type { Task } from '../../lib/electra/heads.ts';
import { initTaskHead, withTaskHead } from '../../lib/electra/heads.ts';
import { initElectra } from '../../lib/electra/params.ts';
import { saveModel } from '../../lib/io/model.ts';
import type { SafeTensor } from '../../lib/io/safetensors.ts';
import { encodeSafetensors } from '../../lib/io/safetensors.ts';
import { fold, key, normal } from '../../lib/key.ts';
import { add, mul } from '../../lib/ops/arith.ts';
import { mapPaths } from '../../lib/tree.ts';

const config: ElectraConfig = {
  ...configs.tiny,
  vocabSize: 37,
  embeddingSize: 12,
  maxPositions: 17,
  discriminator: { hiddenSize: 12, layers: 3, heads: 3, feedForwardSize: 20 },
  generator: { hiddenSize: 8, layers: 1, heads: 1, feedForwardSize: 10 },
};

const LENGTHS = [7, 11];
const [B, T, SLOTS] = [LENGTHS.length, 11, 3];
const UPDATES = 4;
const STORED = [1, 4];

const rows = (f: (row: number, i: number, length: number) => number): number[] =>
  LENGTHS.flatMap((length, row) => Array.from({ length: T }, (_, i) => f(row, i, length)));

const word = (row: number, i: number) => 5 + ((7 * i + 11 * row) % 32);
const inText = (i: number, length: number) => i > 0 && i < length - 1;
const original = rows((row, i, length) => (i >= length ? 0 : i === 0 ? 2 : i === length - 1 ? 3 : word(row, i)));
/** Places 2 and 4, and in the second row 6, are predicted; place 4 stays visible, and the guess for place 2 is right. */
const positions = [2, 4, 0, 2, 4, 6];
const used = [1, 1, 0, 1, 1, 1];
const isPredicted = (row: number, i: number) =>
  positions.slice(SLOTS * row, SLOTS * row + SLOTS).some((p, j) => p === i && used[SLOTS * row + j] === 1);
const replaced = original.map((id, at) =>
  isPredicted(Math.floor(at / T), at % T) && at % T !== 2 ? 5 + ((id + 3) % 32) : id,
);

const inputs: Record<string, readonly [shape: number[], values: number[], dtype?: 'F32']> = {
  orig_ids: [[B, T], original],
  token_type_ids: [[B, T], rows((row, i, length) => (row === 1 && i > 5 && i < length ? 1 : 0))],
  attention_mask: [[B, T], rows((_, i, length) => (i < length ? 1 : 0))],
  masked_ids: [[B, T], original.map((id, at) => (isPredicted(Math.floor(at / T), at % T) && at % T !== 4 ? 4 : id))],
  masked_lm_positions: [[B, SLOTS], positions],
  masked_lm_ids: [[B, SLOTS], positions.map((p, j) => used[j] * original[T * Math.floor(j / SLOTS) + p])],
  masked_lm_weights: [[B, SLOTS], used, 'F32'],
  replaced_ids: [[B, T], replaced],
  is_replaced: [[B, T], replaced.map((id, at) => (id === original[at] ? 0 : 1))],
  seq_labels: [[B], [1, 0]],
  token_labels: [[B, T], rows((row, i, length) => (inText(i, length) ? (row + i) % 4 : -100))],
  start_positions: [[B], [1, 3]],
  end_positions: [[B], [2, 9]],
};

const HEADS: [name: string, task: Task, outputs: number][] = [
  ['seqcls', 'classification', 2],
  ['tokcls', 'tagging', 4],
  ['qa', 'answering', 2],
];

const largest = (values: ArrayLike<number>) => Array.from(values).reduce((most, x) => Math.max(most, Math.abs(x)), 0);

/** Writes a set of fixtures; the current device should be `reference`. */
export const makeFixture = async (dir: string): Promise<void> => {
  mkdirSync(join(dir, 'optim'), { recursive: true });
  mkdirSync(join(dir, 'heads'));
  const tolerances: Record<string, Record<string, { atol: number }>> = {};
  const json = (path: string, data: unknown) => writeFileSync(join(dir, path), JSON.stringify(data));
  const both = (path: string, numbers: object) => json(path, { float64: numbers, float32: numbers });
  const store = async (file: string, tensors: Named) => {
    const read = await Promise.all(
      tensors.map(async ([name, x]) => [name, x.shape, Float32Array.from(await x.data())] as const),
    );
    const most = Math.max(...read.map(([, , data]) => largest(data)));
    tolerances[file] = Object.fromEntries(
      read.map(([name, , data]) => [name, { atol: 2e-5 * largest(data) + 1e-6 * most }]),
    );
    const stored = new Map(
      read.map(([name, shape, data]): [string, SafeTensor] => [name, { dtype: 'F32', shape: [...shape], data }]),
    );
    writeFileSync(join(dir, `${file}.safetensors`), encodeSafetensors(stored));
  };

  const given = Object.entries(inputs).map(([name, [shape, values, dtype]]): [string, SafeTensor] => [
    name,
    dtype === 'F32'
      ? { dtype, shape, data: Float32Array.from(values) }
      : { dtype: 'I32', shape, data: Int32Array.from(values) },
  ]);
  writeFileSync(join(dir, 'inputs.safetensors'), encodeSafetensors(new Map(given)));
  let drawn = 0;
  const shaken = <P>(params: P): P =>
    mapPaths((_, x) => add(x, mul(normal(fold(key(9), drawn++), x.shape), 0.1)), params);
  const { embeddings, discriminator, generator } = shaken(initElectra(key(1), config));
  await saveModel(join(dir, 'discriminator'), { config, params: { embeddings, discriminator } });
  await saveModel(join(dir, 'generator'), { config, params: { embeddings, generator } });
  for (const [name, task, outputs] of HEADS) {
    const params = withTaskHead({ embeddings, discriminator }, shaken(initTaskHead(key(2), task, outputs, config, 'huggingface')));
    await saveModel(join(dir, 'heads', name), { config, params, task });
  }

  both('losses.json', { gen_weight: 1, disc_weight: 50 });
  const fixture = openFixture(dir);
  const set = pretraining.loadPretraining(fixture);
  both('losses.json', await pretraining.losses(set));
  await store('forward', pretraining.forward(set));
  await store('grads_pretrain', pretraining.gradients(set));

  const hyper = {
    base_lr: 3e-3,
    warmup_steps: 3,
    total_steps: 20,
    beta1: 0.9,
    beta2: 0.999,
    eps: 1e-6,
    weight_decay: 0.01,
    clip_norm: 1,
    bias_correction: false,
    decayed_parameters: pretraining.decayed(set.params),
  };
  const log: Record<string, unknown> = { hyper };
  for (const [name, lrs] of [
    ['google', [0, 1]],
    ['constlr', [2e-3, 2e-3]],
  ] as const) {
    const schedule = pretraining.scheduleOf({ hyper }, { steps: lrs.map((lr) => ({ lr })), after_last: {} });
    const done = pretraining.train(set, pretraining.optimiserOf({ hyper }, schedule), UPDATES);
    const numbers = Object.entries(await pretraining.logged(set, { hyper }, schedule, done));
    const at = (where: string) =>
      Object.fromEntries(
        numbers.flatMap(([path, x]) => (path.startsWith(`${where}.`) ? [[path.slice(where.length + 1), x]] : [])),
      );
    log[name] = { steps: done.map((_, i) => at(String(i + 1))), after_last: at('after_last') };
    for (const step of STORED) await store(`optim/${name}_step${step}`, pretraining.owned(done[step - 1].params));
  }
  both('optim/log.json', log);

  const all = heads.loadHeads(fixture);
  const outputs = new Map(all.flatMap(heads.outputs));
  await store('heads/outputs', [...outputs]);
  both('heads/losses.json', Object.assign({}, ...(await Promise.all(all.map(heads.losses)))) as object);
  const unpadded = 'no_padding_idx.electra.embeddings.word_embeddings.weight';
  for (const head of all) {
    const bare = { ...fixture, read: () => new Map(head.name === 'qa' ? [[unpadded, given[0][1]]] : []) };
    await store(`heads/grads_${head.name}`, heads.gradients(head, bare));
  }
  json('tolerances.json', tolerances);
};
