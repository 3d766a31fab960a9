/** The kernel of the one operation that differentiation itself needs: the sum in which cotangents meet. */
import type { Thread } from './device/device.ts';

export function plus(this: Thread, a: Float32Array, b: Float32Array): number {
  return a[this.thread.x] + b[this.thread.x];
}
