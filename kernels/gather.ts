/**
 * Kernels that look up rows of a table, and their transposes. An id outside the table selects nothing. A scatter has no
 * atomics to add with, so it is written as a gather: each table row follows the chain of the places that named it.
 */
import type { Thread } from './device/device.ts';

/** y[i, c] = table[ids[i], c], or 0 where ids[i] is no row of the table. */
export function gather(this: Thread, table: Float32Array, ids: Float32Array, rows: number, columns: number): number {
  const row = ids[this.thread.y];
  let y = 0;
  if (row >= 0 && row < rows) y = table[row * columns + this.thread.x];
  return y;
}

/** The first place at which each row is named; `count` where it is not. */
export function firstPlace(this: Thread, ids: Float32Array, count: number): number {
  let place = count;
  for (let i = 0; i < count; i++) {
    if (ids[i] === this.thread.x) {
      place = i;
      break;
    }
  }
  return place;
}

/** For each place, the next one that names the same row; `count` where there is none. */
export function nextPlace(this: Thread, ids: Float32Array, count: number): number {
  let place = count;
  const row = ids[this.thread.x];
  for (let i = 0; i < count; i++) {
    if (i > this.thread.x && ids[i] === row) {
      place = i;
      break;
    }
  }
  return place;
}

/** y[r, c] = Σ dy[i, c] over the places i that name row r, in order. */
export function scatterAdd(
  this: Thread,
  dy: Float32Array,
  first: Float32Array,
  next: Float32Array,
  count: number,
  columns: number,
): number {
  let sum = 0;
  let place = first[this.thread.y];
  for (let i = 0; i < count; i++) {
    if (place >= count) break;
    sum += dy[place * columns + this.thread.x];
    place = next[place];
  }
  return sum;
}

/** y[i] = x[i, ids[i]], or 0 where ids[i] is no column. */
export function pick(this: Thread, x: Float32Array, ids: Float32Array, columns: number): number {
  const column = ids[this.thread.x];
  let y = 0;
  if (column >= 0 && column < columns) y = x[this.thread.x * columns + column];
  return y;
}

/** y[i, c] = dy[i] where c = ids[i], else 0. */
export function unpick(this: Thread, dy: Float32Array, ids: Float32Array): number {
  let y = 0;
  if (ids[this.thread.y] === this.thread.x) y = dy[this.thread.y];
  return y;
}
