/** Where the tensors lie of which an operation makes several, packed into one (lib/ops/pack.ts), and the zeros between them. */
import { ALIGNED, startsOf } from '../../../lib/shape.ts';
import type { Call } from './call.ts';
import { CHUNK } from './call.ts';

const BYTES = 4;

/** The addresses of tensors of these sizes in a packed one. */
export const packedAt = (address: number, sizes: readonly number[]): number[] =>
  startsOf(sizes).slice(0, -1).map((start) => address + BYTES * ALIGNED * start);

/** Zeros behind each of them, in whole vectors: what a vector of zeros takes of a tensor must be written later. */
export const gaps = (address: number, sizes: readonly number[]): Call[] => {
  const starts = startsOf(sizes);
  return sizes.flatMap((size, i) => {
    const from = ALIGNED * starts[i] + 4 * Math.floor(size / 4);
    const items = ALIGNED * starts[i + 1] - from;
    return items === 0 ? [] : [{ kernel: 'full', items, grain: CHUNK, integers: [address + BYTES * from], floats: [0] }];
  });
};
