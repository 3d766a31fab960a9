/** Kernels of tensors that lie one after another in blocks of 64 elements. */
import type { Thread } from './device/device.ts';

/**
 * y = seven arrays one after another, each from a whole block on, with zeros up to the next. `firstB` to `firstG` say with
 * which block an array begins, `sizeA` to `sizeG` how many elements it has. Block y, element x.
 */
export function pack(
  this: Thread,
  a: Float32Array,
  b: Float32Array,
  c: Float32Array,
  d: Float32Array,
  e: Float32Array,
  f: Float32Array,
  g: Float32Array,
  firstB: number,
  firstC: number,
  firstD: number,
  firstE: number,
  firstF: number,
  firstG: number,
  sizeA: number,
  sizeB: number,
  sizeC: number,
  sizeD: number,
  sizeE: number,
  sizeF: number,
  sizeG: number,
): number {
  let y = 0;
  if (this.thread.y * 64 + this.thread.x < sizeA) y = a[this.thread.y * 64 + this.thread.x];
  if (this.thread.y >= firstB && (this.thread.y - firstB) * 64 + this.thread.x < sizeB) y = b[(this.thread.y - firstB) * 64 + this.thread.x];
  if (this.thread.y >= firstC && (this.thread.y - firstC) * 64 + this.thread.x < sizeC) y = c[(this.thread.y - firstC) * 64 + this.thread.x];
  if (this.thread.y >= firstD && (this.thread.y - firstD) * 64 + this.thread.x < sizeD) y = d[(this.thread.y - firstD) * 64 + this.thread.x];
  if (this.thread.y >= firstE && (this.thread.y - firstE) * 64 + this.thread.x < sizeE) y = e[(this.thread.y - firstE) * 64 + this.thread.x];
  if (this.thread.y >= firstF && (this.thread.y - firstF) * 64 + this.thread.x < sizeF) y = f[(this.thread.y - firstF) * 64 + this.thread.x];
  if (this.thread.y >= firstG && (this.thread.y - firstG) * 64 + this.thread.x < sizeG) y = g[(this.thread.y - firstG) * 64 + this.thread.x];
  return y;
}
