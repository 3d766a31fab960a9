/** Exercise 4: (x·A + a)·B + b = x·(A·B) + (a·B + b). */
import type { Tensor } from '../../lib/index.ts';
import { linear, matmul, reshape } from '../../lib/index.ts';

type Dense = { kernel: Tensor; bias: Tensor };

export const collapse = (first: Dense, second: Dense): Dense => {
  const row = reshape(first.bias, [1, first.bias.size]);
  return { kernel: matmul(first.kernel, second.kernel), bias: reshape(linear(second, row), second.bias.shape) };
};
