/** Reading what a device computed, and comparing it with what it should be. */
import type { DeviceName } from '../../kernels/device/device.ts';
import { useDevice } from '../../kernels/device/choose.ts';
import { stopGradient } from '../../lib/grad.ts';
import { scoped } from '../../lib/memory.ts';
import type { Shape } from '../../lib/shape.ts';
import type { Tensor } from '../../lib/tensor.ts';
import type { Sample } from './draw.ts';

export interface Result {
  readonly shape: Shape;
  readonly values: ArrayLike<number>;
}

/** Runs `f` on a device, reads the tensors that it returns, and lets go of all that it made. */
export const evaluate = async (device: DeviceName, f: () => Tensor[]): Promise<Result[]> => {
  await useDevice(device);
  const tensors = scoped(() => f().map(stopGradient));
  const values = await Promise.all(tensors.map((x) => x.data()));
  tensors.forEach((x) => x.free('after it was read'));
  return tensors.map(({ shape }, i) => ({ shape, values: values[i] }));
};

export const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, v) => Math.max(most, Math.abs(v)), 0);

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, v, i) => sum + v * b[i], 0);

/** Rounding errors of float32, 2^-24, for each of the terms of the longest sum that the arguments allow, with room for those of functions. */
export const rounding = ({ specs, output }: Pick<Sample, 'specs' | 'output'>): number =>
  2 ** -23 * (16 + Math.max(1, ...[...specs, output].flatMap(({ shape }) => shape)));

/** Fails at the first element that differs from what is expected by more than the tolerance. */
export const assertClose = (
  came: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void => {
  if (came.length !== expected.length)
    throw new Error(`${what}: ${came.length} numbers came, expected ${expected.length}`);
  for (let i = 0; i < came.length; i++) {
    const same = Object.is(came[i], expected[i]) || Math.abs(came[i] - expected[i]) <= tolerance;
    if (!same) throw new Error(`${what}: element ${i} is ${came[i]}, expected ${expected[i]} within ${tolerance}`);
  }
};
