/**
 * Softmax kernels: first a number or two a row (such as its log-sum-exp), then one element a thread. Two habits that gpu.js asks for,
 * here and elsewhere: loops of one kernel have different variables, and an index is computed where it is used, since a
 * variable would hold it as a float32, which is exact only below 2^24.
 */
import type { Thread } from './device/device.ts';

/** y[r] = ln Σ_c e^x[r, c], from the largest element on, so that nothing overflows. */
export function logSumExp(this: Thread, x: Float32Array, columns: number): number {
  let most = x[this.thread.x * columns];
  for (let c = 1; c < columns; c++) {
    most = Math.max(most, x[this.thread.x * columns + c]);
  }
  let sum = 0;
  for (let k = 0; k < columns; k++) {
    sum += Math.exp(x[this.thread.x * columns + k] - most);
  }
  return most + Math.log(sum);
}

/** y[r] = the largest x[r, c]. */
export function rowLargest(this: Thread, x: Float32Array, columns: number): number {
  let most = x[this.thread.x * columns];
  for (let c = 1; c < columns; c++) {
    most = Math.max(most, x[this.thread.x * columns + c]);
  }
  return most;
}

/** y[r] = Σ_c e^(x[r, c] − m[r]). */
export function sumExp(this: Thread, x: Float32Array, m: Float32Array, columns: number): number {
  let sum = 0;
  for (let c = 0; c < columns; c++) {
    sum += Math.exp(x[this.thread.x * columns + c] - m[this.thread.x]);
  }
  return sum;
}

/** y[r, c] = e^(x[r, c] − m[r]) / s[r]. Adding m and ln s first would round away digits of s where m is large. */
export function softmax(this: Thread, x: Float32Array, m: Float32Array, s: Float32Array, columns: number): number {
  return Math.exp(x[this.thread.y * columns + this.thread.x] - m[this.thread.y]) / s[this.thread.y];
}

/** y[r, c] = x[r, c] − l[r]. */
export function logSoftmax(this: Thread, x: Float32Array, l: Float32Array, columns: number): number {
  return x[this.thread.y * columns + this.thread.x] - l[this.thread.y];
}

/** y[r] = Σ_c a[r, c] · b[r, c]. */
export function rowDot(this: Thread, a: Float32Array, b: Float32Array, columns: number): number {
  let sum = 0;
  for (let c = 0; c < columns; c++) {
    sum += a[this.thread.x * columns + c] * b[this.thread.x * columns + c];
  }
  return sum;
}

/** dx[r, c] = y[r, c] · (dy[r, c] − Σ_k dy[r, k] · y[r, k]) · scale. */
export function softmaxSlope(
  this: Thread,
  y: Float32Array,
  dy: Float32Array,
  dot: Float32Array,
  columns: number,
  scale: number,
): number {
  return (
    y[this.thread.y * columns + this.thread.x] *
    (dy[this.thread.y * columns + this.thread.x] - dot[this.thread.y]) *
    scale
  );
}

/** y[r] = ln Σ e^(scale · x[r, c]) over the columns that the row's batch attends to; a huge number where there are none. */
export function maskedLogSumExp(
  this: Thread,
  x: Float32Array,
  mask: Float32Array,
  columns: number,
  rowsPerBatch: number,
  scale: number,
): number {
  const batch = Math.floor(this.thread.x / rowsPerBatch) * columns;
  let most = -3.0e38;
  for (let c = 0; c < columns; c++) {
    if (mask[batch + c] !== 0) most = Math.max(most, x[this.thread.x * columns + c] * scale);
  }
  let sum = 0;
  for (let k = 0; k < columns; k++) {
    if (mask[batch + k] !== 0) sum += Math.exp(x[this.thread.x * columns + k] * scale - most);
  }
  let y = 3.0e38;
  if (sum > 0) y = most + Math.log(sum);
  return y;
}

/** y[r, c] = e^(scale · x[r, c] − l[r]) where the mask is not 0, else exactly 0. */
export function maskedSoftmax(
  this: Thread,
  x: Float32Array,
  mask: Float32Array,
  l: Float32Array,
  columns: number,
  rowsPerBatch: number,
  scale: number,
): number {
  const batch = Math.floor(this.thread.y / rowsPerBatch) * columns;
  let y = 0;
  if (mask[batch + this.thread.x] !== 0) y = Math.exp(x[this.thread.y * columns + this.thread.x] * scale - l[this.thread.y]);
  return y;
}
