/** Kernels of the optimiser: one fused line each over every element of a parameter. */
import type { Thread } from './device/device.ts';

/** y = average + rate · (x − average). */
export function average(this: Thread, average: Float32Array, x: Float32Array, rate: number): number {
  return average[this.thread.x] + rate * (x[this.thread.x] - average[this.thread.x]);
}

/** y = average + rate · (x² − average). */
export function averageSquare(this: Thread, average: Float32Array, x: Float32Array, rate: number): number {
  return average[this.thread.x] + rate * (x[this.thread.x] * x[this.thread.x] - average[this.thread.x]);
}

/** y = m / (√v + ε). */
export function adamDirection(this: Thread, m: Float32Array, v: Float32Array, epsilon: number): number {
  return m[this.thread.x] / (Math.sqrt(v[this.thread.x]) + epsilon);
}
