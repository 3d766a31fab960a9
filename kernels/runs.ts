/** Kernels of rows in runs: run k is the counts[k] rows behind run k − 1. */
import type { Thread } from './device/device.ts';

/** y[r] = the factor of the run in which row r lies; 0 behind the last. */
export function factorOfRow(this: Thread, counts: Float32Array, factors: Float32Array, runs: number): number {
  let factor = 0;
  let end = 0;
  for (let k = 0; k < runs; k++) {
    if (this.thread.x >= end) factor = factors[k];
    end += counts[k];
  }
  if (this.thread.x >= end) factor = 0;
  return factor;
}

/** y[r, c] = x[r, c] · factor[r]. */
export function timesRow(this: Thread, x: Float32Array, factor: Float32Array, columns: number): number {
  return x[this.thread.y * columns + this.thread.x] * factor[this.thread.y];
}

/** y[k] = Σ x[r] over the rows of run k. */
export function sumRun(this: Thread, x: Float32Array, counts: Float32Array, rows: number): number {
  let start = 0;
  for (let k = 0; k < this.thread.x; k++) {
    start += counts[k];
  }
  let sum = 0;
  for (let r = 0; r < rows; r++) {
    if (r >= start && r < start + counts[this.thread.x]) sum += x[r];
  }
  return sum;
}
