/**
 * Matrix products by blocks (Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication"). The innermost
 * loop, `tile8`, keeps 6×8 elements of the result in registers and adds the outer product of 6 numbers of A and 8 of B at
 * every step of k. A is read where it lies, transposed or not. B is read by panels of 8 columns: where it lies, packed by
 * `packColumns` before, or packed by each block for itself. Every element sums over k in the same order, whatever the split
 * of the work.
 *
 * `tile16` is for engines that make one instruction of two neighbouring vectors (AVX2 has sixteen registers of eight
 * floats): 6×16 elements, and panels of 16 columns.
 */
import { at, madd, storeTwo, sumFour, zeros } from './lanes';
import { scratch } from './thread';

const ROWS: u32 = 6;
/** Panels that are packed together: their rows are whole cache lines of B. */
const GROUP: u32 = 4;
/** Terms of a sum that go through the registers at a time: an A block and a B panel of that depth stay in the caches. */
const DEPTH: u32 = 256;
/** Bytes from row to row of the copied rows of A: no power of two, or they would share few lines of the cache. */
const COPIED: usize = (256 + 16) << 2;
/** Where a block has so few terms, the processor does not foresee what the tiles read next. */
const SHORT: u32 = 64;

/** The thread's scratch memory: a tile for the edges of the result, a row of zeros, the last rows of A, then panels of B. */
const ZEROS: usize = 384;
const ROWS_OF_A: usize = 512;
const PANELS: usize = 8192;

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
function packGroup(source: usize, innerB: u32, columnB: u32, target: usize, inner: u32, columns: u32, panelColumns: u32): void {
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
function offset(p: usize, z: u32): u32 {
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
function copyVectors(from: usize, to: usize, bytes: usize): void {
  storeTwo(to, v128.load(from), v128.load(from, 16));
  if (bytes == 64) storeTwo(to + 32, v128.load(from, 32), v128.load(from, 48));
}

/**
 * y = A·B + bias: items are blocks of rows, times blocks of columns, times batches. Arguments: A, B or its panels, y, the
 * bias or 0; rows, columns, k; the strides of A in elements along rows and k, of B along k and from panel to panel, of y
 * along rows; rows a block, columns a block, columns a panel; for A, B and y heads, the strides along sequences and heads;
 * the stride of B along columns if a block is to pack its panels, else 0; where the sums of B's columns go, or 0, from
 * matrix to matrix as far as y.
 */
export function multiply(p: usize, from: u32, to: u32): void {
  const a = load<usize>(p), b = load<usize>(p, 4), y = load<usize>(p, 8), bias = load<usize>(p, 12);
  const rows = load<u32>(p, 16), columns = load<u32>(p, 20), inner = load<u32>(p, 24);
  const rowA = load<u32>(p, 28), innerA = load<u32>(p, 32), innerB = load<u32>(p, 36), panelB = load<u32>(p, 40);
  const rowY = load<u32>(p, 44), blockRows = load<u32>(p, 48), blockColumns = load<u32>(p, 52), panelColumns = load<u32>(p, 56);
  const columnB = load<u32>(p, 96), sums = load<usize>(p, 100);
  const down = (rows + blockRows - 1) / blockRows;
  const across = (columns + blockColumns - 1) / blockColumns;
  const step = (rowY as usize) << 2, stepOfK = (innerA as usize) << 2;
  memory.fill(scratch + ZEROS, 0, 64);
  for (let item = from; item < to; item++) {
    const z = item / (down * across);
    const inA = offset(p + 60, z), inB = offset(p + 72, z), inY = offset(p + 84, z);
    const block = item % (down * across);
    const firstRow = (block / across) * blockRows;
    const lastRow = min(rows, firstRow + blockRows);
    // Rows that do not fill a strip are copied, for behind them the memory may end. Of a transposed A they are neighbours.
    const whole = innerA == 1 ? lastRow - ((lastRow - firstRow) % ROWS) : lastRow;
    const firstColumn = (block % across) * blockColumns;
    const lastColumn = min(columns, firstColumn + blockColumns);
    for (let k: u32 = 0; k < inner; k += DEPTH) {
      const depth = min(DEPTH, inner - k);
      const source = at(a, inA + firstRow * rowA + k * innerA);
      for (let r: u32 = whole; r < lastRow; r++) {
        memory.copy(scratch + ROWS_OF_A + (r - whole) * COPIED, at(source, (r - firstRow) * rowA), depth << 2);
      }
      if (innerA == 1) fetch(source, rowA << 2, lastRow - firstRow, depth << 2);
      else if (depth <= SHORT) fetch(source, stepOfK, depth, (lastRow - firstRow) << 2);
      for (let group = firstColumn; group < lastColumn; group += GROUP * panelColumns) {
        const lastOfGroup = min(lastColumn, group + GROUP * panelColumns);
        let panel = at(b, inB + (group / panelColumns) * panelB + k * innerB);
        let stepB: usize = innerB << 2, apart: usize = panelB << 2;
        if (columnB == 0 && depth <= SHORT) fetch(panel, stepB, depth, (lastOfGroup - group) << 2);
        if (columnB != 0) {
          packGroup(panel, innerB, columnB, scratch + PANELS, depth, lastOfGroup - group, panelColumns);
          panel = scratch + PANELS;
          stepB = panelColumns << 2;
          apart = depth * stepB;
        }
        for (let column = group; column < lastOfGroup; column += panelColumns) {
          const width = min(panelColumns, columns - column);
          if (sums != 0 && firstRow == 0) addUp(panel, stepB, depth, at(sums, inY + column), k == 0, width, panelColumns);
          for (let row = firstRow; row < lastRow; row += ROWS) {
            const inPlace = row < whole;
            const stepA = inPlace ? (rowA as usize) << 2 : COPIED;
            const strip = inPlace ? at(source, (row - firstRow) * rowA) : scratch + ROWS_OF_A;
            const target = at(y, inY + row * rowY + column);
            const height = min(ROWS, rows - row);
            let start = target;
            let startStep = step;
            if (k == 0) {
              start = bias == 0 ? scratch + ZEROS : at(bias, column);
              startStep = 0;
            }
            if (width == panelColumns && height == ROWS) tile(panelColumns, depth, strip, stepA, stepOfK, panel, stepB, start, startStep, target, step);
            else edge(panelColumns, depth, strip, stepA, stepOfK, panel, stepB, start, startStep, target, step, height, width);
          }
          panel += apart;
        }
      }
    }
  }
}

/** y[c] += Σₖ b[k, c] of a panel, or = at first: eight columns at a time, four terms side by side. */
function addUp(b: usize, stepB: usize, depth: u32, y: usize, first: bool, width: u32, columns: u32): void {
  for (let c: u32 = 0; c < columns; c += 8) {
    let s0 = zeros(), s1 = zeros(), t0 = zeros(), t1 = zeros(), u0 = zeros(), u1 = zeros(), v0 = zeros(), v1 = zeros();
    let from = at(b, c);
    let k: u32 = 0;
    for (; k + 4 <= depth; k += 4) {
      s0 = f32x4.add(s0, v128.load(from)), s1 = f32x4.add(s1, v128.load(from, 16));
      from += stepB;
      t0 = f32x4.add(t0, v128.load(from)), t1 = f32x4.add(t1, v128.load(from, 16));
      from += stepB;
      u0 = f32x4.add(u0, v128.load(from)), u1 = f32x4.add(u1, v128.load(from, 16));
      from += stepB;
      v0 = f32x4.add(v0, v128.load(from)), v1 = f32x4.add(v1, v128.load(from, 16));
      from += stepB;
    }
    for (; k < depth; k++) {
      s0 = f32x4.add(s0, v128.load(from)), s1 = f32x4.add(s1, v128.load(from, 16));
      from += stepB;
    }
    storeTwo(at(scratch, c), sumFour(s0, t0, u0, v0), sumFour(s1, t1, u1, v1));
  }
  for (let c: u32 = 0; c < width; c++) store<f32>(at(y, c), load<f32>(at(scratch, c)) + (first ? 0 : load<f32>(at(y, c))));
}

/** Reads one number of every line of the cache, in order, so that later reads in another order find them there. */
function fetch(source: usize, step: usize, rows: u32, bytes: usize): void {
  let sum: u32 = 0;
  for (let r: u32 = 0; r < rows; r++) {
    for (let from = source, end = source + bytes; from < end; from += 64) sum += load<u32>(from);
    source += step;
  }
  store<u32>(scratch, sum);
}

// @ts-ignore: decorator
@inline
function tile(
  columns: u32, depth: u32, a: usize, stepA: usize, stepOfK: usize, b: usize, stepB: usize, start: usize, startStep: usize, y: usize, step: usize,
): void {
  if (columns == 8) tile8(depth, a, stepA, stepOfK, b, stepB, start, startStep, y, step);
  else tile16(depth, a, stepA, stepOfK, b, stepB, start, startStep, y, step);
}

/** A tile at the edge of the result, by way of a whole tile in scratch memory. */
function edge(
  columns: u32, depth: u32, a: usize, stepA: usize, stepOfK: usize, b: usize, stepB: usize, start: usize, startStep: usize, y: usize, step: usize, height: u32, width: u32,
): void {
  const bytes: usize = columns << 2;
  for (let r: usize = 0; r < height; r++) copyRow(start + r * startStep, scratch + r * bytes, width, columns);
  tile(columns, depth, a, stepA, stepOfK, b, stepB, scratch, bytes, scratch, bytes);
  for (let r: usize = 0; r < height; r++) copyRow(scratch + r * bytes, y + r * step, width, columns);
}

/** Copies the first floats of a row of a tile. */
// @ts-ignore: decorator
@inline
function copyRow(from: usize, to: usize, width: u32, columns: u32): void {
  if (width == columns) copyVectors(from, to, columns << 2);
  else for (let c: u32 = 0; c < width; c++) store<f32>(at(to, c), load<f32>(at(from, c)));
}

/** y[6, 8] = start + Σₖ a[6, k] · b[k, 8]; rows of each, and numbers of a row of a, are that many bytes apart. */
function tile8(depth: u32, a: usize, stepA: usize, stepOfK: usize, b: usize, stepB: usize, start: usize, startStep: usize, y: usize, step: usize): void {
  let s = start;
  let y00 = v128.load(s), y01 = v128.load(s, 16);
  s += startStep;
  let y10 = v128.load(s), y11 = v128.load(s, 16);
  s += startStep;
  let y20 = v128.load(s), y21 = v128.load(s, 16);
  s += startStep;
  let y30 = v128.load(s), y31 = v128.load(s, 16);
  s += startStep;
  let y40 = v128.load(s), y41 = v128.load(s, 16);
  s += startStep;
  let y50 = v128.load(s), y51 = v128.load(s, 16);
  let a0 = a, a1 = a0 + stepA, a2 = a1 + stepA, a3 = a2 + stepA, a4 = a3 + stepA, a5 = a4 + stepA;
  for (const end = a0 + depth * stepOfK; a0 != end; ) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a0);
    y00 = madd(x, b0, y00);
    y01 = madd(x, b1, y01);
    a0 += stepOfK;
    x = v128.load32_splat(a1);
    y10 = madd(x, b0, y10);
    y11 = madd(x, b1, y11);
    a1 += stepOfK;
    x = v128.load32_splat(a2);
    y20 = madd(x, b0, y20);
    y21 = madd(x, b1, y21);
    a2 += stepOfK;
    x = v128.load32_splat(a3);
    y30 = madd(x, b0, y30);
    y31 = madd(x, b1, y31);
    a3 += stepOfK;
    x = v128.load32_splat(a4);
    y40 = madd(x, b0, y40);
    y41 = madd(x, b1, y41);
    a4 += stepOfK;
    x = v128.load32_splat(a5);
    y50 = madd(x, b0, y50);
    y51 = madd(x, b1, y51);
    a5 += stepOfK;
    b += stepB;
  }
  v128.store(y, y00);
  v128.store(y, y01, 16);
  y += step;
  v128.store(y, y10);
  v128.store(y, y11, 16);
  y += step;
  v128.store(y, y20);
  v128.store(y, y21, 16);
  y += step;
  v128.store(y, y30);
  v128.store(y, y31, 16);
  y += step;
  v128.store(y, y40);
  v128.store(y, y41, 16);
  y += step;
  v128.store(y, y50);
  v128.store(y, y51, 16);
}

/** y[6, 16] = start + Σₖ a[6, k] · b[k, 16]; rows of each, and numbers of a row of a, are that many bytes apart. */
function tile16(depth: u32, a: usize, stepA: usize, stepOfK: usize, b: usize, stepB: usize, start: usize, startStep: usize, y: usize, step: usize): void {
  let s = start;
  let y00 = v128.load(s), y01 = v128.load(s, 16), y02 = v128.load(s, 32), y03 = v128.load(s, 48);
  s += startStep;
  let y10 = v128.load(s), y11 = v128.load(s, 16), y12 = v128.load(s, 32), y13 = v128.load(s, 48);
  s += startStep;
  let y20 = v128.load(s), y21 = v128.load(s, 16), y22 = v128.load(s, 32), y23 = v128.load(s, 48);
  s += startStep;
  let y30 = v128.load(s), y31 = v128.load(s, 16), y32 = v128.load(s, 32), y33 = v128.load(s, 48);
  s += startStep;
  let y40 = v128.load(s), y41 = v128.load(s, 16), y42 = v128.load(s, 32), y43 = v128.load(s, 48);
  s += startStep;
  let y50 = v128.load(s), y51 = v128.load(s, 16), y52 = v128.load(s, 32), y53 = v128.load(s, 48);
  let a0 = a, a1 = a0 + stepA, a2 = a1 + stepA, a3 = a2 + stepA, a4 = a3 + stepA, a5 = a4 + stepA;
  for (const end = a0 + depth * stepOfK; a0 != end; ) {
    const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48);
    let x = v128.load32_splat(a0);
    y00 = madd(x, b0, y00);
    y01 = madd(x, b1, y01);
    y02 = madd(x, b2, y02);
    y03 = madd(x, b3, y03);
    a0 += stepOfK;
    x = v128.load32_splat(a1);
    y10 = madd(x, b0, y10);
    y11 = madd(x, b1, y11);
    y12 = madd(x, b2, y12);
    y13 = madd(x, b3, y13);
    a1 += stepOfK;
    x = v128.load32_splat(a2);
    y20 = madd(x, b0, y20);
    y21 = madd(x, b1, y21);
    y22 = madd(x, b2, y22);
    y23 = madd(x, b3, y23);
    a2 += stepOfK;
    x = v128.load32_splat(a3);
    y30 = madd(x, b0, y30);
    y31 = madd(x, b1, y31);
    y32 = madd(x, b2, y32);
    y33 = madd(x, b3, y33);
    a3 += stepOfK;
    x = v128.load32_splat(a4);
    y40 = madd(x, b0, y40);
    y41 = madd(x, b1, y41);
    y42 = madd(x, b2, y42);
    y43 = madd(x, b3, y43);
    a4 += stepOfK;
    x = v128.load32_splat(a5);
    y50 = madd(x, b0, y50);
    y51 = madd(x, b1, y51);
    y52 = madd(x, b2, y52);
    y53 = madd(x, b3, y53);
    a5 += stepOfK;
    b += stepB;
  }
  v128.store(y, y00);
  v128.store(y, y01, 16);
  v128.store(y, y02, 32);
  v128.store(y, y03, 48);
  y += step;
  v128.store(y, y10);
  v128.store(y, y11, 16);
  v128.store(y, y12, 32);
  v128.store(y, y13, 48);
  y += step;
  v128.store(y, y20);
  v128.store(y, y21, 16);
  v128.store(y, y22, 32);
  v128.store(y, y23, 48);
  y += step;
  v128.store(y, y30);
  v128.store(y, y31, 16);
  v128.store(y, y32, 32);
  v128.store(y, y33, 48);
  y += step;
  v128.store(y, y40);
  v128.store(y, y41, 16);
  v128.store(y, y42, 32);
  v128.store(y, y43, 48);
  y += step;
  v128.store(y, y50);
  v128.store(y, y51, 16);
  v128.store(y, y52, 32);
  v128.store(y, y53, 48);
}
