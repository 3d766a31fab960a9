/**
 * The innermost loops of a matrix product (matmul.ts): 6 rows and 8 or 16 columns of the result stay in the registers while
 * the outer product of 6 numbers of A and as many of B as there are columns is added at every step of k.
 */
import { madd } from './lanes';

/** Rows of a tile. */
export const ROWS: u32 = 6;

/** y[6, 8] = start + Σₖ a[6, k] · b[k, 8]; rows of each, and numbers of a row of a, are that many bytes apart. */
export function tile8(depth: u32, a: usize, stepA: usize, stepOfK: usize, b: usize, stepB: usize, start: usize, startStep: usize, y: usize, step: usize): void {
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
export function tile16(depth: u32, a: usize, stepA: usize, stepOfK: usize, b: usize, stepB: usize, start: usize, startStep: usize, y: usize, step: usize): void {
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
