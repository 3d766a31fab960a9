/**
 * Matrix products by blocks (Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication"). The innermost
 * loop (tiles.ts) keeps 6×16 elements of the result in registers and adds the outer product of 6 numbers of A and 16 of B at
 * every step of k. A is read where it lies, transposed or not. B is read by panels of 16 columns: where it lies, packed by
 * `packColumns` (panels.ts) before, or packed by each block for itself. Every element sums over k in the same order, whatever
 * the split of the work. Engines that do not make one instruction of two neighbouring vectors (AVX2 has sixteen registers of
 * eight floats) are given panels of 8 columns.
 */
import { at, storeTwo, sumFour, zeros } from './lanes';
import { copyVectors, fetch, GROUP, offset, packGroup, SHORT } from './panels';
import { scratch } from './thread';
import { tile } from './tiles';

/** Terms of a sum that go through the registers at a time: an A block and a B panel of that depth stay in the caches. */
const DEPTH: u32 = 256;
/** Bytes from row to row of the copied rows of A: no power of two, or they would share few lines of the cache. */
const COPIED: usize = (256 + 16) << 2;

/** The thread's scratch memory: a tile for the edges of the result, a row of zeros, the last rows of A, then panels of B. */
const ZEROS: usize = 384;
const ROWS_OF_A: usize = 512;
const PANELS: usize = 8192;

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
    // Rows that do not fill a tile are copied, for behind them the memory may end. Of a transposed A they are neighbours.
    const whole = innerA == 1 ? lastRow - remainder(lastRow - firstRow) : lastRow;
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
          for (let row = firstRow, height: u32 = 0; row < lastRow; row += height) {
            height = heightOf(lastRow - row);
            const inPlace = row < whole;
            const stepA = inPlace ? (rowA as usize) << 2 : COPIED;
            const strip = inPlace ? at(source, (row - firstRow) * rowA) : scratch + ROWS_OF_A;
            const target = at(y, inY + row * rowY + column);
            let start = target;
            let startStep = step;
            if (k == 0) {
              start = bias == 0 ? scratch + ZEROS : at(bias, column);
              startStep = 0;
            }
            if (width == panelColumns && height >= 4) tile(panelColumns, height == 6, depth, strip, stepA, stepOfK, panel, stepB, start, startStep, target, step);
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

/** Rows of the next tile, of so many that are left: 6, or 4 where these come out even, or what is left. */
// @ts-ignore: decorator
@inline
function heightOf(left: u32): u32 {
  return left >= 6 && left != 8 ? 6 : min(left, 4);
}

/** Rows of so many that tiles of 6 and 4 leave. */
function remainder(rows: u32): u32 {
  while (rows >= 4) rows -= heightOf(rows);
  return rows;
}

/** A tile at the edge of the result, by way of a whole tile in scratch memory. */
function edge(
  columns: u32, depth: u32, a: usize, stepA: usize, stepOfK: usize, b: usize, stepB: usize, start: usize, startStep: usize, y: usize, step: usize, height: u32, width: u32,
): void {
  const bytes: usize = columns << 2;
  for (let r: usize = 0; r < height; r++) copyRow(start + r * startStep, scratch + r * bytes, width, columns);
  tile(columns, height == 6, depth, a, stepA, stepOfK, b, stepB, scratch, bytes, scratch, bytes);
  for (let r: usize = 0; r < height; r++) copyRow(scratch + r * bytes, y + r * step, width, columns);
}

/** Copies the first floats of a row of a tile. */
// @ts-ignore: decorator
@inline
function copyRow(from: usize, to: usize, width: u32, columns: u32): void {
  if (width == columns) copyVectors(from, to, columns << 2);
  else for (let c: u32 = 0; c < width; c++) store<f32>(at(to, c), load<f32>(at(from, c)));
}
