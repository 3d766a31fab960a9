/**
 * A worker: a thread of Node's worker_threads or of a page. Its program is text, since it is the same in a checkout, a
 * package, a bundle and a page, and needs no file that each of them would have to find.
 */
import { inNode, nodeModule } from '../node.ts';

export interface Start {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** The addresses that `enter` takes (assembly/thread.ts); the first one is the flag of failure. */
  readonly settings: readonly number[];
  readonly list: number;
}

const PROGRAM = `
  const start = ({ module, memory, settings, list }) => {
    try {
      const env = { memory, now: () => 0, abort: () => undefined };
      const { exports } = new WebAssembly.Instance(module, { env });
      for (const { name, kind } of WebAssembly.Module.exports(module)) {
        if (kind === 'function') exports.table.set(exports.table.grow(1), exports[name]);
      }
      exports.enter(...settings, 1);
      exports.serve(list);
    } catch (error) {
      Atomics.store(new Int32Array(memory.buffer), settings[0] >>> 2, 1);
      throw error;
    }
  };
`;

/** Starts a worker, which keeps no program from ending; `fail` is called if it ever stops. */
export const startWorker = async (start: Start, fail: (error: unknown) => void): Promise<void> => {
  if (inNode()) {
    const { Worker } = await nodeModule('node:worker_threads');
    const program = `${PROGRAM} start(require('node:worker_threads').workerData);`;
    const worker = new Worker(program, { eval: true, workerData: start, execArgv: [], name: 'amber' });
    worker.unref();
    worker.on('error', fail);
    worker.on('exit', (code) => fail(new Error(`wasm: a worker ended with code ${code}`)));
    return;
  }
  const program = `${PROGRAM} onmessage = ({ data }) => start(data);`;
  const worker = new Worker(URL.createObjectURL(new Blob([program], { type: 'text/javascript' })), { name: 'amber' });
  worker.onerror = ({ message }) => fail(new Error(`wasm: a worker failed: ${message}`));
  worker.postMessage(start);
};
