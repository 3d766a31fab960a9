/** The generic laws of gradients; see laws.ts. */
import type { DeviceName } from '../../kernels/device/device.ts';
import { vjp } from '../../lib/grad.ts';
import type { Op } from '../../lib/op.ts';
import { add, mul } from '../../lib/ops/arith.ts';
import { sum } from '../../lib/ops/reduce.ts';
import { sameShape, show } from '../../lib/shape.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { tensor } from '../../lib/tensor.ts';
import { assertClose, dot, evaluate, largest, rounding } from './close.ts';
import type { Sample } from './draw.ts';
import { referenceOf } from './draw.ts';
import { cotangentOf, direction, forCases, ofReal, pullBack, real, smooth } from './samples.ts';

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

export const assertGradient = async (op: Op, sample: Sample, device: DeviceName) => {
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

export const gradient = forCases(12, assertGradient, smooth);

export const shapes = forCases(5, async (op, sample, device) => {
  const gradients = await evaluate(device, () => pullBack(op, sample, cotangentOf(sample)));
  real(sample).forEach((which, j) => {
    const [came, expected] = [gradients[j].shape, sample.specs[which].shape];
    if (!sameShape(came, expected))
      throw new Error(`${op.name}: argument ${which} is ${show(expected)}, its gradient ${show(came)}`);
  });
});

export const linear = forCases(5, async (op, sample, device) => {
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

export const assertSecond = async (op: Op, sample: Sample, device: DeviceName) => {
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

export const second = forCases(6, assertSecond, smooth);
