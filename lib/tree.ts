/**
 * Trees of tensors: plain objects and arrays, nested as one likes, with tensors as leaves. Parameters, gradients,
 * optimiser states, batches and metrics are all such trees, so one `map` serves them all. What is not a tensor (a
 * number, a string, a configuration) is carried along untouched. A leaf's path is the keys that lead to it, joined by
 * dots: `generator.encoder.3.attention.query.kernel`.
 */
import type { Tensor } from './tensor.ts';

/** Marks a class whose values are leaves; `Tensor` carries it, so this file need not know more of it. */
export const leaf: unique symbol = Symbol('leaf');

const isTensor = (x: unknown): x is Tensor => typeof x === 'object' && x !== null && leaf in x;

const isBranch = (x: unknown): x is Record<string, unknown> => {
  if (typeof x !== 'object' || x === null) return false;
  const prototype: unknown = Object.getPrototypeOf(x);
  return prototype === Object.prototype || prototype === null || Array.isArray(x);
};

const below = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

const collect = (tree: unknown, found: Tensor[]): Tensor[] => {
  if (Array.isArray(tree)) for (const child of tree) collect(child, found);
  else if (isTensor(tree)) found.push(tree);
  else if (isBranch(tree)) for (const key in tree) collect(tree[key], found);
  return found;
};

/** All tensors of a tree, in the order of its keys. */
export const leaves = (tree: unknown): Tensor[] => collect(tree, []);

/** The paths of all tensors of a tree, in the order of `leaves`. */
export const paths = (tree: unknown): string[] => {
  const found: string[] = [];
  mapPaths((path) => found.push(path), tree);
  return found;
};

type Visit = (path: string, x: Tensor, ...rest: Tensor[]) => unknown;

const replace = (f: Visit, node: unknown, others: unknown[], path: string): unknown => {
  if (isTensor(node)) {
    others.forEach((other, i) => {
      if (!isTensor(other)) throw new Error(`map: tree ${i + 2} has no tensor at '${path}', where the first tree has one`);
    });
    return f(path, node, ...(others as Tensor[]));
  }
  if (!isBranch(node)) return node;
  const copy = (Array.isArray(node) ? [] : {}) as Record<string, unknown>;
  for (const key of Object.keys(node)) {
    copy[key] = replace(f, node[key], others.map((other) => (isBranch(other) ? other[key] : undefined)), below(path, key));
  }
  return copy;
};

/**
 * The tree with every tensor replaced by `f(path, tensor, …)`, called with the tensors at the same place in the other
 * trees. Throws when another tree lacks a tensor there.
 */
export const mapPaths = <T>(f: Visit, tree: T, ...rest: unknown[]): T => replace(f, tree, rest, '') as T;

/** The tree with every tensor replaced by `f(tensor, …)`: `map(add, params, updates)`. */
export const map = <T>(f: (x: Tensor, ...rest: Tensor[]) => unknown, tree: T, ...rest: unknown[]): T =>
  mapPaths((_, x, ...others) => f(x, ...others), tree, ...rest);

/** The tree with its tensors replaced by those of a list, in the order of `leaves`. */
export const refill = <T>(tree: T, tensors: readonly Tensor[]): T => {
  let next = 0;
  return map(() => tensors[next++], tree);
};

/** The tree whose tensors are at these paths; keys that are numbers from 0 on make an array. The inverse of `paths`. */
export const unflatten = (entries: Iterable<readonly [path: string, value: unknown]>): unknown => {
  const root: Record<string, unknown> = {};
  for (const [path, value] of entries) {
    const keys = path.split('.');
    const last = keys.pop()!;
    let node = root;
    for (const key of keys) node = (node[key] ??= {}) as Record<string, unknown>;
    node[last] = value;
  }
  const arrays = (node: unknown): unknown => {
    if (!isBranch(node)) return node;
    const keys = Object.keys(node);
    const children = Object.fromEntries(keys.map((key) => [key, arrays(node[key])]));
    const isList = keys.length > 0 && keys.every((key) => /^\d+$/.test(key) && Number(key) < keys.length);
    return isList ? keys.map((_, i) => children[i]) : children;
  };
  return arrays(root);
};
