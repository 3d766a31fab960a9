/**
 * Matrix products: what tiles (tiles.ts) a product of some sizes takes. Products with a long k and a small result are cut
 * along k too, and the parts summed in order. The slope of a kernel comes with that of its bias: the sums of B's columns, whose
 * numbers pass the threads anyway.
 */
import { ALIGNED, rowsOf, startsOf } from '../../../lib/shape.ts';
import type { Dispatch, Plan, Replacement } from './dispatch.ts';
import { MOST, OUTPUT } from './dispatch.ts';
import { sumDispatches } from './sum.ts';
import { STEP, shader } from './tiles.ts';

/** Tiles, largest first, and how many elements a thread computes along each side. */
const TILES = [
  { tile: 128, each: 8 },
  { tile: 64, each: 8 },
  { tile: 32, each: 4 },
] as const;

/** Workgroups that keep a large GPU busy: about two for each of its processors. */
const BUSY = 256;

/** The shortest part of k that is worth a workgroup of its own. */
const SHORTEST = 512;

/** A result so small, of sums so short, is left to a thread for each element. */
const SMALL = 512;

interface Product {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** A bias is added to every row. */
  readonly bias?: boolean;
  /** The sums of the columns of B are asked for too. */
  readonly sums?: boolean;
  /** A and B may be rounded to f16. */
  readonly f16?: boolean;
  /** The matrices are the heads of sequences: how many heads, and which of A, B and y have them side by side. */
  readonly heads?: { readonly count: number; readonly a?: boolean; readonly b?: boolean; readonly y?: boolean };
}

const whole = (n: number) => n % 4 === 0;

/** The largest tile with which there is enough to do for all, and of which at most half lies outside the result. */
const tileFor = ({ batch, rows, columns, inner }: Product) => {
  const parts = Math.max(1, Math.floor(inner / SHORTEST));
  const sized = TILES.map(({ tile, each }) => ({
    tile,
    each,
    groups: batch * Math.ceil(rows / tile) * Math.ceil(columns / tile),
  }));
  return (
    sized.find(({ tile, groups }) => groups * parts >= BUSY && groups * tile * tile <= 2 * batch * rows * columns) ??
    sized[TILES.length - 1]
  );
};

const plan = (product: Product): Plan | undefined => {
  const {
    batch,
    rows,
    columns,
    inner,
    transposeA,
    transposeB,
    bias = false,
    sums = false,
    f16 = false,
    heads = { count: 1 },
  } = product;
  const { tile, each, groups } = tileFor(product);
  // Parts of a result whose rows lie apart could not be summed as they lie.
  const parts = heads.y ? 1 : Math.max(1, Math.min(Math.floor(inner / SHORTEST), Math.ceil(BUSY / groups)));
  const grid = [Math.ceil(columns / tile), Math.ceil(rows / tile), batch * parts] as const;
  const isSmall = Math.max(batch * rows * columns, inner) <= SMALL;
  if (isSmall || grid.some((count) => count === 0 || count > MOST)) return undefined;
  const code = shader({
    tile,
    each,
    a: { alongInner: !transposeA, vectors: whole(transposeA ? rows : inner), sideBySide: heads.a ?? false },
    b: { alongInner: transposeB, vectors: whole(transposeB ? inner : columns), sideBySide: heads.b ?? false },
    y: { sideBySide: heads.y ?? false },
    bias,
    sums,
    vectors: whole(columns),
    f16,
  });
  const starts = startsOf([rows * columns, columns]).map((start) => ALIGNED * start);
  /** Numbers of one matrix of the result. */
  const size = sums ? starts[2] : rows * columns;
  const multiply = (into: string): Dispatch => ({
    code,
    buffers: [0, 1, ...(bias ? [2] : []), into],
    integers: [batch, rows, columns, inner, STEP * Math.ceil(inner / parts / STEP), size, starts[1], heads.count],
    groups: grid,
  });
  if (parts === 1) return { dispatches: [multiply(OUTPUT)] };
  const sum = sumDispatches({ outer: 1, along: parts, inner: batch * size }, 'parts', OUTPUT);
  return {
    dispatches: [multiply('parts'), ...sum.dispatches],
    scratch: { parts: parts * batch * size, ...sum.scratch },
  };
};

export const matmul: Replacement<{ transposeA?: boolean; transposeB?: boolean }> = ({ params, definition }) => {
  const [{ integers, output: grid }] = definition();
  const [columns, rows, batch] = grid;
  const { transposeA = false, transposeB = false } = params;
  return plan({ batch, rows, columns, inner: integers![0], transposeA, transposeB });
};

export const attentionScores: Replacement = ({ specs: [q, k] }) => {
  const [batch, rows, count, inner] = q.shape;
  return plan({
    batch: batch * count,
    rows,
    columns: k.shape[1],
    inner,
    transposeA: false,
    transposeB: true,
    heads: { count, a: true, b: true },
  });
};

export const attentionContext: Replacement<{ transpose?: boolean }> = ({
  params: { transpose = false },
  specs: [, v],
  spec,
}) => {
  const [batch, inner, count, columns] = v.shape;
  return plan({
    batch: batch * count,
    rows: spec.shape[1],
    columns,
    inner,
    transposeA: transpose,
    transposeB: false,
    heads: { count, b: true, y: true },
  });
};

export const dense: Replacement = ({ specs: [x, w], f16 }) => {
  const [inner, columns] = w.shape;
  return plan({
    batch: 1,
    rows: rowsOf(x.shape).rows,
    columns,
    inner,
    transposeA: false,
    transposeB: false,
    bias: true,
    f16,
  });
};

export const denseSlope: Replacement = ({ specs }) => {
  const [[inner, rows], [, columns]] = specs.map(({ shape }) => shape);
  return plan({ batch: 1, rows, columns, inner, transposeA: true, transposeB: false, sums: true });
};
