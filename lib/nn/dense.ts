/** Layers of one line: dense, layer norm, dropout by name. A layer is a function of its parameters and its input. */
import { split } from '../key.ts';
import { dropout } from '../ops/dropout.ts';
import { layerNorm } from '../ops/layernorm.ts';
import { dense } from '../ops/matmul.ts';
import type { Tensor } from '../tensor.ts';

export interface Dense {
  readonly kernel: Tensor;
  readonly bias: Tensor;
}

export interface Norm {
  readonly gain: Tensor;
  readonly bias: Tensor;
}

/** y = x · kernel + bias: x […, n] → […, m]. */
export const linear = ({ kernel, bias }: Dense, x: Tensor): Tensor => dense(x, kernel, bias);

/** Layer norm over the last axis. */
export const norm = ({ gain, bias }: Norm, x: Tensor, epsilon: number): Tensor => layerNorm(x, gain, bias, epsilon);

/** Dropout with the key that `name` derives; without a cost at rate 0. */
export const drop = (key: Tensor, name: string, x: Tensor, rate: number): Tensor =>
  rate === 0 ? x : dropout(split(key, name)[name], x, rate);
