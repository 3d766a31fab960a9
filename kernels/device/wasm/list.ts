/**
 * A list of kernel calls as the threads read it (assembly/thread.ts says how): a header, then one record a call, in one
 * block of memory. It is collected here and written at once.
 */
import type { Call } from '../../fast/wasm/call.ts';
import type { Memory } from './memory.ts';

const HEADER_WORDS = 4;
const RECORD_WORDS = 5;

export interface Block {
  readonly address: number;
  /** Where its records end. */
  readonly end: number;
  readonly size: number;
}

/** Collects calls for so many threads; `numberOf` says which number a kernel has in the table. */
export const openList = (numberOf: (kernel: string) => number, threads: number) => {
  const taken = new Array<number>(threads).fill(0);
  const words: number[] = [];
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  const bitsOf = (x: number) => {
    float[0] = x;
    return bits[0];
  };

  return {
    /** Whether nothing was collected. */
    isEmpty: () => words.length === 0,
    append({ kernel, items, grain, integers, floats = [] }: Call): void {
      const bytes = (RECORD_WORDS + threads + integers.length + floats.length) * 4;
      words.push(numberOf(kernel), bytes, items, grain, 0, ...taken, ...integers, ...floats.map(bitsOf));
    },
    /** Writes the list into a new block of memory. */
    store(memory: Memory): Block {
      const size = HEADER_WORDS + words.length;
      const address = memory.staging.allocate(size);
      memory.words(address, HEADER_WORDS).set([0, size * 4, 0, 0]);
      memory.words(address + HEADER_WORDS * 4, words.length).set(words);
      return { address, end: address + size * 4, size };
    },
  };
};
