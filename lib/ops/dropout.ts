/**
 * Dropout (Srivastava et al. 2014), inverted: each element is zeroed with probability `rate`, the others are divided by
 * 1 − rate, so the mean stays. Which ones is a function of the key alone: the vjp draws the same mask again from the same
 * key instead of keeping it.
 */
import * as kernels from '../../kernels/random.ts';
import { elementwise, operation } from '../op.ts';
import type { Tensor } from '../tensor.ts';

const dropoutOp: (params: { rate: number }, key: Tensor, x: Tensor) => Tensor = operation<{ rate: number }>({
  name: 'dropout',
  about: 'y = x / (1 − rate) where the uniform number of its place is at least the rate, else 0',
  domain: { inputs: [{ dims: '4', below: 65536 }, { dims: 'm n' }], params: (_, pick) => ({ rate: pick(4) / 8 }) },
  shape([, x], { rate }) {
    if (!(rate >= 0 && rate < 1)) throw new Error(`dropout: the rate is a probability below 1, not ${rate}`);
    return { shape: x.shape, dtype: 'f32' };
  },
  reference([key, x], y, { rate }) {
    const draw = (i: number) => kernels.threefry(key[0], key[1], key[2], key[3], i >> 1, 0, 4 + (i & 1)) / 2 ** 24;
    y.forEach((_, i) => (y[i] = draw(i) >= rate ? x[i] / (1 - rate) : 0));
  },
  launches: ({ rate }, _, y) => [{ kernel: kernels.dropout, arrays: [0, 1], floats: [rate], output: elementwise(y) }],
  vjp: (dy, { inputs: [key], params }) => [null, dropoutOp(params, key, dy)],
  keeps: [0],
});

/** x with a fraction `rate` of its elements zeroed and the rest scaled up; the identity at rate 0. */
export const dropout = (key: Tensor, x: Tensor, rate: number): Tensor => (rate === 0 ? x : dropoutOp({ rate }, key, x));
