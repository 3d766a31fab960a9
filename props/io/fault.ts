/**
 * Loaded before a program (`node --import`), does to it what FAULT says: `SIGKILL 57` sends it that signal at its 57th
 * act on the file system, `ENOSPC 57` lets that act and all later writing fail as on a full disk, `LOST 57` destroys the
 * GPU device that it computes on. A write that is killed is half done. At its end a program that is left alone says how many acts there were.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { findAdapter } from '../../kernels/device/gpu/adapter.ts';

const [what, at = 'Infinity'] = (process.env.FAULT ?? 'nothing').split(' ');
let acts = 0;
let device: GPUDevice | undefined;

if (what === 'LOST') {
  const adapter = await findAdapter();
  const { requestDevice } = adapter;
  adapter.requestDevice = async (descriptor) => (device = await requestDevice.call(adapter, descriptor));
  navigator.gpu.requestAdapter = async () => adapter;
}

type Act = (...args: never[]) => unknown;
const WRITING = ['openSync', 'writeSync', 'mkdirSync', 'appendFileSync', 'writeFileSync'] as const;
const OTHER = ['fsyncSync', 'renameSync', 'rmSync'] as const;

const half = (bytes: unknown) => (typeof bytes === 'string' || bytes instanceof Uint8Array ? bytes.slice(0, bytes.length >> 1) : bytes);

for (const name of [...WRITING, ...OTHER]) {
  const act = fs[name] as Act;
  const isWriting = WRITING.some((writing) => writing === name);
  const faulty = (...args: never[]) => {
    if (name === 'openSync' && (args[1] as string) === 'r') return act(...args);
    acts++;
    if (what === 'ENOSPC' && acts >= Number(at) && isWriting) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    if (what === 'LOST' && acts === Number(at)) device?.destroy();
    if (what.startsWith('SIG') && acts === Number(at)) {
      if (what === 'SIGKILL' && name === 'writeSync') act(...([args[0], half(args[1])] as never[]));
      process.kill(process.pid, what);
    }
    return act(...args);
  };
  Object.assign(fs, { [name]: faulty });
}
syncBuiltinESMExports();

process.on('exit', () => what === 'nothing' && console.log(`${acts} acts`));
