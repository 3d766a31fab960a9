/**
 * `npx tsx bench/replacements.ts [name …]`: what each tuned replacement gains over the gpu.js definition of its operation, on
 * the device of AMBER_DEVICE, `gpu` or `wasm`.
 */
import { openQueue } from '../kernels/device/queue.ts';
import { gains } from './gains.ts';

const name = process.env.AMBER_DEVICE === 'wasm' ? 'wasm' : 'gpu';
const open =
  name === 'wasm'
    ? (await import('../kernels/device/wasm.ts')).openWasm
    : (await import('../kernels/device/gpu.ts')).openGpu;
const devices = [await open({ tuned: true }), await open({ tuned: false })];
const [tuned, defined] = devices.map((device) => ({ queue: openQueue(Promise.resolve(device)) }));
const replaced =
  name === 'wasm'
    ? (await import('../kernels/fast/wasm/replacements.ts')).replacements
    : (await import('../kernels/fast/wgsl/replacements.ts')).replacements;
console.log(`${devices[0].description}\n${''.padEnd(52)}replacement   definition   ratio`);

for await (const { title, flops, replacement, definition } of gains(
  tuned,
  defined,
  replaced,
  process.argv.length > 2 ? process.argv.slice(2) : undefined,
)) {
  const rate = flops === undefined ? '' : `   ${(flops / replacement / 1e6).toFixed(1)} GFLOP/s`;
  console.log(
    `${title.padEnd(52)}${replacement.toFixed(3).padStart(8)} ms${definition.toFixed(3).padStart(10)} ms${(definition / replacement).toFixed(1).padStart(8)}${rate}`,
  );
}
process.exit();
