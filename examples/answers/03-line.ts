/** Exercise 3: the line of least squares through the points (x, y), tensors of n numbers each. */
import type { Tensor } from '../../lib/index.ts';
import { div, mean, mul, square, sub, sum } from '../../lib/index.ts';

export const leastSquares = (x: Tensor, y: Tensor): { slope: Tensor; intercept: Tensor } => {
  const [dx, dy] = [sub(x, mean(x)), sub(y, mean(y))];
  const slope = div(sum(mul(dx, dy)), sum(square(dx)));
  return { slope, intercept: sub(mean(y), mul(slope, mean(x))) };
};
