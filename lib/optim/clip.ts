/**
 * Clipping by the global norm (Pascanu et al. 2013): when the norm of all gradients together exceeds a limit, all are
 * scaled down by the same factor, so their direction stays: g ← g · limit / max(‖g‖, limit).
 */
import { div, maximum, mul, sqrt } from '../ops/arith.ts';
import { pack } from '../ops/pack.ts';
import { sumSquares } from '../ops/reduce.ts';
import type { Tensor } from '../tensor.ts';
import { leaves } from '../tree.ts';
import { mapPacked } from './packed.ts';
import type { Transform } from './transform.ts';
import { stateless } from './transform.ts';

const norm = (x: Tensor): Tensor => sqrt(sumSquares(x));

/** ‖g‖: the square root of the sum of the squares of all elements of all tensors of a tree; a scalar. */
export const globalNorm = (tree: unknown): Tensor => norm(pack(leaves(tree)));

/** Scales all gradients down together when their global norm exceeds `limit` (1 in ELECTRA). */
export const clipByGlobalNorm = (limit: number): Transform =>
  stateless((gradients) => mapPacked((g) => mul(g, div(limit, maximum(norm(g), limit))), gradients));
