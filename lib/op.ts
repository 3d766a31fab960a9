/**
 * What an operation is: one declaration on which everything hangs that a reader, the library and the tests need. Its
 * shape rule; a reference, the textbook definition in double-precision loops; the kernels that it launches; its vjp (the
 * product of a cotangent with the Jacobian), written with the library's own operations so that gradients of gradients
 * exist; and its domain, which tells the tests how to draw arguments. `operation` registers the declaration and returns
 * the function that applies it.
 */
import type { Params, Runnable, Values } from '../kernels/device/device.ts';
import type { Held } from '../kernels/device/queue.ts';
import type { Shape, Spec } from './shape.ts';
import { sameShape, show, sizeOf } from './shape.ts';
import type { Place, Tensor } from './tensor.ts';
import { queueOf, view, wrap } from './tensor.ts';

/** How a test draws one argument: sizes by name ('b t'), a range of numbers, or integers below a named size. */
export interface Draw {
  readonly dims: string;
  /** Real numbers in this range; −2 to 2 unless told otherwise. */
  readonly range?: readonly [number, number];
  /** Whole numbers from `from` (0) up to, not including, this size or number; the argument is then i32. */
  readonly below?: string | number;
  readonly from?: number;
}

/** How a test draws the arguments of an operation. */
export interface Domain<P extends Params> {
  readonly inputs: readonly Draw[];
  /** Parameters for the drawn sizes; `pick(n)` is a random whole number below n. */
  readonly params?: (sizes: Readonly<Record<string, number>>, pick: (below: number) => number) => P;
}

/** What a vjp may use: the inputs and the output as far as `keeps` names them (of the others, the shapes), and the parameters. */
export interface Saved<P extends Params> {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly params: P;
}

export interface Op<P extends Params = Params> extends Runnable<P> {
  /** One sentence, with the formula. */
  readonly about: string;
  /** Its arguments, or several ways to draw them. */
  readonly domain: Domain<P> | readonly Domain<P>[];
  /** The shape and type of the result. Throws when the inputs do not fit, with what was expected and what came. */
  readonly shape: (inputs: readonly Spec[], params: P) => Spec;
  /** The cotangent of each input, given that of the output; null for an input without gradient. */
  readonly vjp?: (dy: Tensor, saved: Saved<P>) => (Tensor | null)[];
  /** Whose values the vjp uses: indices of inputs, and 'output'. Nothing else stays in memory for it. */
  readonly keeps?: readonly (number | 'output')[];
  /** Where the result lies already, in what the inputs share; then nothing is launched. */
  readonly view?: (inputs: readonly Held[], params: P) => Place | undefined;
}

/** All operations, by name: what the generic laws run over. */
export const registry = new Map<string, Op>();

/** Somebody who writes operations down as they happen: a gradient tape. */
export interface Recorder {
  record(op: Op, params: Params, inputs: readonly Tensor[], output: Tensor): void;
}

/** The open tapes, innermost last. */
export const recorders: Recorder[] = [];

const launch = (op: Op, params: Params, inputs: readonly Tensor[], spec: Spec): Tensor => {
  const specs = inputs.map(({ shape, dtype }) => ({ shape, dtype }));
  return wrap(queueOf(inputs, op.name).launch(op, params, inputs.map((x) => x.buffer), specs, spec), spec);
};

const invoke = (op: Op, params: Params, inputs: readonly Tensor[]): Tensor => {
  const spec = op.shape(inputs, params);
  const place = op.view?.(inputs.map((x) => x.buffer), params);
  const output = place === undefined ? launch(op, params, inputs, spec) : view(place, spec);
  for (const tape of recorders) tape.record(op, params, inputs, output);
  return output;
};

/** Registers an operation and returns the function that applies it: `(parameters, ...inputs) => output`. */
export const operation = <P extends Params = Record<never, never>>(
  declaration: Op<P>,
): ((params: P, ...inputs: Tensor[]) => Tensor) => {
  const op = declaration as unknown as Op;
  if (registry.has(op.name)) throw new Error(`operation: there are two operations named '${op.name}'`);
  registry.set(op.name, op);
  return (params, ...inputs) => invoke(op, params, inputs);
};

/** Applies a registered operation by name. */
export const apply = (name: string, params: Params, ...inputs: Tensor[]): Tensor => {
  const op = registry.get(name);
  if (op === undefined) throw new Error(`apply: there is no operation '${name}'`);
  return invoke(op, params, inputs);
};

/** The shape rule of operations whose arguments all have one shape. */
export const sameShapes = (name: string) => (inputs: readonly Spec[]): Spec => {
  const [first, ...rest] = inputs;
  for (const x of rest) {
    if (!sameShape(x.shape, first.shape)) {
      throw new Error(`${name}: expected equal shapes, got ${inputs.map((s) => show(s.shape)).join(', ')}`);
    }
  }
  return { shape: first.shape, dtype: 'f32' };
};

/** Throws unless ids are i32: a table is looked up by whole numbers. */
export const requireIds = (name: string, spec: Spec): void => {
  if (spec.dtype !== 'i32') throw new Error(`${name}: expected ids of dtype i32, got f32 ${show(spec.shape)}; make them with tensor(…, 'i32')`);
};

/**
 * How many keys a tensor holds: one [4], or a list of k [k, 4]. Throws on others, and when `shape`, which is to be drawn in
 * as many equal parts along its leading axis, does not divide.
 */
export const keysOf = (name: string, keys: Spec, shape?: Shape): number => {
  const count = keys.shape.length === 1 ? 1 : keys.shape[0];
  if (keys.dtype !== 'i32' || keys.shape.at(-1) !== 4 || keys.shape.length > 2) {
    throw new Error(`${name}: expected a key, made by key(seed), split or fold, or a list of keys [k 4]; got ${keys.dtype} ${show(keys.shape)}`);
  }
  if (shape !== undefined && keys.shape.length === 2 && shape[0] % count !== 0) {
    throw new Error(`${name}: ${count} keys draw ${count} equal parts along the leading axis, into which ${show(shape)} does not divide`);
  }
  return count;
};

/** Fills `out` element by element: the reference of an elementwise operation. */
export const each =
  (f: (...x: number[]) => number) =>
  (inputs: Values[], out: Values): void => {
    for (let i = 0; i < out.length; i++) out[i] = f(...inputs.map((x) => x[i]));
  };

/** The grid of an elementwise kernel: one thread an element. */
export const elementwise = (spec: Spec): number[] => [sizeOf(spec.shape)];
