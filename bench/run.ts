/**
 * `npm run bench`: single operations, verified and then timed, on the device of AMBER_DEVICE or the automatic one, beside
 * what the machine can do at most (ceiling.ts). `npx tsx bench/step.ts` times whole training steps.
 */
import { useDevice } from '../lib/index.ts';
import { cases } from './cases.ts';
import { ceiling } from './ceiling.ts';
import { measure } from './measure.ts';

const device = await useDevice();
console.log(device.description);
const most = device.name === 'wasm' ? await ceiling(device.threads ?? 1, device.simd ?? 'simd128') : undefined;
if (most) console.log(`at most ${most.gflops.toFixed(1)} GFLOP/s (multiply-adds), ${most.gigabytes.toFixed(1)} GB/s (copy of large memory; small tensors stay in the caches)\n`);
for (const benchCase of cases) {
  const { median, spread } = await measure(device.name, benchCase);
  const [work, unit] = benchCase.flops === undefined ? [benchCase.bytes, 'GB/s'] : [benchCase.flops, 'GFLOP/s'];
  const rate = work / median / 1e6;
  const share = most && benchCase.flops !== undefined ? `${((100 * rate) / most.gflops).toFixed(0)} %`.padStart(5) : '';
  console.log(`${benchCase.name.padEnd(40)}${median.toFixed(3).padStart(9)} ms ± ${(100 * spread).toFixed(0).padStart(2)} %${rate.toFixed(1).padStart(8)} ${unit.padEnd(8)}${share}`);
}
process.exit();
