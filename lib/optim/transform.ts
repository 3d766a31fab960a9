/**
 * An optimiser is a chain of transformations of gradients. Each is a pair of pure functions: `init` makes its state from
 * the parameters, `update` maps gradients to updates and the state to the next one (the form: optax). States are trees of
 * tensors, so they are saved, donated and mapped like parameters. `applyUpdates` adds the last updates to the parameters.
 */
import { consume, scoped } from '../memory.ts';
import { add } from '../ops/arith.ts';
import type { Tensor } from '../tensor.ts';
import { leaves } from '../tree.ts';
import { mapPacked } from './packed.ts';

/** What a transformation remembers: any tree of tensors. */
export type Moments = unknown;

export interface Transform {
  readonly init: (params: unknown) => Moments;
  /** `[updates, state]`: updates has the tree of the gradients. */
  readonly update: <T>(gradients: T, state: Moments, params: T) => readonly [T, Moments];
}

/** Transformations one after another, as one. Its state is the list of theirs. */
export const chain = (...transforms: Transform[]): Transform => ({
  init: (params) => transforms.map((transform) => transform.init(params)),
  update: (gradients, state, params) => {
    let updates = gradients;
    const states: Moments[] = [];
    const others = leaves([gradients, state, params]);
    transforms.forEach((transform, i) => {
      const [next, remembered] = scoped(() => transform.update(updates, (state as Moments[])[i], params), 'a transformation');
      states.push(remembered);
      others.push(...leaves(remembered));
      if (updates !== gradients) consume(leaves(updates), new Set([...others, ...leaves(next)]), 'by the next transformation of the chain');
      updates = next;
    });
    return [updates, states];
  },
});

/** A transformation that remembers nothing. */
export const stateless = (update: <T>(gradients: T, params: T) => T): Transform => ({
  init: () => ({}),
  update: (gradients, state, params) => [update(gradients, params), state],
});

/** The parameters, each moved by its update. */
export const applyUpdates = <T>(params: T, updates: T): T => mapPacked(add, params, updates);

export type Schedule = (step: Tensor) => Tensor;
