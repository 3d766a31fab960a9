/** Exercise 1: the rows of x [b, c], each shifted to mean 0 and scaled to variance 1. */
import type { Tensor } from '../../lib/index.ts';
import { div, mean, sqrt, square, sub } from '../../lib/index.ts';

export const standardise = (x: Tensor): Tensor => {
  const row = { axis: 1, keepDims: true };
  const centred = sub(x, mean(x, row));
  return div(centred, sqrt(mean(square(centred), row)));
};
