/**
 * Kernels that look at a whole row: softmax and cross-entropy (layer norm: norm.ts). Items are rows. Sums run in vectors of four lanes,
 * four of them side by side as long as the row allows, so that no addition waits for the one before it; then across them.
 */
import { at, madd, maxLanes, part, put, storeTwo, sumFour, sumLanes, zeros } from './lanes';
import * as f from './functions';
import { scratch } from './thread';

// @ts-ignore: decorator
@inline
function lowest(): v128 {
  return f32x4.splat(-Infinity);
}

/** The largest number of a row; NaN does not count. */
export function rowMax(x: usize, columns: u32): f32 {
  let most = lowest(), most1 = lowest();
  let c: u32 = 0;
  for (; c + 8 <= columns; c += 8) {
    most = f32x4.pmax(most, v128.load(at(x, c)));
    most1 = f32x4.pmax(most1, v128.load(at(x, c), 16));
  }
  most = f32x4.pmax(most, most1);
  for (; c < columns; c += 4) most = f32x4.pmax(most, part(x, c, columns, lowest()));
  return maxLanes(most);
}

function rowDot(a: usize, b: usize, columns: u32): f32 {
  let s0 = zeros(), s1 = zeros(), s2 = zeros(), s3 = zeros();
  let c: u32 = 0;
  for (; c + 16 <= columns; c += 16) {
    const p = at(a, c), q = at(b, c);
    s0 = madd(v128.load(p), v128.load(q), s0);
    s1 = madd(v128.load(p, 16), v128.load(q, 16), s1);
    s2 = madd(v128.load(p, 32), v128.load(q, 32), s2);
    s3 = madd(v128.load(p, 48), v128.load(q, 48), s3);
  }
  let sum = sumFour(s0, s1, s2, s3);
  for (; c < columns; c += 4) sum = madd(part(a, c, columns, zeros()), part(b, c, columns, zeros()), sum);
  return sumLanes(sum);
}

// @ts-ignore: decorator
@inline
function scalarLog(x: f32): f32 {
  return f32x4.extract_lane(f.log(f32x4.splat(x)), 0);
}

/** ln Σ e^x of a row. */
function logSumExp(x: usize, columns: u32): f32 {
  const most = rowMax(x, columns);
  const shift = f32x4.splat(most);
  let sum = zeros(), sum1 = zeros();
  let c: u32 = 0;
  for (; c + 8 <= columns; c += 8) {
    const e = f.decay(f32x4.sub(v128.load(at(x, c)), shift)), e1 = f.decay(f32x4.sub(v128.load(at(x, c), 16), shift));
    // Nobody reads them there, but only of what is stored does an engine join neighbours.
    storeTwo(scratch, e, e1);
    sum = f32x4.add(sum, e);
    sum1 = f32x4.add(sum1, e1);
  }
  sum = f32x4.add(sum, sum1);
  for (; c < columns; c += 4) sum = f32x4.add(sum, f.decay(f32x4.sub(part(x, c, columns, lowest()), shift)));
  return most + scalarLog(sumLanes(sum));
}

/** Arguments: x, y, columns. */
export function softmax(p: usize, from: u32, to: u32): void {
  const columns = load<u32>(p, 8);
  for (let r = from; r < to; r++) {
    const x = at(load<usize>(p), r * columns), y = at(load<usize>(p, 4), r * columns);
    const shift = f32x4.splat(rowMax(x, columns));
    let sum = zeros(), sum1 = zeros();
    let c: u32 = 0;
    for (; c + 8 <= columns; c += 8) {
      const e = f.decay(f32x4.sub(v128.load(at(x, c)), shift)), e1 = f.decay(f32x4.sub(v128.load(at(x, c), 16), shift));
      storeTwo(at(y, c), e, e1);
      sum = f32x4.add(sum, e);
      sum1 = f32x4.add(sum1, e1);
    }
    sum = f32x4.add(sum, sum1);
    for (; c < columns; c += 4) {
      const e = f.decay(f32x4.sub(part(x, c, columns, lowest()), shift));
      put(y, c, columns, e);
      sum = f32x4.add(sum, e);
    }
    scaleRow(y, columns, 1 / sumLanes(sum));
  }
}

function scaleRow(y: usize, columns: u32, factor: f32): void {
  const by = f32x4.splat(factor);
  let c: u32 = 0;
  for (; c + 8 <= columns; c += 8) storeTwo(at(y, c), f32x4.mul(v128.load(at(y, c)), by), f32x4.mul(v128.load(at(y, c), 16), by));
  for (; c < columns; c += 4) put(y, c, columns, f32x4.mul(v128.load(at(y, c)), by));
}

/** Arguments: x, y, columns. */
export function logSoftmax(p: usize, from: u32, to: u32): void {
  const columns = load<u32>(p, 8);
  for (let r = from; r < to; r++) {
    const x = at(load<usize>(p), r * columns), y = at(load<usize>(p, 4), r * columns);
    const l = f32x4.splat(logSumExp(x, columns));
    for (let c: u32 = 0; c < columns; c += 4) put(y, c, columns, f32x4.sub(v128.load(at(x, c)), l));
  }
}

/** All ones where the mask attends. */
// @ts-ignore: decorator
@inline
function attends(mask: usize): v128 {
  return f32x4.ne(v128.load(mask), zeros());
}

/** The same, within the row. */
// @ts-ignore: decorator
@inline
function attended(mask: usize, c: u32, columns: u32): v128 {
  return f32x4.ne(part(mask, c, columns, zeros()), zeros());
}

// @ts-ignore: decorator
@inline
function attendedScores(x: usize, scale: v128, attends: v128): v128 {
  return v128.bitselect(f32x4.mul(v128.load(x), scale), lowest(), attends);
}

// @ts-ignore: decorator
@inline
function attendedWeight(x: usize, scale: v128, shift: v128, attends: v128): v128 {
  return v128.and(f.decay(f32x4.sub(f32x4.mul(v128.load(x), scale), shift)), attends);
}

/** Arguments: x, mask, y, columns, rows that share a row of the mask; scale. */
export function maskedSoftmax(p: usize, from: u32, to: u32): void {
  const columns = load<u32>(p, 12), rowsPerBatch = load<u32>(p, 16);
  const scale = v128.load32_splat(p, 20);
  for (let r = from; r < to; r++) {
    const x = at(load<usize>(p), r * columns), y = at(load<usize>(p, 8), r * columns);
    const mask = at(load<usize>(p, 4), (r / rowsPerBatch) * columns);
    let most = lowest(), most1 = lowest();
    let c: u32 = 0;
    for (; c + 8 <= columns; c += 8) {
      most = f32x4.pmax(most, attendedScores(at(x, c), scale, attends(at(mask, c))));
      most1 = f32x4.pmax(most1, attendedScores(at(x, c) + 16, scale, attends(at(mask, c) + 16)));
    }
    most = f32x4.pmax(most, most1);
    for (; c < columns; c += 4) most = f32x4.pmax(most, attendedScores(at(x, c), scale, attended(mask, c, columns)));
    const shift = f32x4.splat(maxLanes(most));
    let sum = zeros(), sum1 = zeros();
    for (c = 0; c + 8 <= columns; c += 8) {
      const e = attendedWeight(at(x, c), scale, shift, attends(at(mask, c)));
      const e1 = attendedWeight(at(x, c) + 16, scale, shift, attends(at(mask, c) + 16));
      storeTwo(at(y, c), e, e1);
      sum = f32x4.add(sum, e);
      sum1 = f32x4.add(sum1, e1);
    }
    sum = f32x4.add(sum, sum1);
    for (; c < columns; c += 4) {
      const e = attendedWeight(at(x, c), scale, shift, attended(mask, c, columns));
      put(y, c, columns, e);
      sum = f32x4.add(sum, e);
    }
    const total = sumLanes(sum);
    scaleRow(y, columns, total == 0 ? 0 : 1 / total);
  }
}

/** dx = scale · y · (dy − Σ dy · y). Arguments: y, dy, dx, columns; scale. */
export function softmaxSlope(p: usize, from: u32, to: u32): void {
  const columns = load<u32>(p, 12);
  const scale = v128.load32_splat(p, 16);
  for (let r = from; r < to; r++) {
    const y = at(load<usize>(p), r * columns), dy = at(load<usize>(p, 4), r * columns), dx = at(load<usize>(p, 8), r * columns);
    const dot = f32x4.splat(rowDot(y, dy, columns));
    let c: u32 = 0;
    for (; c + 8 <= columns; c += 8) {
      const slope = f32x4.mul(v128.load(at(y, c)), f32x4.sub(v128.load(at(dy, c)), dot));
      const slope1 = f32x4.mul(v128.load(at(y, c), 16), f32x4.sub(v128.load(at(dy, c), 16), dot));
      storeTwo(at(dx, c), f32x4.mul(slope, scale), f32x4.mul(slope1, scale));
    }
    for (; c < columns; c += 4) {
      const slope = f32x4.mul(v128.load(at(y, c)), f32x4.sub(v128.load(at(dy, c)), dot));
      put(dx, c, columns, f32x4.mul(slope, scale));
    }
  }
}

/** Arguments: x, labels, y, columns. */
export function crossEntropy(p: usize, from: u32, to: u32): void {
  const columns = load<u32>(p, 12);
  for (let r = from; r < to; r++) {
    const x = at(load<usize>(p), r * columns);
    const label = load<f32>(at(load<usize>(p, 4), r));
    const counts = label >= 0 && label < (columns as f32);
    store<f32>(at(load<usize>(p, 8), r), counts ? logSumExp(x, columns) - load<f32>(at(x, label as u32)) : 0);
  }
}

/** dx = dy · (e^(x − l) − [c = label]). Arguments: x, labels, dy, dx, columns. */
export function crossEntropySlope(p: usize, from: u32, to: u32): void {
  const columns = load<u32>(p, 16);
  for (let r = from; r < to; r++) {
    const x = at(load<usize>(p), r * columns), dx = at(load<usize>(p, 12), r * columns);
    const label = load<f32>(at(load<usize>(p, 4), r)), dy = load<f32>(at(load<usize>(p, 8), r));
    if (!(label >= 0 && label < (columns as f32))) {
      memory.fill(dx, 0, columns << 2);
      continue;
    }
    const l = f32x4.splat(logSumExp(x, columns)), by = f32x4.splat(dy);
    const answer = at(dx, label as u32);
    let c: u32 = 0;
    for (; c + 8 <= columns; c += 8) {
      storeTwo(at(dx, c), f32x4.mul(f.decay(f32x4.sub(v128.load(at(x, c)), l)), by), f32x4.mul(f.decay(f32x4.sub(v128.load(at(x, c), 16), l)), by));
    }
    for (; c < columns; c += 4) put(dx, c, columns, f32x4.mul(f.decay(f32x4.sub(v128.load(at(x, c)), l)), by));
    store<f32>(answer, dy * (f32x4.extract_lane(f.decay(f32x4.sub(v128.load32_splat(at(x, label as u32)), l)), 0) - 1));
  }
}
