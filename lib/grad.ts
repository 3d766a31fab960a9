/**
 * Reverse-mode differentiation. While a function runs, a tape notes every operation that depends on the watched tensors.
 * Walking the tape backwards, each operation turns the cotangent of its output, dL/dy, into cotangents of its inputs:
 * dL/dxᵢ = (∂y/∂xᵢ)ᵀ · dL/dy, its vjp; cotangents that reach a tensor by several ways add up (the chain rule). That is
 * all: see `walkBack`. Vjps are written in the library's operations, so an outer tape records them in turn, and gradients
 * of gradients need no extra code. The idea: Griewank & Walther 2008, ch. 3; the form: HIPS/autograd.
 */
import type { Params } from '../kernels/device/device.ts';
import * as kernels from '../kernels/plus.ts';
import { born, scoped } from './memory.ts';
import type { Op, Recorder, Saved } from './op.ts';
import { each, elementwise, operation, recorders, sameShapes } from './op.ts';
import { sameShape, show } from './shape.ts';
import { share, Tensor, view, wrap } from './tensor.ts';
import { leaves, map, paths, refill } from './tree.ts';

/** The sum of two tensors of one shape: how cotangents that meet in one tensor combine. */
const plus = operation({
  name: 'plus',
  about: 'y = a + b, of equal shapes',
  domain: { inputs: [{ dims: 'm n' }, { dims: 'm n' }] },
  shape: sameShapes('plus'),
  reference: each((a, b) => a + b),
  launches: (_, __, y) => [{ kernel: kernels.plus, arrays: [0, 1], output: elementwise(y) }],
  vjp: (dy) => [dy, dy],
});

/** The same value as a new variable: what is differentiated for. */
const variable = operation({
  name: 'variable',
  about: 'y = x, as a new variable',
  domain: { inputs: [{ dims: 'm n' }] },
  shape: ([x]) => x,
  reference: each((x) => x),
  launches: () => [],
  vjp: (dy) => [dy],
  view: ([buffer]) => ({ buffer }),
});

/** The same value, through which no gradient flows. */
export const stopGradient = (x: Tensor): Tensor => view(x, x);

/** One operation on the tape: its inputs and its output by identity, and what its vjp uses. */
interface Step {
  readonly op: Op;
  readonly from: readonly number[];
  readonly to: number;
  readonly saved: Saved<Params>;
}

const FREED = 'by the gradient that saved it';

const savedBy = ({ saved }: Step): Tensor[] => [...saved.inputs, saved.output];

/** What a vjp gets of a tensor: a hold of its own, or the shape alone where `keeps` does not name it. */
const save = (x: Tensor, kept: boolean): Tensor => (kept ? share(x) : new Tensor(undefined, x, x.id));

interface Trace<V> {
  readonly value: V;
  readonly variables: Tensor[];
  readonly steps: Step[];
  readonly reached: ReadonlySet<number>;
}

/** Runs `f` on fresh variables while a tape notes every operation that depends on them. */
const trace = <T, V>(f: (tree: T) => V, tree: T): Trace<V> => {
  leaves(tree).forEach((x, i) => {
    if (x.dtype !== 'f32') throw new Error(`grad: '${paths(tree)[i]}' is ${x.dtype}; only f32 tensors have gradients, so pass it from outside`);
  });
  const inputs = map((x) => variable({}, x), tree);
  const variables = leaves(inputs);
  const steps: Step[] = [];
  const reached = new Set(variables.map((x) => x.id));
  const tape: Recorder = {
    record(op, params, from, output) {
      if (op.vjp === undefined || !from.some((x) => reached.has(x.id))) return;
      reached.add(output.id);
      const { keeps = [] } = op;
      steps.push({
        op,
        from: from.map((x) => x.id),
        to: output.id,
        saved: { params, inputs: from.map((x, i) => save(x, keeps.includes(i))), output: save(output, keeps.includes('output')) },
      });
    },
  };
  recorders.push(tape);
  try {
    return { value: scoped(() => f(inputs), 'a differentiated function'), variables, steps, reached };
  } catch (error) {
    steps.flatMap(savedBy).forEach((x) => x.free(FREED));
    throw error;
  } finally {
    recorders.splice(recorders.indexOf(tape), 1);
  }
};

/**
 * From the cotangent `dy` of the tensor `id` to the cotangents of the variables. Each cotangent is let go the moment it
 * is used; `done` is called when a step is behind us.
 */
const walkBack = ({ steps, variables, reached }: Trace<unknown>, id: number, dy: Tensor, done: (step: Step) => void): Tensor[] => {
  const cotangents = new Map([[id, share(dy)]]);
  for (const step of [...steps].reverse()) {
    const dOut = cotangents.get(step.to);
    if (dOut !== undefined) {
      cotangents.delete(step.to);
      scoped(() => {
        step.op.vjp!(dOut, step.saved).forEach((dIn, i) => {
          if (dIn === null || !reached.has(step.from[i])) return;
          checkShape(dIn, step, i);
          const sum = cotangents.get(step.from[i]);
          cotangents.set(step.from[i], share(sum === undefined ? dIn : plus({}, sum, dIn)));
          sum?.free(FREED);
        });
      }, `the vjp of ${step.op.name}`);
      dOut.free(FREED);
    }
    done(step);
  }
  return variables.map((x) => {
    const d = cotangents.get(x.id) ?? constant(x, 0);
    born(d);
    return d;
  });
};

const checkShape = (dIn: Tensor, { op, saved }: Step, i: number) => {
  const { shape } = saved.inputs[i];
  if (!sameShape(dIn.shape, shape)) {
    throw new Error(`the vjp of ${op.name} gave input ${i}, of shape ${show(shape)}, a gradient of shape ${show(dIn.shape)}`);
  }
};

/** A tensor like `x`, on its device, filled with one value. */
const constant = (x: Tensor, value: number): Tensor =>
  wrap(x.buffer.queue.write(new Float64Array(x.size).fill(value)), { shape: x.shape, dtype: 'f32' });

/**
 * `vjp(f, tree)` is `[y, pullback]`: the value of `f(tree)`, a tensor, and the function that maps a cotangent of y (same
 * shape) to the tree of gradients. The pullback owns what it saved until the surrounding scope ends.
 */
export const vjp = <T>(f: (tree: T) => Tensor, tree: T): [Tensor, (dy: Tensor) => T] => {
  const traced = trace(f, tree);
  traced.steps.flatMap(savedBy).forEach(born);
  const { value } = traced;
  return [
    value,
    (dy) => {
      if (!sameShape(dy.shape, value.shape)) {
        throw new Error(`pullback: expected a cotangent of shape ${show(value.shape)}, got ${show(dy.shape)}`);
      }
      return refill(tree, walkBack(traced, value.id, dy, () => undefined));
    },
  ];
};

/** What can be differentiated: a scalar, or a record whose `loss` is one; the rest of the record rides along. */
type Loss = Tensor | { readonly loss: Tensor };

/**
 * `valueAndGrad(f)(tree)` is `[value, gradients]`: the value of `f(tree)` and the tree of the gradients of its loss.
 *
 * Throws when the loss is not a scalar, or a leaf of the tree is not f32.
 */
export const valueAndGrad =
  <T, V extends Loss>(f: (tree: T) => V) =>
  (tree: T): [V, T] =>
    scoped(() => {
      const traced = trace(f, tree);
      const release = (step: Step) => savedBy(step).forEach((x) => x.free(FREED));
      try {
        const { value } = traced;
        const loss = value instanceof Tensor ? value : value.loss;
        if (!(loss instanceof Tensor) || loss.size !== 1) {
          throw new Error(`grad: the function must return a scalar, or a record whose field loss is one; got ${loss}`);
        }
        return [value, refill(tree, walkBack(traced, loss.id, constant(loss, 1), release))];
      } finally {
        traced.steps.forEach(release);
      }
    }, 'grad');

/**
 * `grad(f)(tree)` is the tree of the gradients of the scalar `f(tree)`. When `f` returns a record with a field `loss`, it
 * is that record and `grads` beside it.
 */
export const grad =
  <T, V extends Loss>(f: (tree: T) => V) =>
  (tree: T): V extends Tensor ? T : V & { grads: T } => {
    const [value, grads] = valueAndGrad(f)(tree);
    return (value instanceof Tensor ? grads : { ...value, grads }) as V extends Tensor ? T : V & { grads: T };
  };
