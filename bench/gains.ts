/**
 * What each tuned replacement (kernels/fast) gains over the gpu.js definition of its operation: both compute the same first,
 * then both are timed in turn, in one run, and the medians compared.
 */
import '../lib/index.ts';
import type { Queue } from '../kernels/device/queue.ts';
import { registry } from '../lib/op.ts';
import type { Spec } from '../lib/shape.ts';
import { sizeOf } from '../lib/shape.ts';
import { worst } from './measure.ts';
import { median } from './median.ts';

/** A device to be timed, and its own clock where it has one: milliseconds that it has worked since it was last asked. */
export interface Timed {
  readonly queue: Queue;
  readonly busy?: () => Promise<number>;
}

export interface Gain {
  readonly title: string;
  readonly flops?: number;
  /** Milliseconds of a launch. */
  readonly replacement: number;
  readonly definition: number;
}

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
  {
    op: 'attentionScores',
    inputs: [
      [32, 64, 4, 32],
      [32, 64, 4, 32],
    ],
    flops: 2 * 128 * 64 * 32 * 64,
  },
  {
    op: 'attentionContext',
    inputs: [
      [32, 4, 64, 64],
      [32, 64, 4, 32],
    ],
    flops: 2 * 128 * 64 * 32 * 64,
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

type Launch = () => ReturnType<Queue['launch']>;

/** Milliseconds that a launch takes among `count` of them. */
const time = async ({ queue, busy }: Timed, launch: Launch, count: number): Promise<number> => {
  const last = queue.write([0]);
  await queue.read(last);
  await busy?.();
  const start = performance.now();
  for (let i = 0; i < count; i++) queue.release(launch());
  await queue.read(last);
  const wall = performance.now() - start;
  queue.release(last);
  return (busy ? await busy() : wall) / count;
};

const titleOf = (op: string, params: object, inputs: Line['inputs']): string => {
  const given = Object.entries(params).flatMap(([name, value]) =>
    value === true ? [name] : value === false ? [] : [value],
  );
  return [op, ...given, ...inputs.map((x) => `[${('shape' in x ? x.shape : x).join(' ')}]`)].join(' ');
};

const read = (queue: Queue, launch: Launch): Promise<ArrayLike<number>> => {
  const y = launch();
  const values = queue.read(y);
  queue.release(y);
  return values;
};

/** Fails where the two differ by more than the rounding of sums of `longest` terms of at most 1; whole numbers do not differ. */
const verify = async (title: string, results: Promise<ArrayLike<number>>[], { dtype }: Spec, longest: number) => {
  const [came, expected] = await Promise.all(results);
  const tolerance =
    dtype === 'i32'
      ? 0
      : 2 ** -23 * (16 + longest) * Array.from(expected).reduce((most, x) => Math.max(most, Math.abs(x)), 1);
  const difference = worst(came, expected);
  if (!(difference <= tolerance))
    throw new Error(
      `${title}: the replacement differs by ${difference} from the definition; at most ${tolerance} is right`,
    );
};

/**
 * The gains of the operations in `replaced` whose line contains one of `names`, on a device with replacements and the same
 * without. Rejects when they do not agree.
 */
export async function* gains(tuned: Timed, defined: Timed, replaced: object, names = ['']): AsyncGenerator<Gain> {
  let state = 1;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const ways = [tuned, defined];

  for (const { op: which, params = {}, inputs, flops } of lines) {
    const title = titleOf(which, params, inputs);
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
    const given = ways.map(({ queue }) => values.map((x) => queue.write(x)));
    const launches = ways.map(
      ({ queue }, i): Launch =>
        () =>
          queue.launch(op, params, given[i], specs, output),
    );
    await verify(
      title,
      ways.map(({ queue }, i) => read(queue, launches[i])),
      output,
      Math.max(...specs.flatMap(({ shape }) => shape)),
    );

    const counts: number[] = [];
    for (const [i, way] of ways.entries())
      counts.push(Math.max(1, Math.min(50, Math.round(60 / (await time(way, launches[i], 1))))));
    const times: number[][] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, way] of ways.entries()) times[i].push(await time(way, launches[i], counts[i]));
    }
    ways.forEach(({ queue }, i) => given[i].forEach((x) => queue.release(x)));
    const [replacement, definition] = times.map(median);
    yield { title, flops, replacement, definition };
  }
}
