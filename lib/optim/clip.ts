/**
 * Clipping by the global norm (Pascanu et al. 2013): when the norm of all gradients together exceeds a limit, all are
 * scaled down by the same factor, so their direction stays: g ← g · limit / max(‖g‖, limit).
 */
import { div, maximum, mul, sqrt } from '../ops/arith.ts';
import { pack } from '../ops/pack.ts';
import { sumSquares } from '../ops/reduce.ts';
import type { Tensor } from '../tensor.ts';
import { leaves } from '../tree.ts';
import { mapPacked, packed } from './packed.ts';
import type { Transform } from './transform.ts';
import { stateless } from './transform.ts';

/** ‖g‖: the square root of the sum of the squares of all elements of all tensors of a tree; a scalar. */
export const globalNorm = (tree: unknown): Tensor => sqrt(sumSquares(pack(leaves(tree))));

/** Scales all gradients down together when their global norm exceeds `limit` (1 in ELECTRA). */
export const clipByGlobalNorm = (limit: number): Transform =>
  stateless((gradients) => {
    const all = packed(gradients);
    const scale = div(limit, maximum(globalNorm(all), limit));
    return mapPacked((g) => mul(g, scale), all);
  });
