/**
 * Clipping by the global norm (Pascanu et al. 2013): when the norm of all gradients together exceeds a limit, all are
 * scaled down by the same factor, so their direction stays: g ← g · limit / max(‖g‖, limit).
 */
import { add, div, maximum, mul, sqrt, square } from '../ops/arith.ts';
import { sum } from '../ops/reduce.ts';
import type { Tensor } from '../tensor.ts';
import { leaves, map } from '../tree.ts';
import type { Transform } from './transform.ts';
import { stateless } from './transform.ts';

/** ‖g‖: the square root of the sum of the squares of all elements of all tensors of a tree; a scalar. */
export const globalNorm = (tree: unknown): Tensor => sqrt(leaves(tree).map((g) => sum(square(g))).reduce((a, b) => add(a, b)));

/** Scales all gradients down together when their global norm exceeds `limit` (1 in ELECTRA). */
export const clipByGlobalNorm = (limit: number): Transform =>
  stateless((gradients) => {
    const scale = div(limit, maximum(globalNorm(gradients), limit));
    return map((g) => mul(g, scale), gradients);
  });
