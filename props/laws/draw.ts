/**
 * Arguments for an operation, drawn from its domain. What fast-check draws, and shrinks, is a `Case`: a few small numbers
 * from which the arguments follow. So a counterexample prints as one line.
 */
import fc from 'fast-check';
import type { Params } from '../../kernels/device/device.ts';
import { threefry2x32 } from '../../kernels/threefry.ts';
import type { Domain, Draw, Op } from '../../lib/op.ts';
import type { Spec } from '../../lib/shape.ts';
import { sizeOf } from '../../lib/shape.ts';

export interface Case {
  /** Which of the operation's domains. */
  readonly domain: number;
  readonly sizes: Readonly<Record<string, number>>;
  readonly seed: number;
  /** Numbers from a coarse grid, so that many are equal; otherwise no two are. */
  readonly ties: boolean;
}

export interface Sample {
  readonly params: Params;
  readonly specs: readonly Spec[];
  readonly inputs: readonly Float64Array[];
  readonly output: Spec;
  /** More random numbers in [0, 1), for cotangents and directions. */
  readonly random: () => number;
}

/** The domains of an operation. Throws when it declares none: then nobody could test it. */
export const domainsOf = (op: Op): readonly Domain<Params>[] => {
  const domains = Array.isArray(op.domain) ? (op.domain as Domain<Params>[]) : [op.domain as Domain<Params>];
  if (domains.length === 0 || domains.some((domain) => domain === undefined))
    throw new Error(`${op.name} declares no domain`);
  return domains;
};

const axes = ({ dims }: Draw) => dims.split(' ').filter((name) => name !== '');

/** The names of the sizes of a domain. */
export const namesOf = (domain: Domain<Params>): string[] => [
  ...new Set(domain.inputs.flatMap(axes).filter((name) => !/^\d+$/.test(name))),
];

const small = fc.integer({ min: 1, max: 6 });

/** Small sizes; now and then one that is long and odd, so that blocks, tails and grids of every kind are met. */
const sizes = (names: string[]): fc.Arbitrary<Record<string, number>> => {
  const ordinary = fc.record(Object.fromEntries(names.map((name) => [name, small])));
  if (names.length === 0) return ordinary;
  const long = fc
    .tuple(ordinary, fc.constantFrom(...names), fc.constantFrom(17, 67, 131, 257))
    .map(([all, name, size]) => ({ ...all, [name]: size }));
  return fc.oneof({ arbitrary: ordinary, weight: 5 }, { arbitrary: long, weight: 1 });
};

/** Cases of an operation. */
export const casesOf = (op: Op): fc.Arbitrary<Case> =>
  fc.nat(domainsOf(op).length - 1).chain((domain) =>
    fc.record({
      domain: fc.constant(domain),
      sizes: sizes(namesOf(domainsOf(op)[domain])),
      seed: fc.nat(),
      ties: fc.boolean(),
    }),
  );

/** Numbers in [0, 1) that follow from a seed. */
export const randomFrom = (seed: number): (() => number) => {
  let count = 0;
  return () => threefry2x32(seed, 0, count++, 0)[0] / 2 ** 32;
};

/** The numbers from 0 to n − 1 in random order. */
const shuffled = (n: number, random: () => number): number[] => {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
};

/** The arguments of a case; undefined when there are none, because an id would have to be below 0. */
export const sampleOf = (op: Op, { domain: which, sizes, seed, ties }: Case): Sample | undefined => {
  const domain = domainsOf(op)[which];
  const random = randomFrom(seed);
  const params = domain.params?.(sizes, (below) => Math.floor(random() * Math.max(below, 0))) ?? {};
  const specs = domain.inputs.map((draw): Spec => ({
    shape: axes(draw).map((name) => sizes[name] ?? Number(name)),
    dtype: draw.below === undefined ? 'f32' : 'i32',
  }));
  const count = specs.reduce((sum, spec) => sum + (spec.dtype === 'f32' ? sizeOf(spec.shape) : 0), 0);
  // Distinct numbers: the range cut into as many pieces as there are numbers, one number from the middle of each.
  const places = shuffled(count, random);
  const real = () => (ties ? Math.floor(random() * 9) / 8 : (places.pop()! + 0.25 + random() / 2) / count);
  const fill = (draw: Draw, { shape }: Spec): Float64Array | undefined => {
    const values = new Float64Array(sizeOf(shape));
    if (draw.below === undefined) {
      const [low, high] = draw.range ?? [-2, 2];
      return values.map(() => Math.fround(low + (high - low) * real()));
    }
    const from = draw.from ?? 0;
    const below = typeof draw.below === 'number' ? draw.below : sizes[draw.below];
    if (values.length > 0 && below <= from) return undefined;
    return values.map(() => from + Math.floor(random() * (below - from)));
  };
  const inputs = domain.inputs.map((draw, i) => fill(draw, specs[i]));
  if (inputs.includes(undefined)) return undefined;
  return { params, specs, inputs: inputs as Float64Array[], output: op.shape(specs, params), random };
};

/** What the operation's definition, in double precision, says of some inputs. */
export const referenceOf = (
  op: Op,
  { params, specs, output }: Sample,
  inputs: readonly Float64Array[],
): Float64Array => {
  const out = new Float64Array(sizeOf(output.shape));
  op.reference([...inputs], out, params, specs, output);
  return out;
};
