/** Layer norm kernels: the statistics of a row, one thread a row; then one element a thread. */
import type { Thread } from './device/device.ts';

/** y[r] = Σ_c x[r, c] / columns. */
export function rowMean(this: Thread, x: Float32Array, columns: number): number {
  let sum = 0;
  for (let c = 0; c < columns; c++) {
    sum += x[this.thread.x * columns + c];
  }
  return sum / columns;
}

/** y[r] = 1 / √(Σ_c (x[r, c] − mean[r])² / columns + ε): the biased variance. */
export function rowScale(this: Thread, x: Float32Array, mean: Float32Array, columns: number, epsilon: number): number {
  let sum = 0;
  const m = mean[this.thread.x];
  for (let c = 0; c < columns; c++) {
    const d = x[this.thread.x * columns + c] - m;
    sum += d * d;
  }
  return 1 / Math.sqrt(sum / columns + epsilon);
}

/** y = (x − mean) · scale · gain + bias. */
export function layerNorm(
  this: Thread,
  x: Float32Array,
  gain: Float32Array,
  bias: Float32Array,
  mean: Float32Array,
  scale: Float32Array,
  columns: number,
): number {
  return (
    (x[this.thread.y * columns + this.thread.x] - mean[this.thread.y]) * scale[this.thread.y] * gain[this.thread.x] +
    bias[this.thread.x]
  );
}

/** y[r] = Σ_c dy[r, c] · gain[c] / columns. */
export function slopeMean(this: Thread, gain: Float32Array, dy: Float32Array, columns: number): number {
  let sum = 0;
  for (let c = 0; c < columns; c++) {
    sum += dy[this.thread.x * columns + c] * gain[c];
  }
  return sum / columns;
}

/** y[r] = Σ_c dy[r, c] · gain[c] · x̂[r, c] / columns. */
export function slopeDot(
  this: Thread,
  x: Float32Array,
  gain: Float32Array,
  dy: Float32Array,
  mean: Float32Array,
  scale: Float32Array,
  columns: number,
): number {
  let sum = 0;
  for (let c = 0; c < columns; c++) {
    sum += dy[this.thread.x * columns + c] * gain[c] * (x[this.thread.x * columns + c] - mean[this.thread.x]);
  }
  return (sum * scale[this.thread.x]) / columns;
}

/** dx = scale · (dy · gain − slopeMean − x̂ · slopeDot). */
export function layerNormSlope(
  this: Thread,
  x: Float32Array,
  gain: Float32Array,
  dy: Float32Array,
  mean: Float32Array,
  scale: Float32Array,
  average: Float32Array,
  dot: Float32Array,
  columns: number,
): number {
  const normal = (x[this.thread.y * columns + this.thread.x] - mean[this.thread.y]) * scale[this.thread.y];
  const g = dy[this.thread.y * columns + this.thread.x] * gain[this.thread.x];
  return scale[this.thread.y] * (g - average[this.thread.y] - normal * dot[this.thread.y]);
}

/** y[c] = Σ_r dy[r, c] · x̂[r, c]: the gradient of the gain. */
export function layerNormGain(
  this: Thread,
  x: Float32Array,
  dy: Float32Array,
  mean: Float32Array,
  scale: Float32Array,
  rows: number,
  columns: number,
): number {
  let sum = 0;
  for (let r = 0; r < rows; r++) {
    sum += dy[r * columns + this.thread.x] * (x[r * columns + this.thread.x] - mean[r]) * scale[r];
  }
  return sum;
}
