/**
 * Batches as a pure function of the step. The training stream is epoch after epoch, each a shuffle of all examples
 * under its own key, and step s takes the places
 *
 *     s·b, s·b + 1, …, s·b + b − 1;   place p is number p mod n of epoch ⌊p / n⌋,
 *
 * so every example comes exactly once in every epoch, no text is dropped at an epoch's end (a batch may reach into the
 * next), and a run resumes at any step by asking for that step.
 */
import type { Examples } from './examples.ts';
import { derive, shuffled, type HostKey } from './order.ts';

/** `b` rows of `t` tokens, row after row. */
export interface TokenBatch {
  b: number;
  t: number;
  tokens: Int32Array;
  /** 0 for segment A and padding, 1 for segment B. */
  types: Int32Array;
  /** 1 for a token, 0 for padding. */
  attend: Float32Array;
}

/** The examples at `indices`, as a batch. */
export const rowsAt = (examples: Examples, indices: readonly number[]): TokenBatch => {
  const b = indices.length;
  const t = examples.seq;
  const tokens = new Int32Array(b * t);
  const types = new Int32Array(b * t);
  const attend = new Float32Array(b * t);
  indices.forEach((index, row) => {
    if (!(index >= 0 && index < examples.count)) {
      throw new RangeError(`rowsAt: expected indices from 0 to ${examples.count - 1}, got ${index}`);
    }
    const start = row * t;
    tokens.set(examples.tokens.subarray(index * t, (index + 1) * t), start);
    types.fill(1, start + examples.splits[index], start + examples.lengths[index]);
    attend.fill(1, start, start + examples.lengths[index]);
  });
  return { b, t, tokens, types, attend };
};

/** Which of `count` examples the batch of a step holds, in their order. */
export const indicesAt = (count: number, key: HostKey, step: number, batch: number): number[] => {
  if (!Number.isInteger(batch) || batch < 1)
    throw new RangeError(`batchAt: expected a batch of 1 or more, got ${batch}`);
  if (!Number.isInteger(step) || step < 0) throw new RangeError(`batchAt: expected a step of 0 or more, got ${step}`);
  if (count < batch) {
    throw new Error(
      `batchAt: there are ${count} examples, fewer than one batch of ${batch}: give more text or a smaller batch`,
    );
  }
  return Array.from({ length: batch }, (_, i) => {
    const place = step * batch + i;
    return shuffled(place % count, count, derive(key, Math.floor(place / count)));
  });
};

/** The batch of one step, and how many epochs have been seen when it has been used. */
export const batchAt = (
  examples: Examples,
  key: HostKey,
  step: number,
  batch: number,
): TokenBatch & { epochs: number } => ({
  ...rowsAt(examples, indicesAt(examples.count, key, step, batch)),
  epochs: ((step + 1) * batch) / examples.count,
});

/** The endless stream of batches from step `start` on. */
export function* batches(
  examples: Examples,
  { batch, key, start = 0 }: { batch: number; key: HostKey; start?: number },
): Generator<TokenBatch & { epochs: number }, never> {
  for (let step = start; ; step++) yield batchAt(examples, key, step, batch);
}
