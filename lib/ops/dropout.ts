/**
 * Dropout (Srivastava et al. 2014), inverted: each element is zeroed with probability `rate`, the others are divided by
 * 1 − rate, so the mean stays. Which ones is a function of the key alone (or of a list of keys, each for its part of the
 * rows): the vjp draws the same mask again from the same key instead of keeping it.
 */
import * as kernels from '../../kernels/random.ts';
import { keysOf, operation } from '../op.ts';
import { sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

const dropoutOp: (params: { rate: number }, key: Tensor, x: Tensor) => Tensor = operation<{ rate: number }>({
  name: 'dropout',
  about: 'y = x / (1 − rate) where the uniform number of its place is at least the rate, else 0',
  domain: [['4', 'm n'], ['k 4', 'k m n']].map(([keys, x]) => ({
    inputs: [{ dims: keys, below: 65536 }, { dims: x }],
    params: (_, pick) => ({ rate: pick(4) / 8 }),
  })),
  shape([key, x], { rate }) {
    keysOf('dropout', key, x.shape);
    if (!(rate >= 0 && rate < 1)) throw new Error(`dropout: the rate is a probability below 1, not ${rate}`);
    return { shape: x.shape, dtype: 'f32' };
  },
  reference: ([keys, x], y, { rate }) => y.forEach((_, i) => (y[i] = kernels.draw(keys, i, y.length) >= rate ? x[i] / (1 - rate) : 0)),
  launches({ rate }, [key], y) {
    const count = keysOf('dropout', key);
    const size = sizeOf(y.shape) / count;
    return [{ kernel: kernels.dropout, arrays: [0, 1], integers: [size], floats: [rate], output: [size, count] }];
  },
  vjp: (dy, { inputs: [key], params }) => [null, dropoutOp(params, key, dy)],
  keeps: [0],
});

/** x with a fraction `rate` of its elements zeroed and the rest scaled up; the identity at rate 0. */
export const dropout = (key: Tensor, x: Tensor, rate: number): Tensor => (rate === 0 ? x : dropoutOp({ rate }, key, x));
