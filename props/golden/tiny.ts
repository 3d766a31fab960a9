/**
 * The golden fixture `tiny/` as Amber's values, and how far what we compute is from it. Distances are in units of what is
 * allowed: on `reference` the rounding of the stored number to single precision, elsewhere the fixture's tolerance for
 * that tensor. So a law is `distance ≤ 1`, and a planted bug is found when the distance is more.
 */
import { readFileSync } from 'node:fs';
import type { DeviceName } from '../../kernels/device/device.ts';
import type { ElectraConfig } from '../../lib/electra/config.ts';
import { discriminate } from '../../lib/electra/discriminator.ts';
import { generate } from '../../lib/electra/generator.ts';
import type { Batch, Masked } from '../../lib/electra/mask.ts';
import { weighted } from '../../lib/electra/objective.ts';
import type { Params } from '../../lib/electra/params.ts';
import { huggingFaceName, isTransposed } from '../../lib/io/names.ts';
import { loadModel } from '../../lib/io/model.ts';
import { decodeSafetensors } from '../../lib/io/safetensors.ts';
import { key } from '../../lib/key.ts';
import { sigmoidCrossEntropy, softmaxCrossEntropy } from '../../lib/ops/loss.ts';
import { transpose } from '../../lib/ops/move.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { tensor } from '../../lib/tensor.ts';
import { leaves, paths } from '../../lib/tree.ts';

/** The fixture's folder; `golden('tiny/…')` is a path in it. */
export const golden = (path: string): string => new URL(path, import.meta.url).pathname;

const read = (file: string) => decodeSafetensors(readFileSync(golden(`tiny/${file}.safetensors`))).tensors;

export const readJson = <T>(path: string): T => JSON.parse(readFileSync(golden(path), 'utf8')) as T;

const inputs = read('inputs');
const tolerances = readJson<Record<string, Record<string, { atol: number }>>>('tiny/tolerances.json');

const numbers = (name: string) => inputs.get(name)!.data as ArrayLike<number>;

const input = (name: string, dtype: 'i32' | 'f32' = 'i32'): Tensor =>
  tensor(Array.from(numbers(name)), inputs.get(name)!.shape, dtype);

/** The fixture on the current device. */
export interface Tiny {
  readonly config: ElectraConfig;
  readonly params: Params;
  readonly batch: Batch;
  /** What the generator sees, at fixed positions. */
  readonly masked: Masked;
  /** The same at every position, none of which is wanted: for logits everywhere. */
  readonly everywhere: Masked;
  /** What the discriminator sees: a constant, so no sampling is involved. */
  readonly corrupted: Tensor;
  readonly replaced: Tensor;
}

export const loadTiny = (): Tiny => {
  const discriminator = loadModel(golden('tiny/discriminator'));
  const generator = loadModel(golden('tiny/generator'));
  const batch = { tokens: input('orig_ids'), types: input('token_type_ids'), attend: input('attention_mask', 'f32') };
  const [b, t] = batch.tokens.shape;
  const weights = input('masked_lm_weights', 'f32');
  const used = numbers('masked_lm_weights');
  const tokens = input('masked_ids');
  const at = Array.from(numbers('masked_lm_positions'), (p, i) => (used[i] ? p : -1));
  const special = { pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 };
  return {
    config: { ...discriminator.config, generator: generator.config.generator, special },
    params: { ...discriminator.params, ...generator.params } as Params,
    batch,
    masked: {
      ...batch,
      tokens,
      at: tensor(at, weights.shape, 'i32'),
      answers: input('masked_lm_ids'),
      weights,
      hidden: weights,
    },
    everywhere: {
      ...batch,
      tokens,
      at: tensor(
        Array.from({ length: b * t }, (_, i) => i % t),
        [b, t],
        'i32',
      ),
      answers: batch.tokens,
      weights: batch.attend,
      hidden: batch.attend,
    },
    corrupted: input('replaced_ids'),
    replaced: input('is_replaced', 'f32'),
  };
};

/** The fixture's objective: that of a step, with the sampled tokens given. */
export const objective =
  ({ config, batch, masked, corrupted, replaced }: Tiny) =>
  (params: Params) => {
    const guesses = generate(key(0), params, masked, config);
    const mlm = softmaxCrossEntropy(guesses, masked.answers, masked.weights);
    const rtd = sigmoidCrossEntropy(discriminate(key(0), params, corrupted, batch, config), replaced, batch.attend);
    return { loss: weighted([config.generatorWeight, mlm], [config.discriminatorWeight, rtd]), mlm, rtd };
  };

/** Tensors by the fixture's names. */
export type Named = readonly (readonly [name: string, x: Tensor])[];

/** A tree of parameters, or of their gradients, under the fixture's names: `shared.electra.embeddings.…`, kernels turned. */
export const named = (tree: unknown, prefix = ''): Named => {
  const list = paths(tree);
  return leaves(tree).map((x, i) => {
    const owner = list[i].split('.')[0].replace('embeddings', 'shared');
    return [`${prefix}${owner}.${huggingFaceName(list[i])}`, isTransposed(list[i]) ? transpose(x, [1, 0]) : x];
  });
};

/** Half a unit in the last place of a float32, relative: how far a stored number is from the one that was computed. */
const ROUNDING = 2 ** -24;

/** The largest distance of any element from the fixture's file, in units of what the device is allowed, and where it is. */
export const distance = async (
  file: string,
  tensors: Named,
  device: DeviceName,
): Promise<{ most: number; where: string }> => {
  const stored = read(file);
  let worst = { most: 0, where: '' };
  for (const [name, x] of tensors) {
    const expected = stored.get(name);
    if (expected === undefined || String(expected.shape) !== String(x.shape))
      return { most: Infinity, where: `${name}: no such tensor of shape ${x.shape}` };
    const values = await x.data();
    (expected.data as Float32Array).forEach((wanted, i) => {
      const allowed = device === 'reference' ? Math.abs(wanted) * ROUNDING + 1e-10 : tolerances[file][name].atol;
      const most = Math.abs(values[i] - wanted) / allowed;
      if (!(most <= worst.most))
        worst = { most: Number.isNaN(most) ? Infinity : most, where: `${name}[${i}]: ${values[i]}, not ${wanted}` };
    });
  }
  return worst;
};
