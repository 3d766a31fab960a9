/** Kernels that move values without changing them, or add them up along an axis. */
import type { Thread } from './device/device.ts';

/**
 * y[i₀ … i₄] = x[offset + Σ iₖ·strideₖ], for up to five axes: a transposition, a slice or a broadcast (stride 0), by its
 * strides. The three outer axes share the grid's z.
 */
export function strided(
  this: Thread,
  x: Float32Array,
  size1: number,
  size2: number,
  stride0: number,
  stride1: number,
  stride2: number,
  stride3: number,
  stride4: number,
  offset: number,
): number {
  const i0 = Math.floor(this.thread.z / (size1 * size2));
  const rest = this.thread.z - i0 * size1 * size2;
  const i1 = Math.floor(rest / size2);
  const i2 = rest - i1 * size2;
  return x[offset + i0 * stride0 + i1 * stride1 + i2 * stride2 + this.thread.y * stride3 + this.thread.x * stride4];
}

/** y[o, i] = Σₖ x[o, k, i]: the sum along one axis, in order. */
export function sumAxis(this: Thread, x: Float32Array, along: number, inner: number): number {
  let sum = 0;
  for (let k = 0; k < along; k++) {
    sum += x[(this.thread.y * along + k) * inner + this.thread.x];
  }
  return sum;
}

/** y[i] = Σₖ x[i + k · sums]²: every so many-th element of x, so that neighbours read what lies together. */
export function sumSquares(this: Thread, x: Float32Array, sums: number, size: number): number {
  let sum = 0;
  for (let k = 0; k * sums + this.thread.x < size; k++) {
    sum += x[k * sums + this.thread.x] * x[k * sums + this.thread.x];
  }
  return sum;
}

/** y[o, i] = maxₖ x[o, k, i]. */
export function maxAxis(this: Thread, x: Float32Array, along: number, inner: number): number {
  let most = x[this.thread.y * along * inner + this.thread.x];
  for (let k = 1; k < along; k++) {
    most = Math.max(most, x[(this.thread.y * along + k) * inner + this.thread.x]);
  }
  return most;
}

/** y[o, i] = the smallest k at which x[o, k, i] is largest. */
export function argmaxAxis(this: Thread, x: Float32Array, along: number, inner: number): number {
  let most = x[this.thread.y * along * inner + this.thread.x];
  let where = 0;
  for (let k = 1; k < along; k++) {
    const value = x[(this.thread.y * along + k) * inner + this.thread.x];
    if (value > most) {
      most = value;
      where = k;
    }
  }
  return where;
}

/** y = x with `before` zeros in front along the middle axis, and zeros behind it. */
export function padAxis(this: Thread, x: Float32Array, along: number, inner: number, before: number): number {
  const k = this.thread.y - before;
  let y = 0;
  if (k >= 0 && k < along) y = x[(this.thread.z * along + k) * inner + this.thread.x];
  return y;
}

/** y = a, then b, along the middle axis. */
export function concatAxis(this: Thread, a: Float32Array, b: Float32Array, first: number, second: number, inner: number): number {
  const k = this.thread.y;
  let y = 0;
  if (k < first) {
    y = a[(this.thread.z * first + k) * inner + this.thread.x];
  } else {
    y = b[(this.thread.z * second + k - first) * inner + this.thread.x];
  }
  return y;
}
