/** A law over random samples of an operation, and what laws say about a sample: its tensors, its gradients. */
import fc from 'fast-check';
import type { DeviceName } from '../../kernels/device/device.ts';
import { vjp } from '../../lib/grad.ts';
import type { Op } from '../../lib/op.ts';
import { apply } from '../../lib/op.ts';
import { sizeOf } from '../../lib/shape.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { tensor } from '../../lib/tensor.ts';
import type { Case, Sample } from './draw.ts';
import { casesOf, sampleOf } from './draw.ts';

/** Something that must hold for an operation on a device; rejects with a counterexample. */
export type Law = (op: Op, device: DeviceName) => Promise<void>;

export type Check = (op: Op, sample: Sample, device: DeviceName) => Promise<void>;

/** Checks something on many random samples of an operation: as many as RUNS says, else `runs`, but no fewer than `least`. */
export const forCases =
  (runs: number, check: Check, adjust = (chosen: Case): Case => chosen, least = 1): Law =>
  async (op, device) => {
    const { numRuns = runs } = fc.readConfigureGlobal();
    const property = fc.asyncProperty(casesOf(op), async (chosen) => {
      const sample = sampleOf(op, adjust(chosen));
      if (sample !== undefined) await check(op, sample, device);
    });
    await fc.assert(property, { numRuns: Math.max(numRuns, least) });
  };

/** Laws of slopes need points where there is one: no two numbers equal. */
export const smooth = (chosen: Case): Case => ({ ...chosen, ties: false });

/** The arguments as tensors on the current device. */
export const tensors = ({ inputs, specs }: Sample): Tensor[] =>
  inputs.map((x, i) => tensor(x, specs[i].shape, specs[i].dtype));

/** Which arguments are real numbers, and so have gradients. */
export const real = ({ specs }: Sample): number[] => specs.flatMap(({ dtype }, i) => (dtype === 'f32' ? [i] : []));

/** The operation as a function of its real arguments. */
export const ofReal =
  (op: Op, sample: Sample) =>
  (xs: readonly Tensor[]): Tensor => {
    const all = tensors(sample);
    real(sample).forEach((i, j) => (all[i] = xs[j]));
    return apply(op.name, sample.params, ...all);
  };

/** n random numbers between −1 and 1, exact in float32. */
export const direction = ({ random }: Sample, n: number): Float64Array =>
  Float64Array.from({ length: n }, () => Math.fround(2 * random() - 1));

export const cotangentOf = (sample: Sample) => direction(sample, sizeOf(sample.output.shape));

/** The gradients of ⟨dy, f(x)⟩ for the real arguments, by the vjp, on the current device. */
export const pullBack = (op: Op, sample: Sample, dy: ArrayLike<number>): Tensor[] => {
  const all = tensors(sample);
  const [, pullback] = vjp(
    ofReal(op, sample),
    real(sample).map((i) => all[i]),
  );
  return pullback(tensor(dy, sample.output.shape));
};
