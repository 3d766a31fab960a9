/**
 * Single operations at the shapes of a `mini` step (2,048 tokens, 128 wide), with what they must compute and move: what
 * `npm run bench` and `npm run bench:gpu` time.
 */
import type { Tensor } from '../lib/index.ts';
import {
  add,
  dense,
  dropout,
  gather,
  gelu,
  key,
  layerNorm,
  maskedSoftmax,
  attentionContext,
  attentionScores,
  matmul,
  normal,
  ones,
  scatterAdd,
  sigmoidCrossEntropy,
  softmaxCrossEntropy,
  sum,
  tensor,
  transpose,
  zeros,
} from '../lib/index.ts';
import type { Case } from './measure.ts';

const random = (seed: number, shape: number[]) => normal(key(seed), shape);
const ids = (count: number, below: number) => tensor(Int32Array.from({ length: count }, (_, i) => (i * 7919) % below), [count], 'i32');

/** A product by its sizes; `marks` as in BLAS: which sides are transposed. */
export const product = (m: number, k: number, n: number, marks = 'NN', batch: number[] = []): Case => {
  const [transposeA, transposeB] = [...marks].map((mark) => mark === 'T');
  const count = batch.reduce((x, y) => x * y, 1);
  return {
    name: `matmul ${marks} ${batch.length > 0 ? `${batch.join('×')} of ` : ''}[${m} ${k}]·[${k} ${n}]`,
    inputs: () => [random(1, [...batch, ...(transposeA ? [k, m] : [m, k])]), random(2, [...batch, ...(transposeB ? [n, k] : [k, n])])],
    run: (a, b) => matmul(a, b, { transposeA, transposeB }),
    flops: 2 * m * k * n * count,
    bytes: 4 * (m * k + k * n + m * n) * count,
    tolerance: 1e-5 * k,
  };
};

/** An operation that moves or maps numbers: its bytes are those of its inputs and its output, once. */
const passing = (name: string, inputs: () => Tensor[], run: Case['run'], floats: number, tolerance = 1e-5): Case => ({ name, inputs, run, bytes: 4 * floats, tolerance });

const wide = [2048, 512];
const scores = [32, 4, 64, 64];

const perHead = [32, 64, 4, 32];

/** A product of attention: 64 × 64 × 32 for each of 32 × 4 heads. */
const headed = (name: string, inputs: () => Tensor[], run: Case['run']): Case => ({ name, inputs, run, flops: 2 * 64 * 64 * 32 * 128, bytes: 4 * (2 * 2048 * 128 + 8192 * 64), tolerance: 1e-3 });

export const cases: Case[] = [
  product(2048, 128, 512),
  product(2048, 512, 128),
  product(2048, 512, 128, 'NT'),
  product(512, 2048, 128, 'TN'),
  headed('attentionScores of [32 64 4 32] and [32 64 4 32]', () => [random(1, perHead), random(2, perHead)], attentionScores),
  headed('attentionContext of [32 4 64 64] and [32 64 4 32]', () => [random(1, scores), random(2, perHead)], (p, v) => attentionContext(p, v)),
  product(320, 64, 4096, 'NT'),
  product(1024, 1024, 1024),
  {
    name: 'dense [2048 128]·[128 512] + bias',
    inputs: () => [random(1, [2048, 128]), random(2, [128, 512]), random(3, [512])],
    run: dense,
    flops: 2 * 2048 * 128 * 512,
    bytes: 4 * (2048 * 128 + 128 * 512 + 2048 * 512),
    tolerance: 1e-3,
  },
  passing('add [2048 512]', () => [random(1, wide), random(2, wide)], add, 3 * 2048 * 512),
  passing('gelu [2048 512]', () => [random(1, wide)], gelu, 2 * 2048 * 512),
  passing('maskedSoftmax [32 4 64 64]', () => [random(1, scores), ones([32, 64])], (x, mask) => maskedSoftmax(x, mask, 0.2), 2 * 8192 * 64),
  passing('layerNorm [2048 128]', () => [random(1, [2048, 128]), ones([128]), zeros([128])], (x, gain, bias) => layerNorm(x, gain, bias), 2 * 2048 * 128, 1e-4),
  passing('dropout [2048 512]', () => [key(1), random(1, wide)], (k, x) => dropout(k, x, 0.1), 2 * 2048 * 512),
  passing('sum over rows [2048 512]', () => [random(1, wide)], (x) => sum(x, { axis: 0 }), 2048 * 512, 1e-3),
  passing('transpose [32 64 4 32]', () => [random(1, [32, 64, 4, 32])], (x) => transpose(x, [0, 2, 1, 3]), 2 * 2048 * 128),
  passing('softmaxCrossEntropy [320 4096]', () => [random(1, [320, 4096]), ids(320, 4096)], (x, labels) => softmaxCrossEntropy(x, labels), 320 * 4096, 1e-4),
  passing('sigmoidCrossEntropy [2048]', () => [random(1, [2048]), zeros([2048])], (x, labels) => sigmoidCrossEntropy(x, labels), 2 * 2048, 1e-4),
  passing('gather 2048 of [4096 64]', () => [random(1, [4096, 64]), ids(2048, 4096)], gather, 2 * 2048 * 64),
  passing('scatterAdd 2048 to [4096 64]', () => [ids(2048, 4096), random(1, [2048, 64])], (at, x) => scatterAdd(at, x, 4096), 2048 * 64 + 4096 * 64, 1e-4),
];
