/**
 * What an optimiser does to every element alike, done to all parameters at once. The leaves of a tree are packed into one
 * flat tensor (ops/pack.ts), an operation is applied to it, and the leaves of the result are its parts: a launch instead of
 * one a leaf. What was packed once lies packed from then on, so only fresh gradients are copied.
 */
import { scoped } from '../memory.ts';
import { reshape } from '../ops/axes.ts';
import { pack, unpack } from '../ops/pack.ts';
import { scaleRuns } from '../ops/runs.ts';
import type { DType } from '../shape.ts';
import { ALIGNED, blocksOf, sameShape, show } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { wrap } from '../tensor.ts';
import { leaves, mapPaths, paths, refill } from '../tree.ts';

/**
 * Applies `f` once to all leaves of some trees together; each tensor of the list that it returns becomes a tree. `f` is
 * elementwise, and 0 where its arguments are 0, since between the leaves lie zeros that should stay so.
 *
 * Throws when the trees' leaves differ in place or shape.
 */
export const together = <T>(f: (x: Tensor, ...rest: Tensor[]) => Tensor[], tree: T, ...rest: unknown[]): T[] => {
  const rows: Tensor[][] = [];
  mapPaths((path, x, ...others) => {
    for (const { shape } of others) {
      if (!sameShape(shape, x.shape)) throw new Error(`together: the trees have ${show(x.shape)} and ${show(shape)} at '${path}'`);
    }
    rows.push([x, ...others]);
  }, tree, ...rest);
  const like = rows.map(([x]) => x);
  return scoped(() => {
    const [x, ...others] = [tree, ...rest].map((_, column) => pack(rows.map((row) => row[column])));
    return f(x, ...others).map((y) => refill(tree, unpack(y, like)));
  }, 'together');
};

/** `map(f, tree, …)`, launched once for all leaves: `together` with one result. */
export const mapPacked = <T>(f: (x: Tensor, ...rest: Tensor[]) => Tensor, tree: T, ...rest: unknown[]): T =>
  together((...xs) => [f(...xs)], tree, ...rest)[0];

/** The tree with its leaves packed: what an optimiser then need not do. */
export const packed = <T>(tree: T): T => mapPacked((x) => x, tree);

/** A function for `mapPacked` that multiplies each leaf of the tree by the number that belongs to its path. */
export const scalePacked = (tree: unknown, factor: (path: string) => number): ((x: Tensor) => Tensor) => {
  const blocks = leaves(tree).map(({ size }) => blocksOf(size));
  const factors = paths(tree).map(factor);
  return (x) => {
    const list = (values: number[], dtype: DType) => wrap(x.buffer.queue.write(values), { shape: [values.length], dtype });
    return reshape(scaleRuns(reshape(x, [-1, ALIGNED]), list(blocks, 'i32'), list(factors, 'f32')), x.shape);
  };
};
