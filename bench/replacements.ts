/**
 * `npx tsx bench/replacements.ts [name …]`: what each tuned replacement (kernels/fast) gains over the gpu.js definition of its
 * operation, on the device of AMBER_DEVICE, `gpu` or `wasm`, in one run: both are timed in turn, and the medians compared.
 * That they compute the same is the law of props/kernels/replacements.ts.
 */
import '../lib/index.ts';
import type { Queue } from '../kernels/device/queue.ts';
import { openQueue } from '../kernels/device/queue.ts';
import { registry } from '../lib/op.ts';
import { sizeOf } from '../lib/shape.ts';
import { median } from './median.ts';

interface Line {
  readonly op: string;
  readonly params?: object;
  /** Shapes of the inputs; whole numbers below a bound where one is given. */
  readonly inputs: readonly (readonly number[] | { shape: readonly number[]; below: number })[];
  readonly flops?: number;
}

const product = (shape: [z: number, m: number, k: number, n: number], transposeA = false, transposeB = false): Line => {
  const [z, m, k, n] = shape;
  return {
    op: 'matmul',
    params: { transposeA, transposeB },
    inputs: [transposeA ? [z, k, m] : [z, m, k], transposeB ? [z, n, k] : [z, k, n]],
    flops: 2 * z * m * k * n,
  };
};

const key = { shape: [4], below: 65536 };

/** The shapes of a `mini` step: 2,048 tokens, 128 wide; 320 of them hidden, 4,096 words. */
const lines: Line[] = [
  product([1, 512, 512, 512]),
  product([1, 512, 512, 512], false, true),
  product([1, 512, 512, 512], true, false),
  product([1, 128, 2048, 512], true, false),
  product([128, 64, 32, 64], false, true),
  product([128, 64, 64, 32]),
  product([1, 320, 64, 4096], false, true),
  product([1, 257, 130, 259]),
  product([1, 16, 130, 3]),
  { op: 'dense', inputs: [[2048, 128], [128, 512], [512]], flops: 2 * 2048 * 128 * 512 },
  {
    op: 'denseSlope',
    inputs: [
      [2048, 128],
      [2048, 512],
    ],
    flops: 2 * 2048 * 128 * 512,
  },
  { op: 'softmax', inputs: [[320, 4096]] },
  { op: 'logSoftmax', inputs: [[320, 4096]] },
  { op: 'maskedSoftmax', params: { scale: 0.2 }, inputs: [[32, 4, 64, 64], { shape: [32, 64], below: 2 }] },
  {
    op: 'softmaxSlope',
    params: { scale: 0.2 },
    inputs: [
      [32, 4, 64, 64],
      [32, 4, 64, 64],
    ],
  },
  { op: 'crossEntropy', inputs: [[320, 4096], { shape: [320], below: 4096 }] },
  { op: 'crossEntropySlope', inputs: [[320, 4096], { shape: [320], below: 4096 }, [320]] },
  { op: 'layerNorm', params: { epsilon: 1e-12 }, inputs: [[2048, 128], [128], [128]] },
  { op: 'layerNormSlope', params: { epsilon: 1e-12 }, inputs: [[2048, 128], [128], [2048, 128]] },
  {
    op: 'layerNormParameters',
    params: { epsilon: 1e-12 },
    inputs: [
      [2048, 128],
      [2048, 128],
    ],
  },
  { op: 'sumAxis', params: { axis: 0 }, inputs: [[2048, 512]] },
  { op: 'sumAxis', params: { axis: 1 }, inputs: [[2048, 512]] },
  { op: 'sumAxis', params: { axis: 0 }, inputs: [[1 << 20]] },
  { op: 'max', params: { axis: 1 }, inputs: [[320, 4096]] },
  { op: 'argmax', params: { axis: 1 }, inputs: [[320, 4096]] },
  { op: 'topIndices', params: { count: 10 }, inputs: [[32, 64]] },
  { op: 'scatterAdd', params: { rows: 4096 }, inputs: [[2048, 64], { shape: [2048], below: 4096 }] },
  { op: 'scatterAdd', params: { rows: 2 }, inputs: [[2048, 64], { shape: [2048], below: 2 }] },
  { op: 'scatterAdd', params: { rows: 30522 }, inputs: [[8192, 64], { shape: [8192], below: 30522 }] },
  { op: 'uniform', params: { shape: [1 << 18] }, inputs: [key] },
  { op: 'dropout', params: { rate: 0.1 }, inputs: [key, [2048, 128]] },
];

/** Rounds of a case; each times both devices. */
const ROUNDS = 9;

/** Milliseconds that a launch takes among `count` of them. */
const time = async (queue: Queue, launch: () => ReturnType<Queue['launch']>, count: number): Promise<number> => {
  const last = queue.write([0]);
  await queue.read(last);
  const start = performance.now();
  for (let i = 0; i < count; i++) queue.release(launch());
  await queue.read(last);
  queue.release(last);
  return (performance.now() - start) / count;
};

const name = process.env.AMBER_DEVICE === 'wasm' ? 'wasm' : 'gpu';
const open =
  name === 'wasm'
    ? (await import('../kernels/device/wasm.ts')).openWasm
    : (await import('../kernels/device/gpu.ts')).openGpu;
const device = await open({ tuned: true });
const queues = [device, await open({ tuned: false })].map((opened) => openQueue(Promise.resolve(opened)));
const replaced: object =
  name === 'wasm'
    ? (await import('../kernels/fast/wasm/replacements.ts')).replacements
    : (await import('../kernels/fast/wgsl/replacements.ts')).replacements;
console.log(`${device.description}\n${''.padEnd(52)}replacement   definition   ratio`);

const names = process.argv.length > 2 ? process.argv.slice(2) : [''];
let state = 1;
const random = () => (state = (state * 48271) % 2147483647) / 2147483647;

for (const { op: which, params = {}, inputs, flops } of lines) {
  const title = `${which} ${Object.values(params)
    .filter((v) => v !== false)
    .join(' ')} ${inputs.map((x) => `[${('shape' in x ? x.shape : x).join(' ')}]`).join(' ')}`;
  if (!(which in replaced) || !names.some((name) => title.includes(name))) continue;
  const op = registry.get(which)!;
  const specs = inputs.map((x) =>
    'shape' in x ? ({ shape: x.shape, dtype: 'i32' } as const) : ({ shape: x, dtype: 'f32' } as const),
  );
  const values = inputs.map((x, i) =>
    Float32Array.from({ length: sizeOf(specs[i].shape) }, () =>
      'shape' in x ? Math.floor(x.below * random()) : random(),
    ),
  );
  const output = op.shape(specs, params);
  const launches = queues.map((queue) => {
    const given = values.map((x) => queue.write(x));
    return () => queue.launch(op, params, given, specs, output);
  });
  const times: number[][] = [[], []];
  const counts: number[] = [];
  for (const [i, queue] of queues.entries()) {
    await time(queue, launches[i], 1);
    counts.push(Math.max(1, Math.min(50, Math.round(60 / (await time(queue, launches[i], 1))))));
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, queue] of queues.entries()) times[i].push(await time(queue, launches[i], counts[i]));
  }
  const [tuned, definition] = times.map(median);
  const rate = flops === undefined ? '' : `   ${(flops / tuned / 1e6).toFixed(1)} GFLOP/s`;
  console.log(
    `${title.padEnd(52)}${tuned.toFixed(3).padStart(8)} ms${definition.toFixed(3).padStart(10)} ms${(definition / tuned).toFixed(1).padStart(8)}${rate}`,
  );
}
process.exit();
