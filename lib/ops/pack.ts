/**
 * Many tensors as one, so that what happens to each of their elements alike, as in an optimiser, is launched once and not
 * once a tensor. Each begins at a multiple of 64 elements. `unpack` looks at the tensors in their places, without a copy;
 * and `pack` of tensors that lie so already is without a copy too.
 */
import * as kernels from '../../kernels/pack.ts';
import type { KernelCall } from '../../kernels/device/device.ts';
import { operation } from '../op.ts';
import type { Shape, Spec } from '../shape.ts';
import { ALIGNED, show, sizeOf, startsOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { reshape } from './axes.ts';
import { pad } from './move.ts';

const partOp = operation<{ offset: number; shape: Shape }>({
  name: 'part',
  about: 'y[i] = x[offset + i], where x lies, under a shape of its own',
  domain: {
    inputs: [{ dims: 'm 64' }],
    params({ m }, pick) {
      const block = pick(m);
      return { offset: ALIGNED * block, shape: [1 + pick(ALIGNED * (m - block))] };
    },
  },
  shape([x], { offset, shape }) {
    if (offset % ALIGNED !== 0 || offset + sizeOf(shape) > sizeOf(x.shape)) {
      throw new Error(`part: expected ${show(shape)} from a multiple of ${ALIGNED} on within ${show(x.shape)}, got element ${offset}`);
    }
    return { shape, dtype: x.dtype };
  },
  reference: ([x], y, { offset }) => y.set(x.subarray(offset, offset + y.length)),
  launches: () => [],
  vjp: (dy, { inputs: [x], params: { offset } }) => [
    reshape(pad({ axis: 0, before: offset, size: x.size }, reshape(dy, [dy.size])), x.shape),
  ],
  view: ([buffer], { offset }) => ({ buffer, offset }),
});

/** Arrays that one launch packs: with its output, the eight that every WebGPU device binds. */
const GROUP = 7;

/** The launches that pack arrays of these sizes: inputs, or what earlier launches of the operation left. */
export const packCalls = (arrays: KernelCall['arrays'], sizes: readonly number[]): KernelCall[] => {
  const starts = startsOf(sizes);
  return Array.from({ length: Math.ceil(sizes.length / GROUP) }, (_, g) => {
    const first = g * GROUP;
    const group = Array.from({ length: GROUP }, (_, i) => first + i);
    const end = starts.at(Math.min(first + GROUP, sizes.length))!;
    const from = (i: number) => (starts[i] ?? end) - starts[first];
    return {
      kernel: kernels.pack,
      arrays: group.map((i) => arrays[i] ?? arrays[first]),
      integers: [...group.slice(1).map(from), ...group.map((i) => sizes[i] ?? 0)],
      output: [ALIGNED, end - starts[first]],
      at: ALIGNED * starts[first],
    };
  });
};

/** What tensors of these sizes are when they are packed. */
export const packedSpec = (sizes: readonly number[]): Spec => ({ shape: [ALIGNED * startsOf(sizes).at(-1)!], dtype: 'f32' });

const sizesOf = (specs: readonly Spec[]) => specs.map(({ shape }) => sizeOf(shape));

const packOp = operation({
  name: 'pack',
  about: 'y = the elements of all x, one x after another, each from a multiple of 64 on, with zeros between them',
  domain: [
    { inputs: [{ dims: 'm n' }, { dims: '' }, { dims: 'k' }] },
    { inputs: Array.from({ length: 9 }, (_, i) => ({ dims: i % 2 === 0 ? 'm n' : 'k' })) },
  ],
  shape(inputs) {
    const odd = inputs.find(({ dtype }) => dtype !== 'f32');
    if (odd !== undefined) throw new Error(`pack: expected tensors of dtype f32, got ${odd.dtype} ${show(odd.shape)}`);
    return packedSpec(sizesOf(inputs));
  },
  reference(inputs, y, _, specs) {
    const starts = startsOf(sizesOf(specs));
    inputs.forEach((x, i) => y.set(x, ALIGNED * starts[i]));
  },
  launches: (_, specs) => packCalls([...specs.keys()], sizesOf(specs)),
  vjp: (dy, { inputs }) => unpack(dy, inputs),
  view(buffers) {
    const starts = startsOf(buffers.map(({ size }) => size));
    const { whole, offset: before } = buffers[0]?.part ?? {};
    const follow = buffers.every(({ part }, i) => part !== undefined && part.whole === whole && part.offset === before! + ALIGNED * starts[i]);
    if (whole === undefined || !follow || before! + ALIGNED * starts.at(-1)! > whole.size) return undefined;
    return { buffer: whole, offset: before };
  },
});

/** One flat tensor that holds those of a list, each from a multiple of 64 elements on. */
export const pack = (list: readonly Tensor[]): Tensor => packOp({}, ...list);

/**
 * The tensors of these shapes that lie in a packed one: the inverse of `pack`. They keep all of it in memory. Between them
 * there must be zeros, as `pack` leaves there: packed again, what they lie in is taken as it is.
 */
export const unpack = (x: Tensor, specs: readonly Spec[]): Tensor[] => {
  const starts = startsOf(sizesOf(specs));
  return specs.map(({ shape }, i) => partOp({ offset: ALIGNED * starts[i], shape }, x));
};
