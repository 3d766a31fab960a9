/**
 * A list of kernel calls as the threads read it (assembly/thread.ts says how): a header, then one record a call, in one
 * block of memory. It is collected here and written at once.
 */
import type { Call } from '../../fast/wasm/call.ts';
import type { Memory } from './memory.ts';

const HEADER_WORDS = 4;
const RECORD_WORDS = 5;
const NONE: readonly number[] = [];

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
const bitsOf = (x: number): number => {
  float[0] = x;
  return bits[0];
};

export interface Block {
  readonly address: number;
  /** Where its records end. */
  readonly end: number;
  readonly size: number;
}

/** Collects calls for so many threads; `numberOf` says which number a kernel has in the table. */
export const openList = (numberOf: (kernel: string) => number, threads: number) => {
  const calls: Call[] = [];
  const wordsOf = ({ integers, floats = NONE }: Call): number => RECORD_WORDS + threads + integers.length + floats.length;

  return {
    /** Whether nothing was collected. */
    isEmpty: () => calls.length === 0,
    append(call: Call): void {
      calls.push(call);
    },
    /** Writes the list into a new block of memory. */
    store(memory: Memory): Block {
      const size = calls.reduce((sum, call) => sum + wordsOf(call), HEADER_WORDS);
      const address = memory.staging.allocate(size);
      const words = memory.words(address, size).fill(0);
      words[1] = size * 4;
      let at = HEADER_WORDS;
      for (const call of calls) {
        const { kernel, items, grain, integers, floats = NONE } = call;
        words[at] = numberOf(kernel);
        words[at + 1] = wordsOf(call) * 4;
        words[at + 2] = items;
        words[at + 3] = grain;
        at += RECORD_WORDS + threads;
        for (const n of integers) words[at++] = n;
        for (const x of floats) words[at++] = bitsOf(x);
      }
      return { address, end: address + size * 4, size };
    },
  };
};
