/**
 * Layer norm and its slopes. Items are rows. Sums run in vectors of four lanes, four of them side by side as long as the row
 * allows, so that no addition waits for the one before it; then across them.
 */
import { at, madd, part, put, storeTwo, sumFour, sumLanes, zeros } from './lanes';

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

/** x̂ = (x − mean) / √(variance + ε), four elements. */
// @ts-ignore: decorator
@inline
function normal(x: usize, mean: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.sub(v128.load(x), mean), scale);
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
      const first = madd(normal(at(x, c), m, s), v128.load(at(gain, c)), v128.load(at(bias, c)));
      storeTwo(at(y, c), first, madd(normal(at(x, c) + 16, m, s), v128.load(at(gain, c), 16), v128.load(at(bias, c), 16)));
    }
    for (; c < columns; c += 4) put(y, c, columns, madd(normal(at(x, c), m, s), v128.load(at(gain, c)), v128.load(at(bias, c))));
  }
}

// @ts-ignore: decorator
@inline
function normSlope(x: usize, dy: usize, gain: usize, mean: v128, scale: v128, average: v128, along: v128): v128 {
  const g = f32x4.mul(v128.load(dy), v128.load(gain));
  return f32x4.mul(scale, f32x4.sub(f32x4.sub(g, average), f32x4.mul(normal(x, mean, scale), along)));
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

/**
 * Σᵣ dy · x̂ and Σᵣ dy, the gradients of gain and bias, of blocks of rows: a row of each for a block. Items are blocks.
 * Arguments: x, dy, y, rows, columns, rows a block, floats from block to block, from the first sum to the second; ε.
 */
export function normalSums(p: usize, from: u32, to: u32): void {
  const rows = load<u32>(p, 12), columns = load<u32>(p, 16), block = load<u32>(p, 20), apart = load<u32>(p, 24);
  const behind = load<u32>(p, 28), epsilon = load<f32>(p, 32);
  for (let item = from; item < to; item++) {
    const gain = at(load<usize>(p, 8), item * apart), bias = at(gain, behind);
    memory.fill(gain, 0, apart << 2);
    for (let r = item * block, end = min(rows, r + block); r < end; r++) {
      const x = at(load<usize>(p), r * columns), dy = at(load<usize>(p, 4), r * columns);
      const mean = rowMean(x, columns);
      const m = f32x4.splat(mean), s = f32x4.splat(rowScale(x, columns, mean, epsilon));
      let c: u32 = 0;
      for (; c + 8 <= columns; c += 8) {
        const d = v128.load(at(dy, c)), d1 = v128.load(at(dy, c), 16);
        storeTwo(at(gain, c), madd(d, normal(at(x, c), m, s), v128.load(at(gain, c))), madd(d1, normal(at(x, c) + 16, m, s), v128.load(at(gain, c), 16)));
        storeTwo(at(bias, c), f32x4.add(d, v128.load(at(bias, c))), f32x4.add(d1, v128.load(at(bias, c), 16)));
      }
      for (; c < columns; c += 4) {
        const d = v128.load(at(dy, c));
        put(gain, c, columns, madd(d, normal(at(x, c), m, s), v128.load(at(gain, c))));
        put(bias, c, columns, f32x4.add(d, v128.load(at(bias, c))));
      }
    }
  }
}
