/**
 * How the tiles of a matrix product (matmul.ts) find what they read: B in panels of 8 or 16 columns, one row of a panel behind
 * the other, and lines fetched into the cache in the order in which they lie.
 */
import { at, storeTwo } from './lanes';
import { scratch } from './thread';

/** Panels that are packed together: their rows are whole cache lines of B. */
export const GROUP: u32 = 4;
/** Where a block has so few terms, the processor does not foresee what the tiles read next. */
export const SHORT: u32 = 64;

/** target[c, r] = source[r, c], rows `step` and `targetStep` bytes apart: by blocks of 4×4. */
function turn(source: usize, step: usize, target: usize, targetStep: usize, rows: u32, columns: u32): void {
  let r: u32 = 0;
  for (; r + 4 <= rows; r += 4) {
    let from = source, to = target;
    let c: u32 = 0;
    for (; c + 4 <= columns; c += 4) {
      const a = v128.load(from), b = v128.load(from + step);
      const c = v128.load(from + 2 * step), d = v128.load(from + 3 * step);
      const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), AB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5), CD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
      v128.store(to + targetStep, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
      v128.store(to + 2 * targetStep, v128.shuffle<f32>(AB, CD, 0, 1, 4, 5));
      v128.store(to + 3 * targetStep, v128.shuffle<f32>(AB, CD, 2, 3, 6, 7));
      from += 16;
      to += 4 * targetStep;
    }
    for (; c < columns; c++) {
      for (let i: usize = 0; i < 4; i++) store<f32>(to + (i << 2), load<f32>(from + i * step));
      from += 4;
      to += targetStep;
    }
    source += 4 * step;
    target += 16;
  }
  for (; r < rows; r++) {
    for (let c: u32 = 0; c < columns; c++) store<f32>(target + c * targetStep, load<f32>(at(source, c)));
    source += step;
    target += 4;
  }
}

/**
 * Panels of B: items are groups of four panels of all batches. Arguments: B, the panels, k, n, the strides of B in elements
 * along k and n, panels a batch, columns a panel; then heads, the strides along sequences and heads.
 */
export function packColumns(p: usize, from: u32, to: u32): void {
  const b = load<usize>(p), packed = load<usize>(p, 4);
  const inner = load<u32>(p, 8), columns = load<u32>(p, 12);
  const innerB = load<u32>(p, 16), columnB = load<u32>(p, 20), panels = load<u32>(p, 24), panelColumns = load<u32>(p, 28);
  const groups = (panels + GROUP - 1) / GROUP;
  for (let item = from; item < to; item++) {
    const z = item / groups;
    const first = (item % groups) * GROUP;
    const source = at(b, offset(p + 32, z) + first * panelColumns * columnB);
    const target = at(packed, (z * panels + first) * inner * panelColumns);
    packGroup(source, innerB, columnB, target, inner, min(GROUP * panelColumns, columns - first * panelColumns), panelColumns);
  }
}

/** Up to four panels of neighbouring columns of B. */
export function packGroup(source: usize, innerB: u32, columnB: u32, target: usize, inner: u32, columns: u32, panelColumns: u32): void {
  const count = (columns + panelColumns - 1) / panelColumns;
  if (columnB == 1) {
    copyPanels(source, innerB << 2, target, inner, count, panelColumns << 2);
    return;
  }
  if (inner <= SHORT) fetch(source, columnB << 2, columns, inner << 2);
  for (let i: u32 = 0; i < count; i++) {
    const width = min(panelColumns, columns - i * panelColumns);
    turn(at(source, i * panelColumns * columnB), columnB << 2, at(target, i * inner * panelColumns), panelColumns << 2, width, inner);
  }
}

/** Where matrix z of a batch begins: they are the heads of sequences, in order. Arguments: heads, the strides along sequences and heads. */
// @ts-ignore: decorator
@inline
export function offset(p: usize, z: u32): u32 {
  const heads = load<u32>(p);
  return (z / heads) * load<u32>(p, 4) + (z % heads) * load<u32>(p, 8);
}

/** Panels whose columns lie together in the source. What is beyond the last column is never used. */
function copyPanels(source: usize, step: usize, target: usize, inner: u32, count: u32, width: usize): void {
  const apart = inner * width;
  for (let k: u32 = 0; k < inner; k++) {
    let to = target + k * width;
    for (let from = source, end = source + count * width; from < end; from += width) {
      copyVectors(from, to, width);
      to += apart;
    }
    source += step;
  }
}

/** Copies 32 bytes, or 64. */
// @ts-ignore: decorator
@inline
export function copyVectors(from: usize, to: usize, bytes: usize): void {
  storeTwo(to, v128.load(from), v128.load(from, 16));
  if (bytes == 64) storeTwo(to + 32, v128.load(from, 32), v128.load(from, 48));
}

/** Reads one number of every line of the cache, in order, so that later reads in another order find them there. */
export function fetch(source: usize, step: usize, rows: u32, bytes: usize): void {
  let sum: u32 = 0;
  for (let r: u32 = 0; r < rows; r++) {
    for (let from = source, end = source + bytes; from < end; from += 64) sum += load<u32>(from);
    source += step;
  }
  store<u32>(scratch, sum);
}
