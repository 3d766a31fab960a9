/**
 * The tuned replacements of the `wasm` device, by the name of the operation: which kernels of assembly/ compute it, with
 * which arguments. What has no entry runs by its gpu.js definition.
 */
import { ALIGNED, around, rowsOf, sizeOf, startsOf } from '../../../lib/shape.ts';
import type { Call, Replacement } from './call.ts';
import { CHUNK, rowsOfChunk } from './call.ts';
import { attentionContext, attentionScores, dense, denseSlope, matmul } from './matmul.ts';
import { packedAt } from './packed.ts';
import { STRIP, sumAxis, sumCalls, sumSquares } from './sum.ts';

/** One element of the output from the same element of each input. */
const elementwise =
  (kernel: string, grain = CHUNK): Replacement =>
  ({ inputs, output, spec }) => [{ kernel, items: sizeOf(spec.shape), grain, integers: [...inputs, output] }];

/** How the two operands of a binary kernel meet (assembly/elementwise.ts). */
const FLAT = 0;
const SCALAR_A = 1;
const SCALAR_B = 2;
const ROWS = 3;

const binary =
  (kernel: string, grain = CHUNK): Replacement =>
  ({ inputs, output, specs: [a, b], spec }) => {
    const items = sizeOf(spec.shape);
    const [m, n] = [sizeOf(a.shape), sizeOf(b.shape)];
    const flat = (meet: number): Call[] => [{ kernel, items, grain, integers: [...inputs, output, meet] }];
    if (m === n) return flat(FLAT);
    if (m === 1) return flat(SCALAR_A);
    if (n === 1) return flat(SCALAR_B);
    const width = Math.min(m, n);
    const integers = [...inputs, output, ROWS, width, m === items ? width : 0, n === items ? width : 0];
    return [{ kernel, items: items / width, grain: rowsOfChunk(width, grain), integers }];
  };

/** An elementwise kernel of two tensors of one shape and one number. */
const withParameter =
  (kernel: string): Replacement<{ parameter: number }> =>
  ({ inputs, output, spec, params: { parameter } }) => [
    { kernel, items: sizeOf(spec.shape), grain: CHUNK, integers: [...inputs, output, FLAT], floats: [parameter] },
  ];

/** A kernel over the rows of its first input. Floats a chunk: fewer for kernels that compute exponentials. */
const byRows =
  (kernel: string, floats: (params: never) => number[] = () => [], chunk = CHUNK / 4): Replacement =>
  ({ inputs, output, specs, params }) => {
    const { rows, columns } = rowsOf(specs[0].shape);
    return [{ kernel, items: rows, grain: rowsOfChunk(columns, chunk), integers: [...inputs, output, columns], floats: floats(params as never) }];
  };

const alongAxis =
  (kernel: string): Replacement<{ axis: number }> =>
  ({ params: { axis }, specs: [x], inputs, output, spec }) => {
    const { along, inner } = around(x.shape, axis);
    return [{ kernel, items: sizeOf(spec.shape), grain: rowsOfChunk(along), integers: [...inputs, output, along, inner] }];
  };

/** Rows that an item of layer norm's gradients adds up. */
const NORM_BLOCK = 64;

/** Sums of blocks of rows, each packed as the result is, then the sum of these. */
const layerNormParameters: Replacement<{ epsilon: number }> = ({ params: { epsilon }, specs: [x], inputs, output, spec, scratch }) => {
  const { rows, columns } = rowsOf(x.shape);
  const [gain, bias] = packedAt(output, [columns, columns]);
  const blocks = Math.ceil(rows / NORM_BLOCK);
  const apart = sizeOf(spec.shape);
  const partial = scratch(blocks * apart);
  const integers = [...inputs, partial, rows, columns, NORM_BLOCK, apart, (bias - gain) / 4];
  return [
    { kernel: 'normalSums', items: blocks, grain: rowsOfChunk(NORM_BLOCK * columns), integers, floats: [epsilon] },
    ...sumCalls(partial, output, { outer: 1, along: blocks, inner: apart }, scratch),
  ];
};

/** Transpositions, slices and broadcasts, as the definition sees them: five axes and their strides. */
const strided: Replacement = ({ definition, spec, inputs: [at], output }) => {
  const [{ integers, output: grid }] = definition();
  const [size1, size2, stride0, stride1, stride2, stride3, stride4, offset] = integers!;
  const [size4, size3] = grid;
  return [
    {
      kernel: 'strided',
      items: sizeOf(spec.shape) / Math.max(size4, 1),
      grain: rowsOfChunk(size4),
      integers: [at + 4 * offset, output, size1, size2, size3, size4, stride0, stride1, stride2, stride3, stride4],
    },
  ];
};

const pad: Replacement<{ axis: number; before: number; size: number }> = ({ params, specs: [x], inputs, output }) => {
  const { outer, along, inner } = around(x.shape, params.axis);
  const integers = [...inputs, output, along * inner, params.size * inner, params.before * inner];
  return [{ kernel: 'pad', items: outer, grain: rowsOfChunk(params.size * inner), integers }];
};

const concat: Replacement<{ axis: number }> = ({ params: { axis }, specs: [a, b], inputs, output }) => {
  const { outer, along, inner } = around(a.shape, axis);
  const [first, second] = [along * inner, b.shape[axis] * inner];
  return [{ kernel: 'concat', items: outer, grain: rowsOfChunk(first + second), integers: [...inputs, output, first, second] }];
};

/** Blocks of a packed tensor that make a chunk. */
const BLOCKS = CHUNK / ALIGNED;

const pack: Replacement = ({ specs, inputs, output, spec }) => {
  const sizes = specs.map(({ shape }) => sizeOf(shape));
  const starts = startsOf(sizes);
  const integers = [output, inputs.length, ...inputs.flatMap((x, i) => [x, sizes[i], starts[i]])];
  return [{ kernel: 'pack', items: sizeOf(spec.shape) / ALIGNED, grain: BLOCKS, integers }];
};

const scaleRuns: Replacement = ({ specs: [x, counts], inputs, output }) => {
  const [rows, columns] = x.shape;
  return [{ kernel: 'scaleRuns', items: rows, grain: rowsOfChunk(columns), integers: [...inputs, output, counts.shape[0], columns] }];
};

const gather: Replacement = ({ specs: [table, ids], inputs, output }) => {
  const [rows, columns] = table.shape;
  return [{ kernel: 'gather', items: sizeOf(ids.shape), grain: rowsOfChunk(columns), integers: [...inputs, output, rows, columns] }];
};

/** Zeros, then strips of columns: every thread walks all ids, and no two write to one place. */
const scatterAdd: Replacement<{ rows: number }> = ({ params: { rows }, specs: [x, ids], inputs, output, spec }) => {
  const count = sizeOf(ids.shape);
  const { columns } = rowsOf(x.shape);
  return [
    { kernel: 'full', items: sizeOf(spec.shape), grain: CHUNK, integers: [output], floats: [0] },
    {
      kernel: 'scatterAdd',
      items: Math.ceil(columns / STRIP),
      grain: rowsOfChunk(STRIP * count),
      integers: [...inputs, output, count, rows, columns],
    },
  ];
};

const pick: Replacement = ({ specs: [x, ids], inputs, output }) => [
  { kernel: 'pick', items: sizeOf(ids.shape), grain: CHUNK, integers: [...inputs, output, rowsOf(x.shape).columns] },
];

const unpick: Replacement<{ columns: number }> = ({ params: { columns }, specs: [x], inputs, output }) => [
  { kernel: 'unpick', items: sizeOf(x.shape), grain: rowsOfChunk(columns), integers: [...inputs, output, columns] },
];

const put: Replacement = ({ specs: [x, at], inputs, output }) => {
  const { rows, columns } = rowsOf(x.shape);
  return [{ kernel: 'put', items: rows, grain: rowsOfChunk(columns), integers: [...inputs, output, columns, rowsOf(at.shape).columns] }];
};

const topIndices: Replacement<{ count: number }> = ({ params: { count }, specs: [x], inputs, output }) => {
  const { rows, columns } = rowsOf(x.shape);
  return [{ kernel: 'topIndices', items: rows, grain: rowsOfChunk(columns * count), integers: [...inputs, output, columns, count] }];
};

const maskedSoftmax: Replacement<{ scale: number }> = ({ params: { scale }, specs: [x], inputs, output }) => {
  const { rows, columns } = rowsOf(x.shape);
  const integers = [...inputs, output, columns, sizeOf(x.shape.slice(1, -1))];
  return [{ kernel: 'maskedSoftmax', items: rows, grain: rowsOfChunk(columns, CHUNK / 4), integers, floats: [scale] }];
};

const full: Replacement<{ value: number }> = ({ params: { value }, spec, output }) => [
  { kernel: 'full', items: sizeOf(spec.shape), grain: CHUNK, integers: [output], floats: [value] },
];

const affine: Replacement<{ scale: number; shift: number }> = ({ params: { scale, shift }, spec, inputs, output }) => [
  { kernel: 'affine', items: sizeOf(spec.shape), grain: CHUNK, integers: [...inputs, output], floats: [scale, shift] },
];

/** Keys that make a chunk. */
const KEYS = 64;

const deriveKey: Replacement<{ block: number; tag: number }> = ({ params: { block, tag }, spec, inputs, output }) => [
  { kernel: 'deriveKey', items: sizeOf(spec.shape) / 4, grain: KEYS, integers: [...inputs, output, block, tag] },
];

const fold: Replacement = ({ specs: [keys, n], spec, inputs, output }) => [
  { kernel: 'fold', items: sizeOf(spec.shape) / 4, grain: KEYS, integers: [...inputs, output, 4 * (keys.shape.length - 1), n.shape.length] },
];

/** Elements that a key draws in one go. An item is as many, or what is left of the key's part. */
const RUN = 2048;

/** What is drawn from a list of keys, each for its part of the output. */
const draws =
  (kernel: string, more: (params: never) => Pick<Call, 'integers' | 'floats'> = () => ({ integers: [] })): Replacement =>
  ({ params, specs: [keys], spec, inputs, output }) => {
    const count = sizeOf(keys.shape) / 4;
    const size = sizeOf(spec.shape) / count;
    const { integers, floats } = more(params as never);
    const items = count * Math.ceil(size / RUN);
    return [{ kernel, items, grain: rowsOfChunk(Math.min(size, RUN), CHUNK / 4), integers: [...inputs, output, size, RUN, ...integers], floats }];
  };

const dropping = ({ rate }: { rate: number }) => ({ integers: [Math.ceil(rate * 2 ** 24)], floats: [1 / (1 - rate)] });

const epsilon = (params: { epsilon: number }) => [params.epsilon];
const scale = (params: { scale: number }) => [params.scale];

/** A replacement, whatever its parameters: the operation of its name passes its own. */
const of = <P extends object>(replacement: Replacement<P>): Replacement => replacement as unknown as Replacement;

export const replacements: Readonly<Record<string, Replacement>> = {
  matmul,
  attentionScores,
  attentionContext,
  dense,
  denseSlope,
  full: of(full),
  affine: of(affine),
  plus: binary('add'),
  add: binary('add'),
  sub: binary('sub'),
  mul: binary('mul'),
  div: binary('div'),
  maximum: binary('maximum'),
  minimum: binary('minimum'),
  equal: binary('equal'),
  less: binary('less'),
  where: elementwise('where'),
  sqrt: elementwise('sqrt'),
  exp: elementwise('exp'),
  log: elementwise('log'),
  tanh: elementwise('tanh'),
  sigmoid: elementwise('sigmoid'),
  erf: elementwise('erf', CHUNK / 4),
  erfinv: elementwise('erfinv', CHUNK / 4),
  gelu: elementwise('gelu', CHUNK / 4),
  geluSlope: binary('geluSlope', CHUNK / 4),
  binaryCrossEntropy: binary('binaryCrossEntropy', CHUNK / 4),
  softmax: byRows('softmax'),
  logSoftmax: byRows('logSoftmax'),
  maskedSoftmax: of(maskedSoftmax),
  softmaxSlope: byRows('softmaxSlope', scale),
  crossEntropy: byRows('crossEntropy'),
  crossEntropySlope: byRows('crossEntropySlope'),
  layerNorm: byRows('layerNorm', epsilon),
  layerNormSlope: byRows('layerNormSlope', epsilon),
  layerNormParameters: of(layerNormParameters),
  sumAxis: of(sumAxis),
  sumSquares,
  max: of(alongAxis('max')),
  argmax: of(alongAxis('argmax')),
  transpose: strided,
  slice: strided,
  broadcastTo: strided,
  pad: of(pad),
  concat: of(concat),
  pack,
  scaleRuns,
  gather,
  scatterAdd: of(scatterAdd),
  pick,
  unpick: of(unpick),
  put,
  topIndices: of(topIndices),
  deriveKey: of(deriveKey),
  fold,
  uniform: draws('uniform'),
  gumbel: draws('gumbel'),
  dropout: draws('dropout', dropping),
  average: of(withParameter('average')),
  averageSquare: of(withParameter('averageSquare')),
  adamDirection: of(withParameter('adamDirection')),
};
