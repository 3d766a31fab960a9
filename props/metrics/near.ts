/** Equality up to rounding, for the laws of the metrics. */
import * as assert from 'uvu/assert';

export const near = (a: number, b: number, tolerance = 1e-12): void =>
  assert.ok(Math.abs(a - b) <= tolerance * (1 + Math.abs(b)), `${a}, not ${b}`);
