/**
 * Layer norm over rows, y = (x − mean) / √(variance + ε) · gain + bias, its slope, and the gradients of gain and bias. Each finds
 * the statistics of its rows anew.
 */
import { ALIGNED, blocksOf, rowsOf } from '../../../lib/shape.ts';
import type { Dispatch, Replacement, Site } from './dispatch.ts';
import { OUTPUT, declare, groupsFor, main } from './dispatch.ts';
import { THREADS, elements, lanesFor, reductions, widthFor } from './lanes.ts';
import type { Extra } from './rows.ts';
import { byRows, each, write } from './rows.ts';
import { sumDispatches } from './sum.ts';

/** The row's mean and 1 / √(variance + ε). */
const statistics = `
  let n = f32(WIDTH * u.columns);
  var terms = T(); ${each('terms += x[at + c];')}
  let mean = total(terms, thread) / n;
  var squares = T(); ${each('let d = x[at + c] - mean; squares += d * d;')}
  let scale = inverseSqrt(total(squares, thread) / n + u.epsilon);`;

const epsilon = ({ params }: Site<{ epsilon: number }>): Extra => ({ floats: [params.epsilon] });

export const layerNorm = byRows(
  {
    reads: ['x: T', 'gain: T', 'bias: T'],
    uniforms: ', epsilon: f32',
    body: `${statistics} ${write('y[at + c] = (x[at + c] - mean) * scale * gain[c] + bias[c];')}`,
  },
  epsilon,
);

export const layerNormSlope = byRows(
  {
    reads: ['x: T', 'gain: T', 'dy: T'],
    uniforms: ', epsilon: f32',
    body: `${statistics}
  var slopes = T(); var products = T();
  ${each('let g = dy[at + c] * gain[c]; slopes += g; products += g * (x[at + c] - mean);')}
  let average = total(slopes, thread) / n;
  let along = total(products, thread) * scale / n;
  ${write('y[at + c] = scale * (dy[at + c] * gain[c] - average - (x[at + c] - mean) * scale * along);')}`,
  },
  epsilon,
);

/** Rows that a workgroup adds up. */
const BLOCK = 32;

/** Of a block of rows, the sums over columns of dy · x̂ and of dy: the lanes find the rows' statistics, then a thread takes a column. */
const parametersCode = (width: 1 | 4, lanes: number, subgroup: number): string => `
${elements(width, subgroup)}
${declare('rows: u32, columns: u32, blocks: u32, part: u32, epsilon: f32', ['x: T', 'dy: T'], ['y: T'])}
const LANES = ${lanes}u;
${reductions(width, lanes, subgroup)}
var<workgroup> means: array<f32, ${BLOCK}>;
var<workgroup> scales: array<f32, ${BLOCK}>;
${main(THREADS, subgroup)}
  if (group >= u.blocks) { return; }
  let lane = thread % LANES;
  for (var first = 0u; first < ${BLOCK}; first += ${THREADS / lanes}) {
    let i = first + thread / LANES;
    let at = min(group * ${BLOCK} + i, u.rows - 1) * u.columns;
    ${statistics}
    if (lane == 0) { means[i] = mean; scales[i] = scale; }
  }
  workgroupBarrier();
  let end = min(${BLOCK}, u.rows - group * ${BLOCK});
  // Behind the columns of each of the two come zeros, up to where the next begins.
  for (var c = thread; c < u.part; c += ${THREADS}) {
    var gain = T();
    var bias = T();
    for (var i = 0u; c < u.columns && i < end; i++) {
      let at = (group * ${BLOCK} + i) * u.columns + c;
      gain += dy[at] * (x[at] - means[i]) * scales[i];
      bias += dy[at];
    }
    y[2 * group * u.part + c] = gain;
    y[(2 * group + 1) * u.part + c] = bias;
  }
}`;

/** The gradients of gain and bias: sums of blocks of rows, then of those. */
export const layerNormParameters: Replacement<{ epsilon: number }> = ({ params, specs: [{ shape }], subgroup }) => {
  const { rows, columns } = rowsOf(shape);
  const width = widthFor(columns);
  const part = ALIGNED * blocksOf(columns);
  const blocks = Math.max(1, Math.ceil(rows / BLOCK));
  const first = (into: string): Dispatch => ({
    code: parametersCode(width, lanesFor(columns / width), subgroup),
    buffers: [0, 1, into],
    integers: [rows, columns / width, blocks, part / width],
    floats: [params.epsilon],
    groups: groupsFor(blocks),
  });
  if (blocks === 1) return { dispatches: [first(OUTPUT)] };
  const rest = sumDispatches({ outer: 1, along: blocks, inner: 2 * part }, 'blocks', OUTPUT);
  return { dispatches: [first('blocks'), ...rest.dispatches], scratch: { blocks: blocks * 2 * part, ...rest.scratch } };
};
