/** Looking up and writing at places that other tensors name. A place that does not exist selects nothing. */
import { at } from './lanes';

// @ts-ignore: decorator
@inline
function exists(id: f32, count: u32): bool {
  return id >= 0 && id < (count as f32);
}

/** y[i] = table[ids[i]]. Arguments: table, ids, y, rows, columns. Items are ids. */
export function gather(p: usize, from: u32, to: u32): void {
  const table = load<usize>(p), ids = load<usize>(p, 4), y = load<usize>(p, 8);
  const rows = load<u32>(p, 12), columns = load<u32>(p, 16);
  for (let i = from; i < to; i++) {
    const id = load<f32>(at(ids, i));
    if (exists(id, rows)) memory.copy(at(y, i * columns), at(table, (id as u32) * columns), columns << 2);
    else memory.fill(at(y, i * columns), 0, columns << 2);
  }
}

/** Columns that one item of `scatterAdd` is about. */
const STRIP: u32 = 16;

/** y[ids[i]] += x[i], in order. Arguments: x, ids, y, ids, rows, columns. Items are strips of 16 columns. */
export function scatterAdd(p: usize, from: u32, to: u32): void {
  const x = load<usize>(p), ids = load<usize>(p, 4), y = load<usize>(p, 8);
  const count = load<u32>(p, 12), rows = load<u32>(p, 16), columns = load<u32>(p, 20);
  const first = from * STRIP, last = min(to * STRIP, columns);
  for (let i: u32 = 0; i < count; i++) {
    const id = load<f32>(at(ids, i));
    if (!exists(id, rows)) continue;
    const source = at(x, i * columns), target = at(y, (id as u32) * columns);
    let c = first;
    for (; c + 4 <= last; c += 4) v128.store(at(target, c), f32x4.add(v128.load(at(target, c)), v128.load(at(source, c))));
    for (; c < last; c++) store<f32>(at(target, c), load<f32>(at(target, c)) + load<f32>(at(source, c)));
  }
}

/** y[i] = x[i, ids[i]]. Arguments: x, ids, y, columns. Items are ids. */
export function pick(p: usize, from: u32, to: u32): void {
  const x = load<usize>(p), ids = load<usize>(p, 4), y = load<usize>(p, 8), columns = load<u32>(p, 12);
  for (let i = from; i < to; i++) {
    const id = load<f32>(at(ids, i));
    store<f32>(at(y, i), exists(id, columns) ? load<f32>(at(x, i * columns + (id as u32))) : 0);
  }
}

/** y[i, ids[i]] = x[i], zeros elsewhere. Arguments: x, ids, y, columns. Items are rows. */
export function unpick(p: usize, from: u32, to: u32): void {
  const x = load<usize>(p), ids = load<usize>(p, 4), y = load<usize>(p, 8), columns = load<u32>(p, 12);
  for (let i = from; i < to; i++) {
    const id = load<f32>(at(ids, i));
    memory.fill(at(y, i * columns), 0, columns << 2);
    if (exists(id, columns)) store<f32>(at(y, i * columns + (id as u32)), load<f32>(at(x, i)));
  }
}

/** x with values[j] written at column at[j] of each row. Arguments: x, at, values, y, columns, count. Items are rows. */
export function put(p: usize, from: u32, to: u32): void {
  const x = load<usize>(p), places = load<usize>(p, 4), values = load<usize>(p, 8), y = load<usize>(p, 12);
  const columns = load<u32>(p, 16), count = load<u32>(p, 20);
  for (let r = from; r < to; r++) {
    memory.copy(at(y, r * columns), at(x, r * columns), columns << 2);
    for (let j = r * count; j < (r + 1) * count; j++) {
      const id = load<f32>(at(places, j));
      if (exists(id, columns)) store<f32>(at(y, r * columns + (id as u32)), load<f32>(at(values, j)));
    }
  }
}

/** The columns of the largest elements, largest first, ties in order. Arguments: x, y, columns, count. Items are rows. */
export function topIndices(p: usize, from: u32, to: u32): void {
  const columns = load<u32>(p, 8), count = load<u32>(p, 12);
  for (let r = from; r < to; r++) {
    const x = at(load<usize>(p), r * columns), y = at(load<usize>(p, 4), r * count);
    let last: f32 = Infinity;
    let lastColumn: i32 = -1;
    for (let j: u32 = 0; j < count; j++) {
      // The largest of those that come after the last one: smaller, or equal and further right.
      let best: f32 = -Infinity;
      let bestColumn: i32 = -1;
      for (let c: i32 = 0; c < (columns as i32); c++) {
        const v = load<f32>(at(x, c));
        const later = v < last || (v == last && c > lastColumn);
        if (later && (v > best || bestColumn < 0)) {
          best = v;
          bestColumn = c;
        }
      }
      store<f32>(at(y, j), bestColumn as f32);
      last = best;
      lastColumn = bestColumn;
    }
  }
}
