/**
 * Kernels that look at a whole row: softmax, layer norm, cross-entropy. Items are rows. Sums run in vectors of four lanes,
 * four of them side by side as long as the row allows, so that no addition waits for the one before it; then across them.
 */
import { at, firstLanes, madd, maxLanes, storeSome, storeTwo, sumLanes } from './lanes';
import * as f from './functions';

/** The four elements from column c of a row; beyond its end the lanes hold `other`. */
// @ts-ignore: decorator
@inline
function part(row: usize, c: u32, columns: u32, other: v128): v128 {
  const v = v128.load(at(row, c));
  return c + 4 <= columns ? v : v128.bitselect(v, other, firstLanes(columns - c));
}

// @ts-ignore: decorator
@inline
function put(row: usize, c: u32, columns: u32, value: v128): void {
  if (c + 4 <= columns) v128.store(at(row, c), value);
  else storeSome(at(row, c), value, columns - c);
}

// @ts-ignore: decorator
@inline
function zeros(): v128 {
  return f32x4.splat(0);
}

// @ts-ignore: decorator
@inline
function lowest(): v128 {
  return f32x4.splat(-Infinity);
}

function rowMax(x: usize, columns: u32): f32 {
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

// @ts-ignore: decorator
@inline
function sumFour(a: v128, b: v128, c: v128, d: v128): v128 {
  return f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
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
    sum = f32x4.add(sum, f.decay(f32x4.sub(v128.load(at(x, c)), shift)));
    sum1 = f32x4.add(sum1, f.decay(f32x4.sub(v128.load(at(x, c), 16), shift)));
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
      const e = v128.and(f.decay(f32x4.sub(f32x4.mul(v128.load(at(x, c)), scale), shift)), attends(at(mask, c)));
      const e1 = v128.and(f.decay(f32x4.sub(f32x4.mul(v128.load(at(x, c), 16), scale), shift)), attends(at(mask, c) + 16));
      storeTwo(at(y, c), e, e1);
      sum = f32x4.add(sum, e);
      sum1 = f32x4.add(sum1, e1);
    }
    sum = f32x4.add(sum, sum1);
    for (; c < columns; c += 4) {
      const e = v128.and(f.decay(f32x4.sub(f32x4.mul(v128.load(at(x, c)), scale), shift)), attended(mask, c, columns));
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

function rowMean(x: usize, columns: u32): f32 {
  let s0 = zeros(), s1 = zeros(), s2 = zeros(), s3 = zeros();
  let c: u32 = 0;
  for (; c + 16 <= columns; c += 16) {
    const p = at(x, c);
    s0 = f32x4.add(s0, v128.load(p));
    s1 = f32x4.add(s1, v128.load(p, 16));
    s2 = f32x4.add(s2, v128.load(p, 32));
    s3 = f32x4.add(s3, v128.load(p, 48));
  }
  let sum = sumFour(s0, s1, s2, s3);
  for (; c < columns; c += 4) sum = f32x4.add(sum, part(x, c, columns, zeros()));
  return sumLanes(sum) / (columns as f32);
}

// @ts-ignore: decorator
@inline
function addSquare(v: v128, sum: v128): v128 {
  return madd(v, v, sum);
}

/** 1 / √(variance + ε) of a row. */
function rowScale(x: usize, columns: u32, mean: f32, epsilon: f32): f32 {
  const m = f32x4.splat(mean);
  let s0 = zeros(), s1 = zeros(), s2 = zeros(), s3 = zeros();
  let c: u32 = 0;
  for (; c + 16 <= columns; c += 16) {
    const p = at(x, c);
    s0 = addSquare(f32x4.sub(v128.load(p), m), s0);
    s1 = addSquare(f32x4.sub(v128.load(p, 16), m), s1);
    s2 = addSquare(f32x4.sub(v128.load(p, 32), m), s2);
    s3 = addSquare(f32x4.sub(v128.load(p, 48), m), s3);
  }
  let sum = sumFour(s0, s1, s2, s3);
  for (; c < columns; c += 4) sum = addSquare(f32x4.sub(part(x, c, columns, m), m), sum);
  return 1 / (Math.sqrt((sumLanes(sum) / (columns as f32) + epsilon) as f64) as f32);
}

/** Arguments: x, gain, bias, y, columns; ε. */
export function layerNorm(p: usize, from: u32, to: u32): void {
  const gain = load<usize>(p, 4), bias = load<usize>(p, 8), columns = load<u32>(p, 16), epsilon = load<f32>(p, 20);
  for (let r = from; r < to; r++) {
    const x = at(load<usize>(p), r * columns), y = at(load<usize>(p, 12), r * columns);
    const mean = rowMean(x, columns);
    const m = f32x4.splat(mean), s = f32x4.splat(rowScale(x, columns, mean, epsilon));
    let c: u32 = 0;
    for (; c + 8 <= columns; c += 8) {
      const normal = f32x4.mul(f32x4.sub(v128.load(at(x, c)), m), s), normal1 = f32x4.mul(f32x4.sub(v128.load(at(x, c), 16), m), s);
      storeTwo(at(y, c), madd(normal, v128.load(at(gain, c)), v128.load(at(bias, c))), madd(normal1, v128.load(at(gain, c), 16), v128.load(at(bias, c), 16)));
    }
    for (; c < columns; c += 4) {
      const normal = f32x4.mul(f32x4.sub(v128.load(at(x, c)), m), s);
      put(y, c, columns, madd(normal, v128.load(at(gain, c)), v128.load(at(bias, c))));
    }
  }
}

// @ts-ignore: decorator
@inline
function normSlope(x: usize, dy: usize, gain: usize, mean: v128, scale: v128, average: v128, along: v128): v128 {
  const g = f32x4.mul(v128.load(dy), v128.load(gain));
  const normal = f32x4.mul(f32x4.sub(v128.load(x), mean), scale);
  return f32x4.mul(scale, f32x4.sub(f32x4.sub(g, average), f32x4.mul(normal, along)));
}

/** Arguments: x, gain, dy, dx, columns; ε. */
export function layerNormSlope(p: usize, from: u32, to: u32): void {
  const gain = load<usize>(p, 4), columns = load<u32>(p, 16), epsilon = load<f32>(p, 20);
  for (let r = from; r < to; r++) {
    const x = at(load<usize>(p), r * columns), dy = at(load<usize>(p, 8), r * columns), dx = at(load<usize>(p, 12), r * columns);
    const mean = rowMean(x, columns), scale = rowScale(x, columns, mean, epsilon);
    const m = f32x4.splat(mean), s = f32x4.splat(scale);
    let sum = zeros(), dot = zeros(), sum1 = zeros(), dot1 = zeros();
    let c: u32 = 0;
    for (; c + 8 <= columns; c += 8) {
      const g = f32x4.mul(v128.load(at(dy, c)), v128.load(at(gain, c)));
      const g1 = f32x4.mul(v128.load(at(dy, c), 16), v128.load(at(gain, c), 16));
      sum = f32x4.add(sum, g);
      sum1 = f32x4.add(sum1, g1);
      dot = madd(g, f32x4.sub(v128.load(at(x, c)), m), dot);
      dot1 = madd(g1, f32x4.sub(v128.load(at(x, c), 16), m), dot1);
    }
    sum = f32x4.add(sum, sum1);
    dot = f32x4.add(dot, dot1);
    for (; c < columns; c += 4) {
      const g = f32x4.mul(part(dy, c, columns, zeros()), part(gain, c, columns, zeros()));
      sum = f32x4.add(sum, g);
      dot = madd(g, f32x4.sub(part(x, c, columns, m), m), dot);
    }
    const average = f32x4.splat(sumLanes(sum) / (columns as f32));
    const along = f32x4.splat((sumLanes(dot) * scale) / (columns as f32));
    for (c = 0; c + 8 <= columns; c += 8) {
      const slope = normSlope(at(x, c), at(dy, c), at(gain, c), m, s, average, along);
      storeTwo(at(dx, c), slope, normSlope(at(x, c) + 16, at(dy, c) + 16, at(gain, c) + 16, m, s, average, along));
    }
    for (; c < columns; c += 4) put(dx, c, columns, normSlope(at(x, c), at(dy, c), at(gain, c), m, s, average, along));
  }
}

/** dy · x̂, whose sum over the rows is the gradient of the gain. Arguments: x, dy, y, columns; ε. */
export function timesNormal(p: usize, from: u32, to: u32): void {
  const columns = load<u32>(p, 12), epsilon = load<f32>(p, 16);
  for (let r = from; r < to; r++) {
    const x = at(load<usize>(p), r * columns), dy = at(load<usize>(p, 4), r * columns), y = at(load<usize>(p, 8), r * columns);
    const mean = rowMean(x, columns);
    const m = f32x4.splat(mean), s = f32x4.splat(rowScale(x, columns, mean, epsilon));
    let c: u32 = 0;
    for (; c + 8 <= columns; c += 8) {
      const normal = f32x4.mul(f32x4.sub(v128.load(at(x, c)), m), s), normal1 = f32x4.mul(f32x4.sub(v128.load(at(x, c), 16), m), s);
      storeTwo(at(y, c), f32x4.mul(v128.load(at(dy, c)), normal), f32x4.mul(v128.load(at(dy, c), 16), normal1));
    }
    for (; c < columns; c += 4) {
      const normal = f32x4.mul(f32x4.sub(v128.load(at(x, c)), m), s);
      put(y, c, columns, f32x4.mul(v128.load(at(dy, c)), normal));
    }
  }
}
