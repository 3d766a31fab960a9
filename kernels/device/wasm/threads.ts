/**
 * Who carries out the lists. Lists are chained in memory in the order in which they come. The main thread works on them
 * while it has nothing else to do, in slices of a few milliseconds between which timers and signals get their turn.
 */
import type { Block } from './list.ts';
import type { Memory } from './memory.ts';
import type { instantiate } from './module.ts';

/** Milliseconds that the main thread works before it looks at its events. */
const SLICE = 10;
/** Lists that may wait before the caller has to help. */
const MOST_WAITING = 64;
/** Scratch memory of a thread, in floats: the packed block of a matrix product. */
const SCRATCH = 96 * 256 + 1024;

interface Waiting {
  readonly block: Block;
  readonly done: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface Threads {
  /** Appends a list; `done` is called when it is carried out, then the promise resolves. */
  submit(block: Block, done: () => void): Promise<void>;
  /** Waits, blocking, until all lists are carried out. */
  finish(): void;
}

/** Lets the event loop have its turn, then calls. */
const soon: (f: () => void) => void =
  typeof setImmediate === 'function' ? (f) => void setImmediate(f) : (f) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      f();
    };
    port2.postMessage(0);
  };

export const openThreads = (memory: Memory, exports: ReturnType<typeof instantiate>['exports']): Threads => {
  const waiting: Waiting[] = [];
  let record = 0;
  let scheduled = false;

  const control = memory.staging.allocate(16);
  exports.enter(control, control + 4, memory.staging.allocate(SCRATCH), 0);

  /** Works until there is nothing left, or the deadline has passed. */
  const help = (deadline: number): void => {
    while (waiting.length > 0) {
      const { block, done, resolve } = waiting[0];
      record = exports.work(block.address, record, deadline);
      if (record < block.end) return;
      record = 0;
      waiting.shift();
      memory.staging.release(block.address, block.size);
      done();
      resolve();
    }
  };

  const pump = (): void => {
    scheduled = false;
    try {
      help(performance.now() + SLICE);
    } catch (error) {
      waiting.splice(0).forEach(({ reject }) => reject(error));
    }
    schedule();
  };

  const schedule = (): void => {
    if (scheduled || waiting.length === 0) return;
    scheduled = true;
    soon(pump);
  };

  return {
    submit(block, done) {
      const promise = new Promise<void>((resolve, reject) => waiting.push({ block, done, resolve, reject }));
      if (waiting.length > MOST_WAITING) help(performance.now() + SLICE);
      schedule();
      return promise;
    },
    finish: () => help(Infinity),
  };
};
