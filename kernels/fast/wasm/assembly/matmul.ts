/**
 * Matrix products by packed panels (Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication"). B is
 * copied once into panels of 8 columns, A block by block into panels of 6 rows, so that the innermost loop reads both in
 * order: it keeps 6×8 elements of the result in registers and adds the outer product of 6 and 8 numbers at every step.
 * Every element sums over k in the same order, whatever the split of the work.
 */
import { at, madd } from './lanes';
import { scratch } from './thread';

const ROWS: u32 = 6;
const COLUMNS: u32 = 8;
/** Terms of a sum that go through the registers at a time: an A block and a B panel of that depth stay in the caches. */
const DEPTH: u32 = 256;

/** The thread's scratch memory: a tile for the edges of the result, a row of zeros, then the packed block of A. */
const TILE_BYTES: usize = 192;
const BLOCK: usize = 256;

/**
 * Panels of 8 columns of B: items are panels of all batches. Arguments: B, the panels, k, n, the strides of B in elements
 * along k, n and batch, panels a batch.
 */
export function packColumns(p: usize, from: u32, to: u32): void {
  const b = load<usize>(p), packed = load<usize>(p, 4);
  const inner = load<u32>(p, 8), columns = load<u32>(p, 12);
  const innerB = load<u32>(p, 16), columnB = load<u32>(p, 20), batchB = load<u32>(p, 24), panels = load<u32>(p, 28);
  for (let item = from; item < to; item++) {
    const z = item / panels;
    const column = (item % panels) * COLUMNS;
    const width = min(COLUMNS, columns - column);
    const source = at(b, z * batchB + column * columnB);
    const target = at(packed, item * inner * COLUMNS);
    if (columnB == 1) copyRows(source, target, inner, width, innerB, COLUMNS);
    else turnRows(source, target, inner, width, columnB, COLUMNS);
  }
}

/** Panels whose rows lie together in the source, `stride` elements apart: `width` numbers, then zeros. */
function copyRows(source: usize, target: usize, count: u32, width: u32, stride: u32, size: u32): void {
  const step = (stride as usize) << 2;
  const bytes = (size as usize) << 2;
  if (width == COLUMNS) {
    for (let k: u32 = 0; k < count; k++) {
      v128.store(target, v128.load(source));
      v128.store(target, v128.load(source, 16), 16);
      source += step;
      target += bytes;
    }
  } else if (width == ROWS && size == ROWS) {
    for (let k: u32 = 0; k < count; k++) {
      v128.store(target, v128.load(source));
      store<u64>(target, load<u64>(source, 16), 16);
      source += step;
      target += bytes;
    }
  } else {
    for (let k: u32 = 0; k < count; k++) {
      for (let c: u32 = 0; c < size; c++) store<f32>(at(target, c), c < width ? load<f32>(at(source, c)) : 0);
      source += step;
      target += bytes;
    }
  }
}

/** Panels whose columns lie together in the source, `stride` elements apart: turned by blocks of 4×4. */
function turnRows(source: usize, target: usize, count: u32, width: u32, stride: u32, size: u32): void {
  let c: u32 = 0;
  for (; c + 4 <= width; c += 4) {
    turnFour(at(source, c * stride), at(target, c), count, stride, size);
  }
  for (; c < size; c++) {
    const column = at(source, c * stride);
    const to = at(target, c);
    if (c < width) for (let k: u32 = 0; k < count; k++) store<f32>(at(to, k * size), load<f32>(at(column, k)));
    else for (let k: u32 = 0; k < count; k++) store<f32>(at(to, k * size), 0);
  }
}

function turnFour(source: usize, target: usize, count: u32, stride: u32, size: u32): void {
  const step = (stride as usize) << 2;
  const bytes = (size as usize) << 2;
  let k: u32 = 0;
  for (; k + 4 <= count; k += 4) {
    const a = v128.load(source), b = v128.load(source + step);
    const c = v128.load(source + 2 * step), d = v128.load(source + 3 * step);
    const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), AB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5), CD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(target, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
    v128.store(target + bytes, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
    v128.store(target + 2 * bytes, v128.shuffle<f32>(AB, CD, 0, 1, 4, 5));
    v128.store(target + 3 * bytes, v128.shuffle<f32>(AB, CD, 2, 3, 6, 7));
    source += 16;
    target += 4 * bytes;
  }
  for (; k < count; k++) {
    for (let c: u32 = 0; c < 4; c++) store<f32>(at(target, c), load<f32>(source + c * step));
    source += 4;
    target += bytes;
  }
}

/**
 * y = A·B + bias from the panels of B: items are blocks of rows, times blocks of columns, times batches. Arguments: A, the
 * panels, y, the bias or 0; rows, columns, k; the strides of A in elements along rows, k and batch; rows a block, columns
 * a block.
 */
export function multiply(p: usize, from: u32, to: u32): void {
  const a = load<usize>(p), panels = load<usize>(p, 4), y = load<usize>(p, 8), bias = load<usize>(p, 12);
  const rows = load<u32>(p, 16), columns = load<u32>(p, 20), inner = load<u32>(p, 24);
  const rowA = load<u32>(p, 28), innerA = load<u32>(p, 32), batchA = load<u32>(p, 36);
  const blockRows = load<u32>(p, 40), blockColumns = load<u32>(p, 44);
  const down = (rows + blockRows - 1) / blockRows;
  const across = (columns + blockColumns - 1) / blockColumns;
  const panelsPerBatch = (columns + COLUMNS - 1) / COLUMNS;
  v128.store(scratch + TILE_BYTES, f32x4.splat(0));
  v128.store(scratch + TILE_BYTES, f32x4.splat(0), 16);
  for (let item = from; item < to; item++) {
    const z = item / (down * across);
    const block = item % (down * across);
    const firstRow = (block / across) * blockRows;
    const lastRow = min(rows, firstRow + blockRows);
    const firstColumn = (block % across) * blockColumns;
    const lastColumn = min(columns, firstColumn + blockColumns);
    for (let k: u32 = 0; k < inner; k += DEPTH) {
      const depth = min(DEPTH, inner - k);
      packRows(at(a, z * batchA + firstRow * rowA + k * innerA), lastRow - firstRow, depth, rowA, innerA);
      for (let column = firstColumn; column < lastColumn; column += COLUMNS) {
        const panel = at(panels, ((z * panelsPerBatch + column / COLUMNS) * inner + k) * COLUMNS);
        const width = min(COLUMNS, columns - column);
        for (let row = firstRow; row < lastRow; row += ROWS) {
          const strip = scratch + BLOCK + (((row - firstRow) * depth) << 2);
          const target = at(y, (z * rows + row) * columns + column);
          const height = min(ROWS, rows - row);
          let start = target;
          let startStep = columns << 2;
          if (k == 0) {
            start = bias == 0 ? scratch + TILE_BYTES : at(bias, column);
            startStep = 0;
          }
          if (width == COLUMNS && height == ROWS) tile(depth, strip, panel, start, startStep, target, columns << 2);
          else edge(depth, strip, panel, start, startStep, target, columns << 2, height, width);
        }
      }
    }
  }
}

/** A block of A as panels of 6 rows, zeros below its last row. */
function packRows(a: usize, rows: u32, depth: u32, rowA: u32, innerA: u32): void {
  for (let row: u32 = 0; row < rows; row += ROWS) {
    const height = min(ROWS, rows - row);
    const source = at(a, row * rowA);
    const target = scratch + BLOCK + ((row * depth) << 2);
    if (rowA == 1) copyRows(source, target, depth, height, innerA, ROWS);
    else turnRows(source, target, depth, height, rowA, ROWS);
  }
}

/** A tile at the edge of the result, by way of a whole tile in scratch memory. */
function edge(depth: u32, a: usize, b: usize, start: usize, startStep: usize, y: usize, step: usize, height: u32, width: u32): void {
  for (let r: u32 = 0; r < ROWS; r++) {
    for (let c: u32 = 0; c < COLUMNS; c++) {
      const inside = r < height && c < width;
      store<f32>(at(scratch, r * COLUMNS + c), inside ? load<f32>(at(start + r * startStep, c)) : 0);
    }
  }
  tile(depth, a, b, scratch, 32, scratch, 32);
  for (let r: u32 = 0; r < height; r++) {
    for (let c: u32 = 0; c < width; c++) store<f32>(at(y + r * step, c), load<f32>(at(scratch, r * COLUMNS + c)));
  }
}

/** y[6, 8] = start + Σₖ a[k, 6] ⊗ b[k, 8], rows `step` bytes apart. */
function tile(depth: u32, a: usize, b: usize, start: usize, startStep: usize, y: usize, step: usize): void {
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
  for (const end = a + depth * ROWS * 4; a < end; a += ROWS * 4) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    y00 = madd(x, b0, y00);
    y01 = madd(x, b1, y01);
    x = v128.load32_splat(a, 4);
    y10 = madd(x, b0, y10);
    y11 = madd(x, b1, y11);
    x = v128.load32_splat(a, 8);
    y20 = madd(x, b0, y20);
    y21 = madd(x, b1, y21);
    x = v128.load32_splat(a, 12);
    y30 = madd(x, b0, y30);
    y31 = madd(x, b1, y31);
    x = v128.load32_splat(a, 16);
    y40 = madd(x, b0, y40);
    y41 = madd(x, b1, y41);
    x = v128.load32_splat(a, 20);
    y50 = madd(x, b0, y50);
    y51 = madd(x, b1, y51);
    b += COLUMNS * 4;
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
