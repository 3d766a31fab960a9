/**
 * Checking a gradient against differences: for every element of every argument, the slope that `vjp` claims is compared
 * with (L(x + h) − L(x − h)) / 2h, where L is a fixed mixture of the function's outputs. Use it on your own functions; on
 * the `reference` device, which computes in double precision, it finds errors of one part in a million.
 */
import { grad } from './grad.ts';
import { mul } from './ops/arith.ts';
import { sum } from './ops/reduce.ts';
import { scoped } from './memory.ts';
import { show } from './shape.ts';
import type { Tensor } from './tensor.ts';
import { view, wrap } from './tensor.ts';
import { leaves, map, paths } from './tree.ts';

/** Weights of the outputs in the mixture L: fixed, different, none near 0. */
const weight = (i: number) => Math.sin(i + 1) + (i % 2 === 0 ? 1.5 : -1.5);

const like = (x: Tensor, values: ArrayLike<number>): Tensor =>
  wrap(x.buffer.queue.write(Float64Array.from(values)), { shape: x.shape, dtype: x.dtype });

/** The values of the tensors that `f` returns; all that it made is freed. */
const read = async (f: () => Tensor[]): Promise<ArrayLike<number>[]> => {
  const tensors = scoped(() => f().map((x) => view(x, x)));
  const values = await Promise.all(tensors.map((x) => x.data()));
  tensors.forEach((x) => x.free('after checkGradients read it'));
  return values;
};

/** The element as a person would write it: `argument 2, .kernel[1 3]`. */
const name = (argument: number, path: string, x: Tensor, index: number): string => {
  let rest = index;
  const position = [...x.shape].reverse().map((n) => {
    const i = rest % n;
    rest = (rest - i) / n;
    return i;
  });
  return `argument ${argument + 1}${path === '' ? '' : `, ${path}`}, element ${show(position.reverse())}`;
};

/**
 * Compares the gradient of `f`, a function of tensors or trees of them that returns a tensor, with central differences at
 * `args`. Rejects with the first wrong element: which argument, which element, what was claimed, what was measured.
 * Arguments of dtype i32 are left alone. Costs two evaluations of `f` for each element.
 */
export const checkGradients = async <Arguments extends unknown[]>(f: (...args: Arguments) => Tensor, ...args: Arguments): Promise<void> => {
  const all = leaves(args);
  if (all.length === 0) throw new Error('checkGradients: expected at least one tensor among the arguments');
  const queue = all[0].buffer.queue;
  const { precision } = await queue.opened;
  const [step, tolerance] = precision === 'f64' ? [1e-5, 1e-6] : [2 ** -6, 1e-2];

  // The f32 tensors of the arguments, as one list to differentiate for; `rebuild` puts a list back into the arguments.
  const inputs = all.filter((x) => x.dtype === 'f32');
  const names = args.flatMap((arg, i) => {
    const list = paths(arg);
    return leaves(arg).flatMap((x, j) => (x.dtype === 'f32' ? [{ argument: i, path: list[j] }] : []));
  });
  const rebuild = (list: readonly Tensor[]): Arguments => {
    let next = 0;
    return map((x) => (x.dtype === 'f32' ? list[next++] : x), args);
  };

  /** L, with other values in one of the inputs. */
  const mixture = async (which: number, values: Float64Array): Promise<number> => {
    const [y] = await read(() => [f(...rebuild(inputs.map((x, j) => (j === which ? like(x, values) : x))))]);
    return Array.from(y).reduce((total, v, i) => total + weight(i) * v, 0);
  };

  const gradients = await read(() =>
    grad((list: Tensor[]) => {
      const y = f(...rebuild(list));
      return sum(mul(y, like(y, Float64Array.from({ length: y.size }, (_, i) => weight(i)))));
    })(inputs),
  );

  for (const [which, x] of inputs.entries()) {
    const values = Float64Array.from(await x.data());
    const claimed = gradients[which];
    const { argument, path } = names[which];
    for (let i = 0; i < values.length; i++) {
      const h = step * Math.max(1, Math.abs(values[i]));
      const shifted = async (by: number) => {
        const moved = values.slice();
        moved[i] += by;
        return mixture(which, moved);
      };
      const measured = ((await shifted(h)) - (await shifted(-h))) / (2 * h);
      const scale = 1 + Math.abs(measured);
      if (!(Math.abs(claimed[i] - measured) <= tolerance * scale)) {
        throw new Error(`checkGradients: ${name(argument, path, x, i)}: the gradient says ${claimed[i]}, differences say ${measured}`);
      }
    }
  }
};
