/**
 * Sums along an axis, y[o, i] = Σₖ x[o, k, i], in a fixed order: blocks of k by many threads, whose sums are summed again
 * until one is left. Where lines lie side by side, a thread takes a block of one line (or of four, as a vector), and
 * neighbouring threads read neighbouring numbers; where a line is contiguous, its lanes share a block.
 */
import { around } from '../../../lib/shape.ts';
import type { Dispatch, Plan, Replacement } from './dispatch.ts';
import { OUTPUT, declare, groupsFor, main } from './dispatch.ts';
import { THREADS, elements, lanesFor, reductions, widthFor } from './lanes.ts';

const uniforms = 'lines: u32, along: u32, inner: u32, size: u32, blocks: u32';

/** Lines side by side; `inner` counts elements of type T. */
const sideBySide = (width: 1 | 4): string => `
${elements(width)}
${declare(uniforms, ['x: T'], ['y: T'])}
${main(THREADS)}
  let line = group * ${THREADS} + thread;
  if (line >= u.lines) { return; }
  let block = line / u.inner % u.blocks;
  let start = line / (u.inner * u.blocks) * u.along;
  let end = min(u.along, (block + 1) * u.size);
  var sum = T();
  for (var k = block * u.size; k < end; k++) { sum += x[(start + k) * u.inner + line % u.inner]; }
  y[line] = sum;
}`;

/** Contiguous lines; `along` and `size` count elements of type T. */
const contiguous = (width: 1 | 4, lanes: number, subgroup: number): string => `
${elements(width, subgroup)}
${declare(uniforms, ['x: T'], ['y: f32'])}
${reductions(width, lanes, subgroup)}
${main(THREADS, subgroup)}
  let line = group * ${THREADS / lanes} + thread / ${lanes};
  var sum = T();
  if (line < u.lines) {
    let block = line % u.blocks;
    let end = min(u.along, (block + 1) * u.size);
    for (var k = block * u.size + thread % ${lanes}; k < end; k += ${lanes}) { sum += x[line / u.blocks * u.along + k]; }
  }
  let result = total(sum, thread);
  if (line < u.lines && thread % ${lanes} == 0) { y[line] = result; }
}`;

/** Terms that a thread adds up. */
const BLOCK = 64;

interface Axis {
  readonly outer: number;
  readonly along: number;
  readonly inner: number;
}

/** A step of a sum: how many sums are left of each line, and the dispatch but for its buffers. */
const stepOf = (
  { outer, along, inner }: Axis,
  subgroup: number,
): { blocks: number; step: Omit<Dispatch, 'buffers'> } => {
  if (inner > 1) {
    const width = widthFor(inner);
    const blocks = Math.max(1, Math.ceil(along / BLOCK));
    const lines = (outer * blocks * inner) / width;
    const integers = [lines, along, inner / width, BLOCK, blocks];
    return { blocks, step: { code: sideBySide(width), integers, groups: groupsFor(Math.ceil(lines / THREADS)) } };
  }
  const width = widthFor(along);
  const elements = along / width;
  const lanes = lanesFor(elements);
  const blocks = Math.max(1, Math.ceil(elements / (BLOCK * lanes)));
  const integers = [outer * blocks, elements, 1, BLOCK * lanes, blocks];
  return {
    blocks,
    step: {
      code: contiguous(width, lanes, subgroup),
      integers,
      groups: groupsFor(Math.ceil((outer * blocks * lanes) / THREADS)),
    },
  };
};

/** The dispatches of a sum of one array into another, and the scratch memory between them. */
export const sumDispatches = (
  axis: Axis,
  from: number | string,
  into: string,
  subgroup = 1,
  depth = 0,
): Required<Plan> => {
  const { blocks, step } = stepOf(axis, subgroup);
  const name = `sums${depth}`;
  const dispatch = { ...step, buffers: [from, blocks === 1 ? into : name] };
  if (blocks === 1) return { dispatches: [dispatch], scratch: {} };
  const rest = sumDispatches({ ...axis, along: blocks }, name, into, subgroup, depth + 1);
  return {
    dispatches: [dispatch, ...rest.dispatches],
    scratch: { [name]: axis.outer * blocks * axis.inner, ...rest.scratch },
  };
};

export const sumAxis: Replacement<{ axis: number }> = ({ params: { axis }, specs: [x], subgroup }) =>
  sumDispatches(around(x.shape, axis), 0, OUTPUT, subgroup);
