/** Exercise 5: 0 … n − 1 in the order of n random numbers, i32 [1, n]. */
import type { Tensor } from '../../lib/index.ts';
import { topIndices, uniform } from '../../lib/index.ts';

export const shuffle = (key: Tensor, n: number): Tensor => topIndices(uniform(key, [1, n]), n);
