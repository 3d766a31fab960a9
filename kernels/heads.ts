/** The products of attention, head by head. One thread computes one element. */
import type { Thread } from './device/device.ts';

/** s[z, i, j] = Σ_d q[b, i, h, d] · k[b, j, h, d], where z counts the heads of all sequences. */
export function attentionScores(this: Thread, q: Float32Array, k: Float32Array, heads: number, rows: number, columns: number, width: number): number {
  const b = Math.floor((this.thread.z + 0.5) / heads);
  const h = this.thread.z - b * heads;
  const query = ((b * rows + this.thread.y) * heads + h) * width;
  const key = ((b * columns + this.thread.x) * heads + h) * width;
  let sum = 0;
  for (let d = 0; d < width; d++) {
    sum += q[query + d] * k[key + d];
  }
  return sum;
}

/** y[b, i, c] = Σⱼ p[b, h, i, j] · v[b, j, c], where h is the head of channel c. The steps lead along i and j of p. */
export function attentionContext(
  this: Thread,
  p: Float32Array,
  v: Float32Array,
  heads: number,
  rows: number,
  inner: number,
  width: number,
  rowStep: number,
  innerStep: number,
): number {
  const h = Math.floor((this.thread.x + 0.5) / width);
  const first = (this.thread.z * heads + h) * rows * inner + this.thread.y * rowStep;
  const value = this.thread.z * inner * heads * width + this.thread.x;
  let sum = 0;
  for (let j = 0; j < inner; j++) {
    sum += p[first + j * innerStep] * v[value + j * heads * width];
  }
  return sum;
}
