/** Which kernel calls make a sum: blocks of terms, by threads side by side, then the sum of their sums. */
import { around, sizeOf } from '../../../lib/shape.ts';
import type { Call, Replacement, Site } from './call.ts';
import { rowsOfChunk } from './call.ts';

/** Terms of a sum that one item adds up; longer sums take two steps. */
const BLOCK = 256;
/** The same where the terms lie together. */
const ROW_BLOCK = 16 * BLOCK;
/** Columns that an item adds up. */
export const STRIP = 16;

/** y[o, i] = Σₖ x[o, k, i]. */
export const sumCalls = (x: number, y: number, { outer, along, inner }: ReturnType<typeof around>, scratch: Site['scratch']): Call[] => {
  const block = inner === 1 ? ROW_BLOCK : BLOCK;
  const blocks = Math.max(1, Math.ceil(along / block));
  const step = (from: number, to: number, length: number, size: number, count: number): Call =>
    inner === 1
      ? { kernel: 'sumRows', items: outer * count, grain: rowsOfChunk(Math.min(size, length)), integers: [from, to, length, size, count] }
      : {
          kernel: 'sumColumns',
          items: outer * count * Math.ceil(inner / STRIP),
          grain: rowsOfChunk(STRIP * Math.min(size, length)),
          integers: [from, to, length, inner, size, count],
        };
  if (blocks === 1) return [step(x, y, along, Math.max(along, 1), 1)];
  const partial = scratch(outer * blocks * inner);
  return [step(x, partial, along, block, blocks), ...sumCalls(partial, y, { outer, along: blocks, inner }, scratch)];
};

export const sumSquares: Replacement = ({ specs: [x], inputs: [at], output, scratch }) => {
  const along = sizeOf(x.shape);
  const blocks = Math.max(1, Math.ceil(along / ROW_BLOCK));
  const partial = scratch(blocks);
  const squares = { kernel: 'sumSquares', items: blocks, grain: rowsOfChunk(ROW_BLOCK), integers: [at, partial, along, ROW_BLOCK, blocks] };
  return [squares, ...sumCalls(partial, output, { outer: 1, along: blocks, inner: 1 }, scratch)];
};

export const sumAxis: Replacement<{ axis: number }> = ({ params: { axis }, specs: [x], inputs: [at], output, scratch }) =>
  sumCalls(at, output, around(x.shape, axis), scratch);
