/**
 * Gradient accumulation: the step of a large batch, computed in parts of its rows, one after another, in the memory of one
 * part. A loss is a mean over the batch, L = Σ w·l / Σ w, which is the sum over the parts of their own means, each times its
 * share of the weights, Σ w of the part / Σ w of all; so the gradients of these add up to that of L. And since every row has
 * keys of its own, masks, samples and dropout are those of the whole batch: the update is the same up to rounding.
 */
import { grad } from '../grad.ts';
import { fold, rowKeys, split } from '../key.ts';
import { donating } from '../memory.ts';
import { add, div, maximum, mul } from '../ops/arith.ts';
import { slice } from '../ops/move.ts';
import { sum } from '../ops/reduce.ts';
import type { Transform } from '../optim/transform.ts';
import { applyUpdates } from '../optim/transform.ts';
import type { Tensor } from '../tensor.ts';
import { map } from '../tree.ts';
import type { ElectraConfig } from './config.ts';
import type { Batch } from './mask.ts';
import { maskTokens } from './mask.ts';
import { pretrainLoss, weighted } from './objective.ts';
import type { Params } from './params.ts';
import type { State } from './step.ts';

/** Rows `from` to `to` of every tensor [b, …] of a tree. */
const rows = <T>(tree: T, from: number, to: number): T =>
  map((x) => slice(x, x.shape.map((_, axis) => (axis === 0 ? from : 0)), [to - from, ...x.shape.slice(1)]), tree);

/** Σ part / Σ whole; 0 where the whole weighs nothing. */
const share = (part: Tensor, whole: Tensor): Tensor => div(sum(part), maximum(sum(whole), 1e-12));

/**
 * The step of `pretrainStep`, its batch computed in `parts` parts that differ by one row at most. State and batch are
 * donated.
 *
 * Throws when a batch has fewer rows than there are parts.
 */
export const accumulatedStep = (config: ElectraConfig, optimiser: Transform, parts: number) =>
  donating((state: State, batch: Batch) => {
    const b = batch.tokens.shape[0];
    if (!Number.isInteger(parts) || parts < 1 || parts > b) {
      throw new Error(`accumulatedStep: a batch of ${b} rows divides into 1 to ${b} parts, not into ${parts}; take larger batches or fewer parts`);
    }
    const keys = rowKeys(fold(state.key, state.step), b);
    const masked = maskTokens(split(keys, 'hide').hide, batch, config);

    /** The gradients of one part, and its shares of the losses. */
    const measure = (i: number) => {
      const part = rows({ keys, batch, masked }, Math.floor((i * b) / parts), Math.floor(((i + 1) * b) / parts));
      return grad((params: Params) => {
        const means = pretrainLoss(part.keys, params, part.batch, config, part.masked);
        const mlm = mul(means.mlm, share(part.masked.weights, masked.weights));
        const rtd = mul(means.rtd, share(part.batch.attend, batch.attend));
        return { loss: weighted([config.generatorWeight, mlm], [config.discriminatorWeight, rtd]), mlm, rtd };
      })(state.params);
    };

    const addPart = donating((sums: ReturnType<typeof measure> | undefined, i: number) =>
      sums === undefined ? measure(i) : map(add, sums, measure(i)),
    );
    let sums = addPart(undefined, 0);
    for (let i = 1; i < parts; i++) sums = addPart(sums, i);

    const { grads, ...metrics } = sums;
    const [updates, moments] = optimiser.update(grads, state.moments, state.params);
    return [{ ...state, params: applyUpdates(state.params, updates), moments, step: add(state.step, 1) }, metrics] as const;
  });
