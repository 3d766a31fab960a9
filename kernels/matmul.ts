/** Matrix products. One thread computes one element: a dot product of `inner` terms. */
import type { Thread } from './device/device.ts';

/**
 * y[z, r, c] = Σₖ a[z, r, k] · b[z, k, c]. The strides say how far apart neighbours are along rows, columns and k, so one
 * kernel serves every transposition; a batch stride of 0 repeats one matrix.
 */
export function matmul(
  this: Thread,
  a: Float32Array,
  b: Float32Array,
  inner: number,
  batchA: number,
  rowA: number,
  innerA: number,
  batchB: number,
  innerB: number,
  columnB: number,
): number {
  let sum = 0;
  for (let k = 0; k < inner; k++) {
    sum +=
      a[this.thread.z * batchA + this.thread.y * rowA + k * innerA] *
      b[this.thread.z * batchB + k * innerB + this.thread.x * columnB];
  }
  return sum;
}

/** y[r, c] = bias[c] + Σₖ x[r, k] · w[k, c]. */
export function dense(this: Thread, x: Float32Array, w: Float32Array, bias: Float32Array, inner: number, columns: number): number {
  let sum = bias[this.thread.x];
  for (let k = 0; k < inner; k++) {
    sum += x[this.thread.y * inner + k] * w[k * columns + this.thread.x];
  }
  return sum;
}
