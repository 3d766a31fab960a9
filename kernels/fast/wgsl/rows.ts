/**
 * Kernels over rows, softmax and cross-entropy first: the lanes of a row go through it together, reading neighbouring
 * elements at once, and meet for its largest element and its sums. What takes gpu.js a launch for each of these is one here, and reads the row from the cache.
 * An element is one number or a vector of four (T, lanes.ts).
 */
import { around, rowsOf, sizeOf } from '../../../lib/shape.ts';
import type { Dispatch, Replacement, Site } from './dispatch.ts';
import { OUTPUT, declare, groupsFor, main } from './dispatch.ts';
import { THREADS, elements, lanesFor, reductions, widthFor } from './lanes.ts';

/** A kernel as WGSL text: what it reads, and its body. */
interface Rows {
  readonly reads: readonly string[];
  /** More uniforms than the sizes. */
  readonly uniforms?: string;
  /** Knows `row`, `at` (its first element), `lane`; `live` where the row is there. */
  readonly body: string;
  /** One number for each row. */
  readonly result?: string;
}

/** A statement for every element c of the row, shared among the lanes. */
export const each = (statement: string): string => `for (var c = lane; c < u.columns; c += LANES) { ${statement} }`;

/** The same for a statement that writes: nothing is written of rows that are not there. */
export const write = (statement: string): string => `if (live) { ${each(statement)} }`;

const code = ({ reads, uniforms = '', body, result }: Rows, width: 1 | 4, lanes: number, subgroup: number): string => `
${elements(width, subgroup)}
${declare(`rows: u32, columns: u32${uniforms}`, reads, [`y: ${result === undefined ? 'T' : 'f32'}`])}
const LANES = ${lanes}u;
const LEAST = -3.4e38;
${reductions(width, lanes, subgroup)}
${main(THREADS, subgroup)}
  let lane = thread % LANES;
  let place = group * ${THREADS / lanes} + thread / LANES;
  let live = place < u.rows;
  // Lanes without a row compute the last one: all have to come to the meetings.
  let row = min(place, u.rows - 1);
  let at = row * u.columns;
  ${body}
  ${result === undefined ? '' : `if (live && lane == 0) { y[row] = ${result}; }`}
}`;

export interface Extra {
  readonly integers?: readonly number[];
  readonly floats?: readonly number[];
}

/** The dispatch of a kernel over rows of some shape. */
const dispatch = (
  kernel: Rows,
  subgroup: number,
  shape: Site['spec']['shape'],
  buffers: Dispatch['buffers'],
  { integers = [], floats = [] }: Extra = {},
): Dispatch => {
  const { rows, columns } = rowsOf(shape);
  const width = widthFor(columns);
  const lanes = lanesFor(columns / width);
  return {
    code: code(kernel, width, lanes, subgroup),
    buffers,
    integers: [rows, columns / width, ...integers],
    floats,
    groups: groupsFor(Math.ceil((rows * lanes) / THREADS)),
  };
};

/** A replacement that is one kernel over the rows of the first input. */
export const byRows =
  <P extends object>(kernel: Rows, extra: (site: Site<P>) => Extra = () => ({})): Replacement<P> =>
  (site) => ({
    dispatches: [dispatch(kernel, site.subgroup, site.specs[0].shape, [...site.specs.keys(), OUTPUT], extra(site))],
  });

/** The row's largest element and Σ e^(x − most). */
const sumExp = `
  var greatest = T(LEAST); ${each('greatest = max(greatest, x[at + c]);')}
  let most = largest(greatest, thread);
  var terms = T(); ${each('terms += exp(x[at + c] - most);')}
  let sum = total(terms, thread);`;

export const softmax = byRows({
  reads: ['x: T'],
  body: `${sumExp} ${write('y[at + c] = exp(x[at + c] - most) / sum;')}`,
});

export const logSoftmax = byRows({
  reads: ['x: T'],
  body: `${sumExp} let l = most + log(sum); ${write('y[at + c] = x[at + c] - l;')}`,
});

/** Scores of which only those count that the mask of their batch lets through; 0 elsewhere. */
export const maskedSoftmax = byRows<{ scale: number }>(
  {
    reads: ['x: T', 'mask: T'],
    uniforms: ', rowsPerBatch: u32, scale: f32',
    body: `
  let batch = row / u.rowsPerBatch * u.columns;
  var greatest = T(LEAST); ${each('greatest = max(greatest, select(T(LEAST), x[at + c] * u.scale, mask[batch + c] != T()));')}
  let most = largest(greatest, thread);
  var terms = T(); ${each('terms += select(T(), exp(x[at + c] * u.scale - most), mask[batch + c] != T());')}
  let sum = total(terms, thread);
  ${write('y[at + c] = select(T(), exp(x[at + c] * u.scale - most) / sum, mask[batch + c] != T());')}`,
  },
  ({ params: { scale }, specs: [x] }) => ({ integers: [sizeOf(x.shape.slice(1, -1))], floats: [scale] }),
);

export const softmaxSlope = byRows<{ scale: number }>(
  {
    reads: ['p: T', 'dy: T'],
    uniforms: ', scale: f32',
    body: `
  var terms = T(); ${each('terms += p[at + c] * dy[at + c];')}
  let along = total(terms, thread);
  ${write('y[at + c] = p[at + c] * (dy[at + c] - along) * u.scale;')}`,
  },
  ({ params: { scale } }) => ({ floats: [scale] }),
);

/** The row's label; `known` where it is a column. */
const labelled = 'let label = labels[row]; let known = label >= 0 && label < f32(WIDTH * u.columns);';

export const crossEntropy = byRows({
  reads: ['x: T', 'labels: f32'],
  body: `${sumExp} ${labelled} let i = select(0, u32(label), known); let right = x[at + i / WIDTH];`,
  result: 'select(0.0, most + log(sum) - component(right, i % WIDTH), known)',
});

export const crossEntropySlope = byRows({
  reads: ['x: T', 'labels: f32', 'dy: f32'],
  body: `${sumExp} ${labelled} let l = most + log(sum); let slope = select(0.0, dy[row], known);
  ${write('y[at + c] = slope * (exp(x[at + c] - l) - select(T(), T(1), places(c) == T(label)));')}`,
});

/** A replacement for reductions along the last axis; along others a thread for each result is right. */
const alongLast =
  (kernel: Rows): Replacement<{ axis: number }> =>
  ({ params: { axis }, specs: [x], subgroup }) => {
    const { outer, along, inner } = around(x.shape, axis);
    return inner === 1 ? { dispatches: [dispatch(kernel, subgroup, [outer, along], [0, OUTPUT])] } : undefined;
  };

// Begins with an element of the row, so that a row of nothing but −∞ has that for its largest.
const rowMost = `var greatest = x[at + min(lane, u.columns - 1)]; ${each('greatest = max(greatest, x[at + c]);')} let most = largest(greatest, thread);`;

export const max = alongLast({ reads: ['x: T'], body: rowMost, result: 'most' });

/** The first of the largest: each lane knows its own. Places are whole numbers below 2^24, which floats hold exactly. */
export const argmax = alongLast({
  reads: ['x: T'],
  body: `
  let none = f32(WIDTH * u.columns);
  var greatest = T(LEAST); var first = T(none);
  ${each('let better = x[at + c] > greatest; greatest = select(greatest, x[at + c], better); first = select(first, places(c), better);')}
  let most = largest(greatest, thread);
  let least = smallest(select(T(none), first, greatest == T(most)), thread);`,
  result: 'select(0.0, least, least < none)',
});

/** A column's rank is how many are larger, or equal and before it; the first `count` ranks are written, a thread a column. */
const ranks = `
${declare('size: u32, columns: u32, count: u32', ['x: f32'], ['y: f32'])}
${main(THREADS)}
  let i = group * ${THREADS} + thread;
  if (i >= u.size) { return; }
  let row = i / u.columns;
  let value = x[i];
  var rank = 0u;
  for (var k = row * u.columns; k < (row + 1) * u.columns; k++) {
    if (x[k] > value || (x[k] == value && k < i)) { rank++; }
  }
  if (rank < u.count) { y[row * u.count + rank] = f32(i % u.columns); }
}`;

export const topIndices: Replacement<{ count: number }> = ({ params: { count }, specs: [x] }) => {
  const size = sizeOf(x.shape);
  return {
    dispatches: [
      {
        code: ranks,
        buffers: [0, OUTPUT],
        integers: [size, rowsOf(x.shape).columns, count],
        groups: groupsFor(Math.ceil(size / THREADS)),
      },
    ],
  };
};
