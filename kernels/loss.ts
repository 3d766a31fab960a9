/** Cross-entropy kernels. */
import type { Thread } from './device/device.ts';

/** y[r] = l[r] − x[r, label[r]], with the row's log-sum-exp l; 0 where the label is no column. */
export function crossEntropy(this: Thread, x: Float32Array, labels: Float32Array, l: Float32Array, columns: number): number {
  const label = labels[this.thread.x];
  let y = 0;
  if (label >= 0 && label < columns) y = l[this.thread.x] - x[this.thread.x * columns + label];
  return y;
}

/** dx[r, c] = dy[r] · (e^(x[r, c] − l[r]) − [c = label[r]]); 0 where the label is no column. */
export function crossEntropySlope(
  this: Thread,
  x: Float32Array,
  labels: Float32Array,
  dy: Float32Array,
  l: Float32Array,
  columns: number,
): number {
  const label = labels[this.thread.y];
  let y = 0;
  if (label >= 0 && label < columns) {
    y = Math.exp(x[this.thread.y * columns + this.thread.x] - l[this.thread.y]);
    if (this.thread.x === label) y = y - 1;
    y = y * dy[this.thread.y];
  }
  return y;
}

/** y = max(x, 0) − x·z + ln(1 + e^−|x|): −z ln σ(x) − (1 − z) ln(1 − σ(x)), without overflow. */
export function binaryCrossEntropy(this: Thread, x: Float32Array, z: Float32Array): number {
  const v = x[this.thread.x];
  const e = Math.exp(0 - Math.abs(v));
  let tail = Math.log(1 + e);
  // ln(1 + e) ≈ e − e²/2, where 1 + e would lose e's digits.
  if (e < 0.001) tail = e - 0.5 * e * e;
  return Math.max(v, 0) - v * z[this.thread.x] + tail;
}
