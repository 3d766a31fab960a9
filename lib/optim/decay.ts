/**
 * Weight decay, decoupled from the gradient (Loshchilov & Hutter 2019): u ← u + rate · θ, for the parameters that `where`
 * accepts by their path. ELECTRA decays embeddings and kernels, but no bias and no layer norm.
 */
import { add } from '../ops/arith.ts';
import { mapPacked, scalePacked } from './packed.ts';
import type { Transform } from './transform.ts';
import { stateless } from './transform.ts';

/** The published exclusions: names with LayerNorm or bias (google-research/electra, model/optimization.py). */
export const isDecayed = (path: string): boolean => !/norm|bias/i.test(path);

/** Adds `rate` · parameter to the update of every parameter whose path `where` accepts. */
export const addDecayedWeights = (rate: number, where: (path: string) => boolean = isDecayed): Transform =>
  stateless((gradients, params) => {
    const decayed = scalePacked(params, (path) => (where(path) ? rate : 0));
    return rate === 0 ? gradients : mapPacked((g, p) => add(g, decayed(p)), gradients, params);
  });
