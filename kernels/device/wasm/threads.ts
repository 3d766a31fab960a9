/**
 * Who carries out the lists: the main thread, and workers over the same memory. Lists are chained in memory in the order in
 * which they come; how threads share one is told in assembly/thread.ts. The main thread only helps: it works while it has
 * nothing else to do, in slices of a few milliseconds between which timers and signals get their turn. A worker that
 * fails raises a flag at which the others stop, and every waiting list is rejected with its error.
 */
import { inNode } from '../node.ts';
import type { Block } from './list.ts';
import type { Memory } from './memory.ts';
import type { Compiled } from './module.ts';
import { startWorker } from './worker.ts';

/** Milliseconds that the main thread works before it looks at its events. */
const SLICE = 10;
/** Lists that may wait before the caller has to help. */
const MOST_WAITING = 64;
/** Scratch memory of a thread, in floats: four panels of a matrix product, and what lies before them (assembly/matmul.ts). */
const SCRATCH = 2048 + 4 * 16 * 256;
/** Words between two threads' words, so that no two share a cache line. */
const APART = 16;

interface Waiting {
  readonly block: Block;
  readonly done: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface Threads {
  /** Appends a list; `done` is called when it is carried out, then the promise resolves. */
  submit(block: Block, done: () => void): Promise<void>;
  /** Waits, blocking, until all lists are carried out. Throws when a thread has failed. */
  finish(): void;
}

/** Lets the event loop have its turn, then calls. */
const soon: (f: () => void) => void =
  typeof setImmediate === 'function'
    ? (f) => void setImmediate(f)
    : (f) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
          port1.close();
          f();
        };
        port2.postMessage(0);
      };

/** Opens `count` threads, this one included; `root` is the empty list with which the chain begins. */
export const openThreads = async (compiled: Compiled, memory: Memory, root: Block, count: number): Promise<Threads> => {
  const control = memory.staging.allocate(APART * (count + 1));
  const failed = memory.integers(control, 1);
  failed[0] = 0;
  const places = Array.from({ length: count }, (_, i) => control + 4 * APART * (i + 1));
  places.forEach((place) => memory.integers(place, 1).fill(root.address));

  const waiting: Waiting[] = [];
  /** The lists that some thread may still look at, in order; the newest is always among them. */
  const chain: Block[] = [root];
  let record = 0;
  let scheduled = false;
  let failure: unknown;

  const fail = (error: unknown): void => {
    failure ??= error;
    Atomics.store(failed, 0, 1);
    waiting.splice(0).forEach(({ reject }) => reject(failure));
  };

  const [mine, ...theirs] = places.map((place, i) => [control, place, memory.staging.allocate(SCRATCH), i, count] as const);
  const maySleep = inNode() || typeof document === 'undefined';
  compiled.exports.enter(...mine, maySleep ? 1 : 0);
  for (const settings of theirs) {
    await startWorker({ module: compiled.module, memory: compiled.memory, settings, list: root.address }, fail);
  }

  /** Gives back the lists that all threads have left behind. */
  const reclaim = (): void => {
    const reached = places.map((place) => {
      const address = Atomics.load(memory.integers(place, 1), 0) >>> 0;
      return chain.findIndex((block) => block.address === address);
    });
    chain.splice(0, Math.min(...reached)).forEach(({ address, size }) => memory.staging.release(address, size));
  };

  /** Works until there is nothing left, or the deadline has passed, or a worker has raised the flag. */
  const help = (deadline: number): void => {
    while (waiting.length > 0) {
      const { block, done, resolve } = waiting[0];
      const next = compiled.exports.work(block.address, record, deadline) >>> 0;
      if (next === 0) return;
      record = next;
      if (record < block.end) return;
      record = 0;
      waiting.shift();
      reclaim();
      done();
      resolve();
    }
  };

  const helpOrFail = (deadline: number): void => {
    try {
      help(deadline);
    } catch (error) {
      fail(error);
    }
  };

  /** As long as something waits: also for the message of a worker that has failed. */
  const schedule = (): void => {
    if (scheduled || waiting.length === 0) return;
    scheduled = true;
    soon(() => {
      scheduled = false;
      helpOrFail(performance.now() + SLICE);
      schedule();
    });
  };

  return {
    submit(block, done) {
      if (failure !== undefined) return Promise.reject(failure);
      const promise = new Promise<void>((resolve, reject) => waiting.push({ block, done, resolve, reject }));
      const next = memory.integers(chain.at(-1)!.address, 1);
      chain.push(block);
      Atomics.store(next, 0, block.address);
      Atomics.notify(next, 0);
      if (waiting.length > MOST_WAITING) helpOrFail(performance.now() + SLICE);
      schedule();
      return promise;
    },
    finish() {
      helpOrFail(Infinity);
      if (waiting.length > 0 && failure === undefined) throw new Error('wasm: a worker failed');
      if (failure !== undefined) throw failure;
    },
  };
};
