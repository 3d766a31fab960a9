/**
 * What jax-js expects of a browser and Node 20 does not have: iterator helpers (core-js), `navigator`, and `Worker` over
 * worker_threads, for module sources in object URLs. Import it before jax-js.
 */
import 'core-js/actual/iterator/index.js';
import 'core-js/actual/set/index.js';
import { resolveObjectURL } from 'node:buffer';
import { availableParallelism } from 'node:os';
import { Worker as Thread } from 'node:worker_threads';

const prelude = `
const { parentPort } = require('node:worker_threads');
globalThis.self = globalThis;
globalThis.postMessage = (message) => parentPort.postMessage(message);
parentPort.on('message', (data) => self.onmessage({ data }));
`;

class Worker {
  #thread;

  constructor(url) {
    this.#thread = resolveObjectURL(url)
      .text()
      .then((source) => {
        const thread = new Thread(prelude + source, { eval: true });
        thread.on('message', (data) => this.onmessage?.({ data }));
        thread.on('error', (error) => this.onerror?.(error));
        return thread;
      });
  }

  postMessage(message) {
    // Once the thread runs, messages go at once: jax-js sends one for every kernel.
    if (this.#thread instanceof Thread) this.#thread.postMessage(message);
    else void this.#thread.then((thread) => (this.#thread = thread).postMessage(message));
  }
}

globalThis.navigator ??= { hardwareConcurrency: availableParallelism(), userAgent: 'Node' };
globalThis.Worker ??= Worker;
