/** Many numbers to one. Long sums are cut into blocks of fixed length, so that their order never depends on the threads. */
import { at, firstLanes, madd, maxLanes, storeSome, sumLanes } from './lanes';
import { rowMax as largestOf } from './rows';

/** What a term adds to a sum: itself, or its square. */
// @ts-ignore: decorator
@inline
function plus(squares: bool, sum: v128, x: v128): v128 {
  return squares ? madd(x, x, sum) : f32x4.add(sum, x);
}

// @ts-ignore: decorator
@inline
function sumPieces(squares: bool, p: usize, from: u32, to: u32): void {
  const x = load<usize>(p), y = load<usize>(p, 4), along = load<u32>(p, 8), block = load<u32>(p, 12), blocks = load<u32>(p, 16);
  for (let item = from; item < to; item++) {
    const first = (item % blocks) * block;
    const count = min(block, along - first);
    const row = at(x, (item / blocks) * along + first);
    let a = f32x4.splat(0), b = f32x4.splat(0);
    let c: u32 = 0;
    for (; c + 8 <= count; c += 8) {
      a = plus(squares, a, v128.load(at(row, c)));
      b = plus(squares, b, v128.load(at(row, c), 16));
    }
    for (; c < count; c += 4) {
      const v = v128.load(at(row, c));
      a = plus(squares, a, c + 4 <= count ? v : v128.and(v, firstLanes(count - c)));
    }
    store<f32>(at(y, item), sumLanes(f32x4.add(a, b)));
  }
}

/** Sums of pieces of rows. Arguments: x, y, length of a row, length of a piece, pieces a row. Items are pieces. */
export function sumRows(p: usize, from: u32, to: u32): void { sumPieces(false, p, from, to); }
export function sumSquares(p: usize, from: u32, to: u32): void { sumPieces(true, p, from, to); }

/** Columns that one item of `sumColumns` adds up. */
const STRIP: u32 = 16;

/**
 * Sums of pieces of columns: x [outer, along, inner] → y [outer, pieces, inner]. Arguments: x, y, along, inner, length of a
 * piece, pieces a column. Items are strips of 16 columns of a piece.
 */
export function sumColumns(p: usize, from: u32, to: u32): void {
  const x = load<usize>(p), y = load<usize>(p, 4), along = load<u32>(p, 8), inner = load<u32>(p, 12);
  const block = load<u32>(p, 16), blocks = load<u32>(p, 20);
  const strips = (inner + STRIP - 1) / STRIP;
  const step = inner << 2;
  for (let item = from; item < to; item++) {
    const piece = item / strips;
    const column = (item % strips) * STRIP;
    const first = (piece % blocks) * block;
    const count = min(block, along - first);
    let source = at(x, ((piece / blocks) * along + first) * inner + column);
    const target = at(y, piece * inner + column);
    const width = min(STRIP, inner - column);
    if (width == STRIP) {
      let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
      for (let k: u32 = 0; k < count; k++, source += step) {
        a = f32x4.add(a, v128.load(source));
        b = f32x4.add(b, v128.load(source, 16));
        c = f32x4.add(c, v128.load(source, 32));
        d = f32x4.add(d, v128.load(source, 48));
      }
      v128.store(target, a);
      v128.store(target, b, 16);
      v128.store(target, c, 32);
      v128.store(target, d, 48);
    } else {
      for (let c: u32 = 0; c < width; c += 4) {
        let sum = f32x4.splat(0);
        let from = at(source, c);
        for (let k: u32 = 0; k < count; k++, from += step) sum = f32x4.add(sum, v128.load(from));
        if (c + 4 <= width) v128.store(at(target, c), sum);
        else storeSome(at(target, c), sum, width - c);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function rowMax(row: usize, count: u32): f32 {
  let most = f32x4.splat(-Infinity);
  for (let c: u32 = 0; c < count; c += 4) {
    const v = v128.load(at(row, c));
    most = f32x4.max(most, c + 4 <= count ? v : v128.bitselect(v, most, firstLanes(count - c)));
  }
  return maxLanes(most);
}

/** y[o, i] = maxₖ x[o, k, i]. Arguments: x, y, along, inner. Items are elements of y. */
export function max_(p: usize, from: u32, to: u32): void {
  const x = load<usize>(p), y = load<usize>(p, 4), along = load<u32>(p, 8), inner = load<u32>(p, 12);
  for (let item = from; item < to; item++) {
    const line = at(x, (item / inner) * along * inner + (item % inner));
    let most: f32;
    if (inner == 1) most = rowMax(line, along);
    else {
      most = load<f32>(line);
      for (let k: u32 = 1; k < along; k++) most = max(most, load<f32>(at(line, k * inner)));
    }
    store<f32>(at(y, item), most);
  }
}

/** The first place of the largest number of a row; 0 where there is none, for all are NaN. */
function firstOfMost(row: usize, count: u32): u32 {
  const largest = largestOf(row, count);
  const sought = f32x4.splat(largest);
  let c: u32 = 0;
  for (; c + 4 <= count && !v128.any_true(f32x4.eq(v128.load(at(row, c)), sought)); ) c += 4;
  while (c < count && load<f32>(at(row, c)) != largest) c++;
  return c == count ? 0 : c;
}

/** y[o, i] = the smallest k at which x[o, k, i] is largest. Arguments and items as of the maximum. */
export function argmax(p: usize, from: u32, to: u32): void {
  const x = load<usize>(p), y = load<usize>(p, 4), along = load<u32>(p, 8), inner = load<u32>(p, 12);
  for (let item = from; item < to; item++) {
    const line = at(x, (item / inner) * along * inner + (item % inner));
    let best: u32 = 0;
    if (inner == 1) best = firstOfMost(line, along);
    else {
      for (let k: u32 = 1; k < along; k++) if (load<f32>(at(line, k * inner)) > load<f32>(at(line, best * inner))) best = k;
    }
    store<f32>(at(y, item), best as f32);
  }
}
