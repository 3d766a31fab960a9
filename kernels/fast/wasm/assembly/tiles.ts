/**
 * The innermost loop of a matrix product (matmul.ts): 6 rows and 8 or 16 columns of the result stay in the registers while
 * the outer product of 6 numbers of A and as many of B as there are columns is added at every step of k. Or 4 rows: 6 and 4
 * make up every even number but 2. It is written once; each height and width is compiled for itself, since sums stay in
 * registers only as variables of their own.
 */
import { madd, zeros } from './lanes';

/** y[6, columns] = start + Σₖ a[6, k] · b[k, columns], or four rows of it; rows of each, and numbers of a row of a, are that many bytes apart. */
// @ts-ignore: decorator
@inline
export function tile(
  columns: u32, six: bool, depth: u32, a: usize, stepA: usize, stepOfK: usize, b: usize, stepB: usize, start: usize, startStep: usize, y: usize, step: usize,
): void {
  if (columns == 8) {
    if (six) six8(depth, a, stepA, stepOfK, b, stepB, start, startStep, y, step);
    else four8(depth, a, stepA, stepOfK, b, stepB, start, startStep, y, step);
  } else if (six) six16(depth, a, stepA, stepOfK, b, stepB, start, startStep, y, step);
  else four16(depth, a, stepA, stepOfK, b, stepB, start, startStep, y, step);
}

function six8(depth: u32, a: usize, stepA: usize, stepOfK: usize, b: usize, stepB: usize, start: usize, startStep: usize, y: usize, step: usize): void {
  add(true, false, depth, a, stepA, stepOfK, b, stepB, start, startStep, y, step);
}

function six16(depth: u32, a: usize, stepA: usize, stepOfK: usize, b: usize, stepB: usize, start: usize, startStep: usize, y: usize, step: usize): void {
  add(true, true, depth, a, stepA, stepOfK, b, stepB, start, startStep, y, step);
}

function four8(depth: u32, a: usize, stepA: usize, stepOfK: usize, b: usize, stepB: usize, start: usize, startStep: usize, y: usize, step: usize): void {
  add(false, false, depth, a, stepA, stepOfK, b, stepB, start, startStep, y, step);
}

function four16(depth: u32, a: usize, stepA: usize, stepOfK: usize, b: usize, stepB: usize, start: usize, startStep: usize, y: usize, step: usize): void {
  add(false, true, depth, a, stepA, stepOfK, b, stepB, start, startStep, y, step);
}

// @ts-ignore: decorator
@inline
function add(six: bool, wide: bool, depth: u32, a: usize, stepA: usize, stepOfK: usize, b: usize, stepB: usize, start: usize, startStep: usize, y: usize, step: usize): void {
  let s = start;
  let y00 = zeros(), y01 = zeros(), y02 = zeros(), y03 = zeros();
  let y10 = zeros(), y11 = zeros(), y12 = zeros(), y13 = zeros();
  let y20 = zeros(), y21 = zeros(), y22 = zeros(), y23 = zeros();
  let y30 = zeros(), y31 = zeros(), y32 = zeros(), y33 = zeros();
  let y40 = zeros(), y41 = zeros(), y42 = zeros(), y43 = zeros();
  let y50 = zeros(), y51 = zeros(), y52 = zeros(), y53 = zeros();
  y00 = v128.load(s); y01 = v128.load(s, 16);
  if (wide) { y02 = v128.load(s, 32); y03 = v128.load(s, 48); }
  s += startStep;
  y10 = v128.load(s); y11 = v128.load(s, 16);
  if (wide) { y12 = v128.load(s, 32); y13 = v128.load(s, 48); }
  s += startStep;
  y20 = v128.load(s); y21 = v128.load(s, 16);
  if (wide) { y22 = v128.load(s, 32); y23 = v128.load(s, 48); }
  s += startStep;
  y30 = v128.load(s); y31 = v128.load(s, 16);
  if (wide) { y32 = v128.load(s, 32); y33 = v128.load(s, 48); }
  if (six) {
    s += startStep;
    y40 = v128.load(s); y41 = v128.load(s, 16);
    if (wide) { y42 = v128.load(s, 32); y43 = v128.load(s, 48); }
    s += startStep;
    y50 = v128.load(s); y51 = v128.load(s, 16);
    if (wide) { y52 = v128.load(s, 32); y53 = v128.load(s, 48); }
  }
  let a0 = a, a1 = a0 + stepA, a2 = a1 + stepA, a3 = a2 + stepA, a4 = a3 + stepA, a5 = a4 + stepA;
  for (const end = a0 + depth * stepOfK; a0 != end; ) {
    const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = wide ? v128.load(b, 32) : zeros(), b3 = wide ? v128.load(b, 48) : zeros();
    let x = v128.load32_splat(a0);
    y00 = madd(x, b0, y00); y01 = madd(x, b1, y01);
    if (wide) { y02 = madd(x, b2, y02); y03 = madd(x, b3, y03); }
    a0 += stepOfK;
    x = v128.load32_splat(a1);
    y10 = madd(x, b0, y10); y11 = madd(x, b1, y11);
    if (wide) { y12 = madd(x, b2, y12); y13 = madd(x, b3, y13); }
    a1 += stepOfK;
    x = v128.load32_splat(a2);
    y20 = madd(x, b0, y20); y21 = madd(x, b1, y21);
    if (wide) { y22 = madd(x, b2, y22); y23 = madd(x, b3, y23); }
    a2 += stepOfK;
    x = v128.load32_splat(a3);
    y30 = madd(x, b0, y30); y31 = madd(x, b1, y31);
    if (wide) { y32 = madd(x, b2, y32); y33 = madd(x, b3, y33); }
    a3 += stepOfK;
    if (six) {
      x = v128.load32_splat(a4);
      y40 = madd(x, b0, y40); y41 = madd(x, b1, y41);
      if (wide) { y42 = madd(x, b2, y42); y43 = madd(x, b3, y43); }
      a4 += stepOfK;
      x = v128.load32_splat(a5);
      y50 = madd(x, b0, y50); y51 = madd(x, b1, y51);
      if (wide) { y52 = madd(x, b2, y52); y53 = madd(x, b3, y53); }
      a5 += stepOfK;
    }
    b += stepB;
  }
  v128.store(y, y00); v128.store(y, y01, 16);
  if (wide) { v128.store(y, y02, 32); v128.store(y, y03, 48); }
  y += step;
  v128.store(y, y10); v128.store(y, y11, 16);
  if (wide) { v128.store(y, y12, 32); v128.store(y, y13, 48); }
  y += step;
  v128.store(y, y20); v128.store(y, y21, 16);
  if (wide) { v128.store(y, y22, 32); v128.store(y, y23, 48); }
  y += step;
  v128.store(y, y30); v128.store(y, y31, 16);
  if (wide) { v128.store(y, y32, 32); v128.store(y, y33, 48); }
  if (six) {
    y += step;
    v128.store(y, y40); v128.store(y, y41, 16);
    if (wide) { v128.store(y, y42, 32); v128.store(y, y43, 48); }
    y += step;
    v128.store(y, y50); v128.store(y, y51, 16);
    if (wide) { v128.store(y, y52, 32); v128.store(y, y53, 48); }
  }
}
