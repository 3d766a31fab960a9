/**
 * The generic laws: what must hold for any operation on any device, checked from its declaration alone. Write x for its
 * arguments, y = f(x) for the definition in double precision (`reference`), J for its Jacobian ∂y/∂x.
 *
 *   shape      the shape rule says what the definition fills
 *   kernel     the device computes what the definition says; whole numbers and random bits exactly
 *   gradient   ⟨u, J·v⟩, by differences of the definition, is ⟨Jᵀ·u, v⟩, by the vjp; of each argument by itself
 *   shapes     each gradient has its argument's shape
 *   linear     the vjp is linear in the cotangent
 *   second     the vjp's own gradient obeys the gradient law
 *   memory     a scoped call leaves one buffer more; a scoped gradient, one for each argument
 *   edges      all of it with an empty axis, and with one element
 *
 * A law is a function of an operation and a device; it rejects with a counterexample.
 */
import fc from 'fast-check';
import type { DeviceName } from '../../kernels/device/device.ts';
import { useDevice } from '../../kernels/device/choose.ts';
import { vjp } from '../../lib/grad.ts';
import { scoped } from '../../lib/memory.ts';
import type { Op } from '../../lib/op.ts';
import { apply } from '../../lib/op.ts';
import { add, mul } from '../../lib/ops/arith.ts';
import { sum } from '../../lib/ops/reduce.ts';
import { sameShape, show, sizeOf } from '../../lib/shape.ts';
import { live, Tensor, tensor } from '../../lib/tensor.ts';
import { assertClose, dot, evaluate, largest, rounding } from './close.ts';
import type { Case, Sample } from './draw.ts';
import { casesOf, domainsOf, namesOf, referenceOf, sampleOf } from './draw.ts';

export type Law = (op: Op, device: DeviceName) => Promise<void>;

type Check = (op: Op, sample: Sample, device: DeviceName) => Promise<void>;

/** Checks something on many random samples of an operation: as many as RUNS says, else `runs`, but no fewer than `least`. */
const forCases =
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
const smooth = (chosen: Case): Case => ({ ...chosen, ties: false });

/** The arguments as tensors on the current device. */
const tensors = ({ inputs, specs }: Sample): Tensor[] =>
  inputs.map((x, i) => tensor(x, specs[i].shape, specs[i].dtype));

/** Which arguments are real numbers, and so have gradients. */
const real = ({ specs }: Sample): number[] => specs.flatMap(({ dtype }, i) => (dtype === 'f32' ? [i] : []));

/** The operation as a function of its real arguments. */
const ofReal =
  (op: Op, sample: Sample) =>
  (xs: readonly Tensor[]): Tensor => {
    const all = tensors(sample);
    real(sample).forEach((i, j) => (all[i] = xs[j]));
    return apply(op.name, sample.params, ...all);
  };

/** n random numbers between −1 and 1, exact in float32. */
const direction = ({ random }: Sample, n: number): Float64Array =>
  Float64Array.from({ length: n }, () => Math.fround(2 * random() - 1));

const cotangentOf = (sample: Sample) => direction(sample, sizeOf(sample.output.shape));

/** The gradients of ⟨dy, f(x)⟩ for the real arguments, by the vjp, on the current device. */
const pullBack = (op: Op, sample: Sample, dy: ArrayLike<number>): Tensor[] => {
  const all = tensors(sample);
  const [, pullback] = vjp(
    ofReal(op, sample),
    real(sample).map((i) => all[i]),
  );
  return pullback(tensor(dy, sample.output.shape));
};

const moved = (x: Float64Array, v: Float64Array, by: number) => x.map((value, i) => value + by * v[i]);

/** dL/dt at 0 by central differences of fourth order, with steps so small that they pass no kink between two numbers. */
const slopeOf = async (along: (t: number) => number | Promise<number>): Promise<number> => {
  const h = 2e-5;
  const difference = async (t: number) => (await along(t)) - (await along(-t));
  return (8 * (await difference(h)) - (await difference(2 * h))) / (12 * h);
};

/** Differences in double precision are this good; pullbacks on a device as good as its sums. */
const gradientTolerance = (sample: Sample, device: DeviceName, size: number) =>
  (device === 'reference' ? 1e-6 : 8 * rounding(sample)) * (1 + size);

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

const shape: Law = async (op, device) => {
  let filled = false;
  const check: Check = async (op, sample, device) => {
    const { params, specs, inputs, output } = sample;
    const size = sizeOf(output.shape);
    const out = watched(size, (index) => {
      if (!(index < size))
        throw new Error(`${op.name}: the definition writes element ${index} of ${show(output.shape)}`);
      filled ||= index === size - 1;
    });
    op.reference([...inputs], out, params, specs, output);
    const grid = op.launches(params, specs, output).at(-1)?.output ?? output.shape;
    const [{ values }] = await evaluate(device, () => [apply(op.name, params, ...tensors(sample))]);
    for (const [count, what] of [
      [sizeOf(grid), 'its last kernel computes'],
      [values.length, `on ${device} it gives`],
    ] as const) {
      if (count !== size) throw new Error(`${op.name}: ${what} ${count} elements of ${show(output.shape)}`);
    }
  };
  await forCases(20, check, undefined, 20)(op, device);
  if (!filled)
    throw new Error(`${op.name}: the definition never fills the last element of the shape that the shape rule gives`);
};

/** Operations whose real numbers are bits: equal on every device. */
const exact = new Set(['uniform']);

const assertKernel = async (op: Op, sample: Sample, device: DeviceName) => {
  const [{ shape, values }] = await evaluate(device, () => [apply(op.name, sample.params, ...tensors(sample))]);
  if (!sameShape(shape, sample.output.shape))
    throw new Error(`${op.name} gives ${show(shape)}, its rule says ${show(sample.output.shape)}`);
  const expected = referenceOf(op, sample, sample.inputs);
  const size = sample.inputs.reduce((product, x) => product * Math.max(1, largest(x)), 1);
  const loose = sample.output.dtype === 'f32' && !exact.has(op.name) && device !== 'reference';
  assertClose(
    values,
    expected,
    loose ? rounding(sample) * Math.max(largest(expected), real(sample).length ? size : 1) : 0,
    op.name,
  );
};

const kernel = forCases(20, assertKernel);

const assertGradient = async (op: Op, sample: Sample, device: DeviceName) => {
  const u = cotangentOf(sample);
  const gradients = await evaluate(device, () => pullBack(op, sample, u));
  for (const [j, which] of real(sample).entries()) {
    const v = direction(sample, sample.inputs[which].length);
    const along = (by: number) => {
      const inputs = sample.inputs.map((x, i) => (i === which ? moved(x, v, by) : x));
      return dot(u, referenceOf(op, sample, inputs));
    };
    const measured = await slopeOf(along);
    const claimed = dot(gradients[j].values, v);
    const size = largest(u) * sample.inputs[which].length + Math.abs(measured);
    assertClose(
      [claimed],
      [measured],
      gradientTolerance(sample, device, size),
      `${op.name}, ⟨Jᵀu, v⟩ for argument ${which}`,
    );
  }
};

const gradient = forCases(12, assertGradient, smooth);

const shapes = forCases(5, async (op, sample, device) => {
  const gradients = await evaluate(device, () => pullBack(op, sample, cotangentOf(sample)));
  real(sample).forEach((which, j) => {
    const [came, expected] = [gradients[j].shape, sample.specs[which].shape];
    if (!sameShape(came, expected))
      throw new Error(`${op.name}: argument ${which} is ${show(expected)}, its gradient ${show(came)}`);
  });
});

const linear = forCases(5, async (op, sample, device) => {
  const [u, v] = [cotangentOf(sample), cotangentOf(sample)];
  const mixed = u.map((value, i) => 0.5 * value - 2 * v[i]);
  const [first, second, both] = await Promise.all([
    await evaluate(device, () => pullBack(op, sample, u)),
    await evaluate(device, () => pullBack(op, sample, v)),
    await evaluate(device, () => pullBack(op, sample, mixed)),
  ]);
  both.forEach(({ values }, j) => {
    const sums = Array.from(values, (_, i) => 0.5 * first[j].values[i] - 2 * second[j].values[i]);
    const size = largest(first[j].values) + largest(second[j].values);
    assertClose(
      values,
      sums,
      gradientTolerance(sample, device, size),
      `${op.name}, the vjp of a mixture for argument ${j}`,
    );
  });
});

/** Σᵢ ⟨wᵢ, gradientᵢ⟩ as a function of the real arguments and of the cotangent, the last of the list. */
const mixture =
  (op: Op, sample: Sample, weights: Float64Array[]) =>
  (list: readonly Tensor[]): Tensor => {
    const [, pullback] = vjp(ofReal(op, sample), list.slice(0, -1));
    return pullback(list.at(-1)!)
      .map((d, i) => sum(mul(d, tensor(weights[i], d.shape))))
      .reduce((a, b) => add(a, b));
  };

const assertSecond = async (op: Op, sample: Sample, device: DeviceName) => {
  const which = real(sample);
  if (which.length === 0) return;
  const points = [...which.map((i) => sample.inputs[i]), cotangentOf(sample)];
  const forms = [...which.map((i) => sample.specs[i].shape), sample.output.shape];
  const weights = which.map((i) => direction(sample, sample.inputs[i].length));
  const at = (list: Float64Array[]) => list.map((x, i) => tensor(x, forms[i]));
  const gradients = await evaluate(device, () => {
    const [y, pullback] = vjp(mixture(op, sample, weights), at(points));
    return pullback(tensor([1], y.shape));
  });
  for (const [j, x] of points.entries()) {
    const v = direction(sample, x.length);
    const along = async (by: number) => {
      const [y] = await evaluate('reference', () => [
        mixture(op, sample, weights)(at(points.map((p, i) => (i === j ? moved(p, v, by) : p)))),
      ]);
      return y.values[0];
    };
    const measured = await slopeOf(along);
    const claimed = dot(gradients[j].values, v);
    const size = points.reduce((total, p) => total + p.length, Math.abs(measured));
    const name = j < which.length ? `argument ${which[j]}` : 'the cotangent';
    assertClose(
      [claimed],
      [measured],
      gradientTolerance(sample, device, size),
      `${op.name}, the gradient of its vjp for ${name}`,
    );
  }
};

const second = forCases(6, assertSecond, smooth);

const assertMemory = async (op: Op, sample: Sample, device: DeviceName) => {
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

const memory = forCases(5, assertMemory);

/** Every domain with each of its sizes 0 in turn, and with all sizes 1. */
const extremes = (op: Op): Case[] =>
  domainsOf(op).flatMap((domain, which) => {
    const names = namesOf(domain);
    const all = (size: number) => Object.fromEntries(names.map((name) => [name, size]));
    const base = { domain: which, seed: 1, ties: false };
    return [{ ...base, sizes: all(1) }, ...names.map((name) => ({ ...base, sizes: { ...all(2), [name]: 0 } }))];
  });

/** A sample, unless the shape rule refuses these sizes in words. */
const accepted = (op: Op, chosen: Case): Sample | undefined => {
  try {
    return sampleOf(op, chosen);
  } catch (error) {
    if (Object.values(chosen.sizes).includes(0) && (error as Error).message.includes(': ')) return undefined;
    throw error;
  }
};

const edges: Law = async (op, device) => {
  for (const chosen of extremes(op)) {
    const sample = accepted(op, chosen);
    if (sample === undefined) continue;
    const check = async () => {
      await assertKernel(op, sample, device);
      await assertMemory(op, sample, device);
      if (op.vjp === undefined) return;
      await assertGradient(op, sample, device);
      await assertSecond(op, sample, device);
    };
    await check().catch((cause: Error) => {
      throw new Error(`with sizes ${JSON.stringify(chosen.sizes)}: ${cause.message}`, { cause });
    });
  }
};

/** The laws by name, and whether they are of gradients: operations without a vjp are exempt from those. */
export const laws: Record<string, { law: Law; ofGradients: boolean }> = {
  shape: { law: shape, ofGradients: false },
  kernel: { law: kernel, ofGradients: false },
  gradient: { law: gradient, ofGradients: true },
  shapes: { law: shapes, ofGradients: true },
  linear: { law: linear, ofGradients: true },
  second: { law: second, ofGradients: true },
  memory: { law: memory, ofGradients: false },
  edges: { law: edges, ofGradients: false },
};
