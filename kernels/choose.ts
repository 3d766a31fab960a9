/** Kernels that choose positions of a row and write to chosen positions. */
import type { Thread } from './device/device.ts';

/** y[r, j] = the column of the (j+1)-th largest element of row r; of equal elements the first comes first. */
export function topIndices(this: Thread, x: Float32Array, columns: number): number {
  let found = 0;
  for (let c = 0; c < columns; c++) {
    const value = x[this.thread.y * columns + c];
    let rank = 0;
    for (let k = 0; k < columns; k++) {
      const other = x[this.thread.y * columns + k];
      if (other > value) {
        rank = rank + 1;
      } else if (other === value && k < c) {
        rank = rank + 1;
      }
    }
    if (rank === this.thread.x) found = c;
  }
  return found;
}

/** y[r, c] = values[r, j] where at[r, j] = c for some j (the last one), else x[r, c]. */
export function put(this: Thread, x: Float32Array, at: Float32Array, values: Float32Array, columns: number, count: number): number {
  let y = x[this.thread.y * columns + this.thread.x];
  for (let j = 0; j < count; j++) {
    if (at[this.thread.y * count + j] === this.thread.x) y = values[this.thread.y * count + j];
  }
  return y;
}
