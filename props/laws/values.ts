/** The generic laws of values and of memory; see laws.ts. */
import type { DeviceName } from '../../kernels/device/device.ts';
import { useDevice } from '../../kernels/device/choose.ts';
import { scoped } from '../../lib/memory.ts';
import type { Op } from '../../lib/op.ts';
import { apply } from '../../lib/op.ts';
import { sameShape, show, sizeOf } from '../../lib/shape.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { live } from '../../lib/tensor.ts';
import { assertClose, evaluate, largest, rounding } from './close.ts';
import type { Sample } from './draw.ts';
import { referenceOf } from './draw.ts';
import type { Check } from './samples.ts';
import { cotangentOf, forCases, pullBack, real, tensors } from './samples.ts';

/** An array of zeros that calls `wrote(i)` for every element that is written, inside its bounds or not. */
const watched = (size: number, wrote: (index: number) => void): Float64Array =>
  new Proxy(new Float64Array(size), {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      if (key === 'fill' || key === 'set') wrote(size - 1);
      return value.bind(target);
    },
    set(target, key, value: number) {
      wrote(Number(key));
      target[Number(key)] = value;
      return true;
    },
  });

/** Runs the definition and throws when it writes outside the shape that the shape rule gives; whether it wrote the last element. */
export const fillsTheLast = (op: Op, { inputs, params, specs, output }: Sample): boolean => {
  const size = sizeOf(output.shape);
  let filled = false;
  const out = watched(size, (index) => {
    if (!(index < size)) throw new Error(`${op.name}: the definition writes element ${index} of ${show(output.shape)}`);
    filled ||= index === size - 1;
  });
  op.reference([...inputs], out, params, specs, output);
  if (out.some(Number.isNaN)) throw new Error(`${op.name}: the definition reads what is not there, and so gives NaN`);
  return filled;
};

const assertShape: Check = async (op, sample, device) => {
  const { params, specs, output } = sample;
  const size = sizeOf(output.shape);
  fillsTheLast(op, sample);
  const last = op.launches(params, specs, output).at(-1) ?? { output: output.shape };
  const [{ values }] = await evaluate(device, () => [apply(op.name, params, ...tensors(sample))]);
  for (const [count, what] of [
    [(last.at ?? 0) + sizeOf(last.output), 'its kernels compute'],
    [values.length, `on ${device} it gives`],
  ] as const) {
    if (count !== size) throw new Error(`${op.name}: ${what} ${count} elements of ${show(output.shape)}`);
  }
};

export const shape = forCases(20, assertShape, undefined, 20);

/** Operations whose real numbers are bits: equal on every device. */
const exact = new Set(['uniform']);

/** How far a device may be from the definition, whose largest number is given. */
export const toleranceOf = (op: Op, sample: Sample, most: number): number => {
  if (sample.output.dtype !== 'f32' || exact.has(op.name)) return 0;
  const size = sample.inputs.reduce((product, x) => product * Math.max(1, largest(x)), 1);
  return rounding(sample) * Math.max(most, real(sample).length ? size : 1);
};

export const assertKernel = async (op: Op, sample: Sample, device: DeviceName) => {
  const [{ shape, values }] = await evaluate(device, () => [apply(op.name, sample.params, ...tensors(sample))]);
  if (!sameShape(shape, sample.output.shape))
    throw new Error(`${op.name} gives ${show(shape)}, its rule says ${show(sample.output.shape)}`);
  const expected = referenceOf(op, sample, sample.inputs);
  assertClose(values, expected, device === 'reference' ? 0 : toleranceOf(op, sample, largest(expected)), op.name);
};

export const kernel = forCases(20, assertKernel);

export const assertMemory = async (op: Op, sample: Sample, device: DeviceName) => {
  await useDevice(device);
  const before = live();
  const rises = (f: () => Tensor[], allowed: number, what: string) => {
    const outputs = scoped(f);
    const more = live() - before;
    outputs.forEach((x) => x.free('after it was counted'));
    if (more > allowed)
      throw new Error(`${op.name}: ${what} leaves ${more} buffers alive, ${allowed} at most are its result`);
    if (live() !== before) throw new Error(`${op.name}: ${live() - before} buffers outlive ${what} and its result`);
  };
  rises(() => [apply(op.name, sample.params, ...tensors(sample))], 1, 'a call');
  if (op.vjp) rises(() => pullBack(op, sample, cotangentOf(sample)), real(sample).length, 'a gradient');
};

export const memory = forCases(5, assertMemory);
