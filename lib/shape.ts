/**
 * Shapes: lists of sizes, outermost axis first, for buffers that are always contiguous (row-major). Everything here is
 * arithmetic on small lists: how many elements, how two shapes broadcast (NumPy's rule: align at the right; an axis of
 * size 1 stretches), and `dims`, which names the axes of a tensor, checks them and documents them in one line.
 */

export type Shape = readonly number[];
export type DType = 'f32' | 'i32';

/** What is known of a tensor before its values are: its shape and its element type. */
export interface Spec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Number of elements: the product of the sizes; 1 for a scalar. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);

/** `[2 3]`, as shapes are written in every error. */
export const show = (shape: Shape): string => `[${shape.join(' ')}]`;

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i]);

/** Elements to step over for one more along each axis. */
export const stridesOf = (shape: Shape): number[] => {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
};

/** The axis as a number from 0; negative ones count from the end. Throws when there is no such axis. */
export const axisOf = (axis: number, shape: Shape, name: string): number => {
  const found = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(axis) || found < 0 || found >= shape.length) {
    throw new Error(`${name}: there is no axis ${axis} in ${show(shape)}; choose one from 0 to ${shape.length - 1}`);
  }
  return found;
};

/** The shape to which both broadcast. Throws when an axis differs and neither side is 1. */
export const broadcastShapes = (a: Shape, b: Shape, name: string): number[] => {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const m = a[i - rank + a.length] ?? 1;
    const n = b[i - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw new Error(`${name}: ${show(a)} and ${show(b)} do not broadcast: axis ${i} is ${m} in one and ${n} in the other`);
    }
    return m === 1 ? n : m;
  });
};

/** The sizes outside, along and inside one axis: the shape seen as `[outer, along, inner]`. */
export const around = (shape: Shape, axis: number): { outer: number; along: number; inner: number } => ({
  outer: sizeOf(shape.slice(0, axis)),
  along: shape[axis],
  inner: sizeOf(shape.slice(axis + 1)),
});

/** The shape seen as rows of its last axis: `[rows, columns]`. A scalar is one row of one. */
export const rowsOf = (shape: Shape): { rows: number; columns: number } => ({
  rows: sizeOf(shape.slice(0, -1)),
  columns: shape.at(-1) ?? 1,
});

/** Tensors that lie in one buffer begin at multiples of so many elements: 256 bytes, to which WebGPU binds. */
export const ALIGNED = 64;

/** The blocks of `ALIGNED` elements that a tensor of this size takes there: one at least, so that each has a place of its own. */
export const blocksOf = (size: number): number => Math.max(1, Math.ceil(size / ALIGNED));

/** With which block tensors of these sizes begin that lie one after another; at last, the blocks of all. */
export const startsOf = (sizes: readonly number[]): number[] => {
  const starts = [0];
  for (const size of sizes) starts.push(starts.at(-1)! + blocksOf(size));
  return starts;
};

type Letters<Names extends string> = Names extends `${infer First} ${infer Rest}` ? First | Letters<Rest> : Names;

/**
 * Names the axes of a tensor and returns their sizes: `const { b, t, c } = dims(x, 'b t c')`. A name that occurs twice
 * must have one size; a number instead of a name is a size to check (`'b t 1'`).
 */
export const dims = <Names extends string>(x: { readonly shape: Shape }, names: Names): Record<Letters<Names>, number> => {
  const list = names === '' ? [] : names.split(' ');
  if (list.length !== x.shape.length) {
    throw new Error(`dims: expected the ${list.length} axes '${names}', got a tensor of shape ${show(x.shape)}`);
  }
  const sizes: Record<string, number> = {};
  list.forEach((name, axis) => {
    const expected = /^\d+$/.test(name) ? Number(name) : sizes[name];
    if (expected !== undefined && expected !== x.shape[axis]) {
      throw new Error(`dims: axis ${axis} of ${show(x.shape)} is ${x.shape[axis]}, but '${names}' makes '${name}' ${expected}`);
    }
    sizes[name] = x.shape[axis];
  });
  return sizes as Record<Letters<Names>, number>;
};
