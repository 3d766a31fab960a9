/**
 * Adding rows into a table at their ids, without atomics on floats and always in the same order: y[r] = Σ dy[i] over the
 * places i with ids[i] = r. The places are sorted by id, stably; then the rows of one id lie in a run, and a thread for each
 * element of the table adds up its run in order. A run may be long (two segments, many [MASK]s): the sums of whole blocks
 * of one id are taken before, in parallel, and a run takes those in one step each. The work is proportional to the places
 * and the table. Few places are sorted by counting how many come before each; many by a radix sort, eight bits of the id a
 * pass (Satish, Harris and Garland 2009, "Designing efficient sorting algorithms for manycore GPUs").
 */
import { rowsOf, sizeOf } from '../../../lib/shape.ts';
import type { Dispatch, Replacement } from './dispatch.ts';
import { OUTPUT, declare, groupsFor, main } from './dispatch.ts';
import { THREADS, elements, widthFor } from './lanes.ts';

/** An id as a whole number: `rows`, which comes last, where it is no row of the table. */
const idAt = `
fn id_at(place: u32) -> u32 { let id = ids[place]; return select(u.rows, u32(max(id, 0.0)), id >= 0 && id < f32(u.rows)); }`;

/** Places that are sorted by comparing each with each: one launch instead of three a digit. */
const FEW = 4096;

/** order[j]: how many places come before i, each with each; a workgroup reads as many others at a time as it has threads. */
const rankCode = `
${declare('count: u32, rows: u32', ['ids: f32'], ['order: u32'])}
${idAt}
var<workgroup> others: array<u32, ${THREADS}>;
${main(THREADS)}
  let i = group * ${THREADS} + thread;
  let id = id_at(min(i, u.count - 1));
  var rank = 0u;
  for (var first = 0u; first < u.count; first += ${THREADS}) {
    others[thread] = id_at(min(first + thread, u.count - 1));
    workgroupBarrier();
    let end = min(${THREADS}, u.count - first);
    for (var k = 0u; k < end; k++) { rank += u32(others[k] < id || (others[k] == id && first + k < i)); }
    workgroupBarrier();
  }
  if (i < u.count) { order[rank] = i; }
}`;

const DIGITS = 256;
/** Places that a workgroup of the radix sort sorts. */
const SHARE = 1024;

/** What all kernels of a pass begin with: in the first, the order is that of the places. */
const pass = (reads: string[], writes: string[]) => `
${declare('count: u32, rows: u32, shares: u32, shift: u32', ['ids: f32', 'order: u32', ...reads], writes)}
${idAt}
fn place_at(j: u32) -> u32 { if (u.shift == 0) { return j; } return order[j]; }
fn digit_of(place: u32) -> u32 { return (id_at(place) >> u.shift) & ${DIGITS - 1}; }`;

/** counts[digit, share]: how many places of a share have a digit. */
const countCode = `
${pass([], ['counts: u32'])}
var<workgroup> found: array<atomic<u32>, ${DIGITS}>;
${main(DIGITS)}
  let end = min(u.count, (group + 1) * ${SHARE});
  for (var j = group * ${SHARE} + thread; j < end; j += ${DIGITS}) { atomicAdd(&found[digit_of(place_at(j))], 1u); }
  workgroupBarrier();
  counts[thread * u.shares + group] = atomicLoad(&found[thread]);
}`;

/** starts[digit, share]: how many places come before those, of smaller digits or of earlier shares. One workgroup; a thread a digit. */
const startCode = `
${declare('shares: u32', ['counts: u32'], ['starts: u32'])}
var<workgroup> sums: array<u32, ${DIGITS}>;
${main(DIGITS)}
  var own = 0u;
  for (var s = 0u; s < u.shares; s++) { own += counts[thread * u.shares + s]; }
  sums[thread] = own;
  workgroupBarrier();
  var before = 0u;
  for (var digit = 0u; digit < thread; digit++) { before += sums[digit]; }
  for (var s = 0u; s < u.shares; s++) { starts[thread * u.shares + s] = before; before += counts[thread * u.shares + s]; }
}`;

/** Puts the places of a share where they belong, as many at a time as there are digits: behind those of their digit that came before. */
const placeCode = `
${pass(['starts: u32'], ['sorted: u32'])}
var<workgroup> digits: array<u32, ${DIGITS}>;
var<workgroup> next: array<atomic<u32>, ${DIGITS}>;
${main(DIGITS)}
  atomicStore(&next[thread], starts[thread * u.shares + group]);
  for (var round = 0u; round < ${SHARE / DIGITS}; round++) {
    let j = group * ${SHARE} + round * ${DIGITS} + thread;
    let there = j < u.count;
    var place = 0u;
    var digit = ${DIGITS}u;
    if (there) { place = place_at(j); digit = digit_of(place); }
    digits[thread] = digit;
    workgroupBarrier();
    var before = 0u;
    for (var k = 0u; k < thread; k++) { before += u32(digits[k] == digit); }
    if (there) { sorted[atomicLoad(&next[digit]) + before] = place; }
    workgroupBarrier();
    if (there) { atomicAdd(&next[digit], 1u); }
    workgroupBarrier();
  }
}`;

/** first[r]: where the run of row r begins in the order; `count` where it has none. */
const firstCode = `
${declare('count: u32, rows: u32', ['ids: f32', 'order: u32'], ['first: u32'])}
${idAt}
${main(THREADS)}
  let row = group * ${THREADS} + thread;
  if (row >= u.rows) { return; }
  var low = 0u;
  var high = u.count;
  while (low < high) {
    let middle = (low + high) / 2;
    if (id_at(order[middle]) < row) { low = middle + 1; } else { high = middle; }
  }
  if (low < u.count && id_at(order[low]) != row) { low = u.count; }
  first[row] = low;
}`;

/** Places to a block. */
const BLOCK = 64;

/** The sums of whole blocks of one id; of other blocks nothing is written. */
const blockCode = (width: 1 | 4) => `
${elements(width)}
${declare('count: u32, rows: u32, columns: u32, size: u32', ['ids: f32', 'order: u32', 'dy: T'], ['sums: T'])}
${idAt}
${main(THREADS)}
  let i = group * ${THREADS} + thread;
  if (i >= u.size) { return; }
  let start = i / u.columns * ${BLOCK};
  if (id_at(order[start]) != id_at(order[start + ${BLOCK - 1}])) { return; }
  var sum = T();
  for (var j = start; j < start + ${BLOCK}; j++) { sum += dy[order[j] * u.columns + i % u.columns]; }
  sums[i] = sum;
}`;

const runCode = (width: 1 | 4) => `
${elements(width)}
${declare('count: u32, rows: u32, columns: u32, size: u32', ['ids: f32', 'order: u32', 'first: u32', 'dy: T', 'sums: T'], ['y: T'])}
${idAt}
fn is_of(row: u32, j: u32) -> bool { return j < u.count && id_at(order[j]) == row; }
${main(THREADS)}
  let i = group * ${THREADS} + thread;
  if (i >= u.size) { return; }
  let row = i / u.columns;
  let c = i % u.columns;
  var sum = T();
  var j = first[row];
  while (is_of(row, j)) {
    if (j % ${BLOCK} == 0 && is_of(row, j + ${BLOCK - 1})) {
      sum += sums[j / ${BLOCK} * u.columns + c];
      j += ${BLOCK};
    } else {
      sum += dy[order[j] * u.columns + c];
      j++;
    }
  }
  y[i] = sum;
}`;

const IDS = 1;

/** The dispatches that sort the places by id, and the name of the order. */
const sorting = (count: number, rows: number): { dispatches: Dispatch[]; order: string } => {
  if (count <= FEW) {
    return {
      dispatches: [
        {
          code: rankCode,
          buffers: [IDS, 'even'],
          integers: [count, rows],
          groups: groupsFor(Math.ceil(count / THREADS)),
        },
      ],
      order: 'even',
    };
  }
  const shares = Math.ceil(count / SHARE);
  const groups = groupsFor(shares);
  const dispatches: Dispatch[] = [];
  // The first pass reads no order; any array may stand for it.
  let order: number | string = IDS;
  for (let shift = 0; rows >> shift > 0; shift += 8) {
    const sorted: string = order === 'even' ? 'odd' : 'even';
    const integers = [count, rows, shares, shift];
    dispatches.push(
      { code: countCode, buffers: [IDS, order, 'counts'], integers, groups },
      { code: startCode, buffers: ['counts', 'starts'], integers: [shares], groups: [1, 1, 1] },
      { code: placeCode, buffers: [IDS, order, 'starts', sorted], integers, groups },
    );
    order = sorted;
  }
  return { dispatches, order: order as string };
};

export const scatterAdd: Replacement<{ rows: number }> = ({ params: { rows }, specs: [{ shape }, ids] }) => {
  const count = sizeOf(ids.shape);
  const width = widthFor(rowsOf(shape).columns);
  const columns = rowsOf(shape).columns / width;
  const blocks = Math.floor(count / BLOCK);
  const { dispatches, order } = sorting(count, rows);
  const over = (size: number) => ({
    integers: [count, rows, columns, size],
    groups: groupsFor(Math.ceil(size / THREADS)),
  });
  const counters = DIGITS * Math.ceil(count / SHARE);
  return {
    dispatches: [
      ...dispatches,
      {
        code: firstCode,
        buffers: [IDS, order, 'first'],
        integers: [count, rows],
        groups: groupsFor(Math.ceil(rows / THREADS)),
      },
      { code: blockCode(width), buffers: [IDS, order, 0, 'sums'], ...over(blocks * columns) },
      { code: runCode(width), buffers: [IDS, order, 'first', 0, 'sums', OUTPUT], ...over(rows * columns) },
    ].filter(({ groups: [across] }) => across > 0),
    scratch: {
      even: count,
      first: rows,
      sums: blocks * columns * width,
      ...(count > FEW && { odd: count, counts: counters, starts: counters }),
    },
  };
};
