/**
 * Elementwise kernels. Those of two arguments read a[y, x] and b[y, x] by row strides; a row stride of 0 repeats one row,
 * which is how a bias or a scalar meets a matrix without a copy.
 */
import type { Thread } from './device/device.ts';

export function fill(this: Thread, value: number): number {
  return value + 0 * this.thread.x;
}

export function affine(this: Thread, x: Float32Array, scale: number, shift: number): number {
  return x[this.thread.x] * scale + shift;
}

export function add(this: Thread, a: Float32Array, b: Float32Array, rowA: number, rowB: number): number {
  return a[this.thread.y * rowA + this.thread.x] + b[this.thread.y * rowB + this.thread.x];
}

export function sub(this: Thread, a: Float32Array, b: Float32Array, rowA: number, rowB: number): number {
  return a[this.thread.y * rowA + this.thread.x] - b[this.thread.y * rowB + this.thread.x];
}

export function mul(this: Thread, a: Float32Array, b: Float32Array, rowA: number, rowB: number): number {
  return a[this.thread.y * rowA + this.thread.x] * b[this.thread.y * rowB + this.thread.x];
}

export function div(this: Thread, a: Float32Array, b: Float32Array, rowA: number, rowB: number): number {
  return a[this.thread.y * rowA + this.thread.x] / b[this.thread.y * rowB + this.thread.x];
}

export function maximum(this: Thread, a: Float32Array, b: Float32Array, rowA: number, rowB: number): number {
  return Math.max(a[this.thread.y * rowA + this.thread.x], b[this.thread.y * rowB + this.thread.x]);
}

export function minimum(this: Thread, a: Float32Array, b: Float32Array, rowA: number, rowB: number): number {
  return Math.min(a[this.thread.y * rowA + this.thread.x], b[this.thread.y * rowB + this.thread.x]);
}

export function equal(this: Thread, a: Float32Array, b: Float32Array, rowA: number, rowB: number): number {
  let y = 0;
  if (a[this.thread.y * rowA + this.thread.x] === b[this.thread.y * rowB + this.thread.x]) y = 1;
  return y;
}

export function less(this: Thread, a: Float32Array, b: Float32Array, rowA: number, rowB: number): number {
  let y = 0;
  if (a[this.thread.y * rowA + this.thread.x] < b[this.thread.y * rowB + this.thread.x]) y = 1;
  return y;
}

export function where(this: Thread, condition: Float32Array, a: Float32Array, b: Float32Array): number {
  const i = this.thread.x;
  let y = b[i];
  if (condition[i] !== 0) y = a[i];
  return y;
}

export function sqrt(this: Thread, x: Float32Array): number {
  return Math.sqrt(x[this.thread.x]);
}

export function exp(this: Thread, x: Float32Array): number {
  return Math.exp(x[this.thread.x]);
}

export function log(this: Thread, x: Float32Array): number {
  return Math.log(x[this.thread.x]);
}

/** tanh x = sign(x) · (1 − e^(−2|x|)) / (1 + e^(−2|x|)): never overflows. */
export function tanh(this: Thread, x: Float32Array): number {
  const v = x[this.thread.x];
  const a = Math.abs(v);
  const e = Math.exp(-2 * a);
  let y = (1 - e) / (1 + e);
  // The series, where 1 − e^(−2|x|) would lose its digits.
  if (a < 0.1) y = a * (1 - (a * a * (1 - (2 * a * a) / 5)) / 3);
  if (v < 0) y = 0 - y;
  return y;
}

/** 1 / (1 + e^−x), from e^−|x| so that nothing overflows. */
export function sigmoid(this: Thread, x: Float32Array): number {
  const v = x[this.thread.x];
  const e = Math.exp(0 - Math.abs(v));
  let y = 1 / (1 + e);
  if (v < 0) y = e / (1 + e);
  return y;
}
