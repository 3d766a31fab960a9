/**
 * `npm run bench`: single operations, verified and then timed, on the device of AMBER_DEVICE or the automatic one.
 * `npx tsx bench/step.ts` times whole training steps.
 */
import { add, gather, gelu, key, layerNorm, matmul, normal, ones, scatterAdd, softmax, tensor, useDevice, zeros } from '../lib/index.ts';
import type { Case } from './measure.ts';
import { measure } from './measure.ts';

const random = (seed: number, shape: number[]) => normal(key(seed), shape);
const ids = (count: number, below: number) => tensor(Int32Array.from({ length: count }, (_, i) => (i * 7919) % below), [count], 'i32');

const product = (m: number, k: number, n: number): Case => ({
  name: `matmul [${m} ${k}]·[${k} ${n}]`,
  inputs: () => [random(1, [m, k]), random(2, [k, n])],
  run: (a, b) => matmul(a, b),
  flops: 2 * m * k * n,
  bytes: 4 * (m * k + k * n + m * n),
  tolerance: 1e-5 * k,
});

/** The shapes of a `mini` step: 2,048 tokens, 128 wide. */
const cases: Case[] = [
  product(2048, 128, 512),
  product(512, 512, 512),
  { name: 'add [2048 512]', inputs: () => [random(1, [2048, 512]), random(2, [2048, 512])], run: add, bytes: 12 * 2048 * 512, tolerance: 1e-5 },
  { name: 'gelu [2048 512]', inputs: () => [random(1, [2048, 512])], run: gelu, bytes: 8 * 2048 * 512, tolerance: 1e-5 },
  { name: 'softmax [8192 64]', inputs: () => [random(1, [8192, 64])], run: softmax, bytes: 8 * 8192 * 64, tolerance: 1e-5 },
  {
    name: 'layerNorm [2048 128]',
    inputs: () => [random(1, [2048, 128]), ones([128]), zeros([128])],
    run: (x, gain, bias) => layerNorm(x, gain, bias),
    bytes: 8 * 2048 * 128,
    tolerance: 1e-4,
  },
  { name: 'gather 2048 of [4096 64]', inputs: () => [random(1, [4096, 64]), ids(2048, 4096)], run: gather, bytes: 8 * 2048 * 64, tolerance: 1e-5 },
  {
    name: 'scatterAdd 2048 to [4096 64]',
    inputs: () => [ids(2048, 4096), random(1, [2048, 64])],
    run: (at, x) => scatterAdd(at, x, 4096),
    bytes: 4 * (2048 * 64 + 4096 * 64),
    tolerance: 1e-4,
  },
];

const device = await useDevice();
console.log(device.description);
for (const benchCase of cases) {
  const { median, spread } = await measure(device.name, benchCase);
  const rate = benchCase.flops === undefined ? `${(benchCase.bytes / median / 1e6).toFixed(2)} GB/s` : `${(benchCase.flops / median / 1e6).toFixed(2)} GFLOP/s`;
  console.log(`${benchCase.name.padEnd(30)} ${median.toFixed(3).padStart(9)} ms  ± ${(100 * spread).toFixed(0).padStart(2)} %  ${rate.padStart(16)}`);
}
