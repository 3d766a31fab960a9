/**
 * Which kernel calls make a matrix product: B in panels, where it is not read in place, then blocks of the result. A long sum
 * of few blocks, as of a weight's gradient, is cut into pieces, which are products of their own, and then added up.
 */
import { rowsOf } from '../../../lib/shape.ts';
import type { Call, Replacement, Site } from './call.ts';
import { CHUNK } from './call.ts';
import { gaps, packedAt } from './packed.ts';
import { sumCalls } from './sum.ts';

/** Rows of the result that a block of A covers, and of a transposed A: few enough that the block stays in the cache. */
const BLOCK_ROWS = 64;
const TRANSPOSED_ROWS = 128;
/** Blocks below each other that need the same panels of B, up to which each packs them for itself. */
const FEW = 4;
/** Terms of a piece of a long sum. */
const PIECE = 512;
/** Chunks that a product should have, so that threads share it evenly. */
const CHUNKS = 16;
/** Panels that are packed together. */
const GROUP = 4;
/** Columns of a B whose rows are so short that reading its panels in place costs less than packing them. */
const NARROW = 64;

interface Product {
  readonly a: number;
  readonly b: number;
  readonly bias: number;
  readonly y: number;
  /** Where the sums of B's columns go, behind y, if they are wanted. */
  readonly sums?: number;
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** In elements, along rows and k. */
  readonly stridesA: readonly number[];
  /** Along k and columns. */
  readonly stridesB: readonly number[];
  /** Along rows of y. */
  readonly rowY: number;
  /** The matrices are the heads of sequences: how many heads, then the strides of A, B and y along sequences and heads. */
  readonly heads: number;
  readonly headsA: readonly number[];
  readonly headsB: readonly number[];
  readonly headsY: readonly number[];
}

/** One product, or several that lie one behind the other, `apart` elements in A, B and y. */
const together = (...apart: number[]) => {
  const [headsA, headsB, headsY] = apart.map((step) => [step, 0]);
  return { heads: 1, headsA, headsB, headsY };
};

const productCalls = (product: Product, site: Pick<Site, 'scratch' | 'wide'>): Call[] => {
  const { a, b, bias, y, sums = 0, batch, rows, columns, inner, stridesA, stridesB, rowY, heads, headsA, headsB, headsY } = product;
  const panel = site.wide ? 16 : 8;
  const panels = Math.ceil(columns / panel);
  const [innerB, columnB] = stridesB;
  const isTransposed = stridesA[1] !== 1;

  const down = Math.ceil(rows / (isTransposed ? TRANSPOSED_ROWS : BLOCK_ROWS));
  // Even, for tiles have 6 rows or 4.
  const blockRows = 2 * Math.ceil(rows / down / 2);
  // What a block reads of a transposed A lies in pieces, so it should be used by more columns.
  const across = Math.min(Math.ceil(CHUNKS / (batch * down)), Math.ceil(columns / (isTransposed ? 128 : 64)));
  const blockColumns = Math.ceil(panels / across) * panel;
  if (batch === 1 && down * across < CHUNKS && bias === 0 && inner >= 2 * PIECE) return piecesCalls(product, site);

  const multiply = (b: number, ofB: readonly number[], headsB: readonly number[], columnB = 0): Call => ({
    kernel: 'multiply',
    items: batch * Math.ceil(rows / blockRows) * Math.ceil(columns / blockColumns),
    grain: Math.ceil(2 ** 18 / (blockRows * blockColumns * inner)),
    integers: [
      ...[a, b, y, bias, rows, columns, inner, ...stridesA, ...ofB, rowY, blockRows, blockColumns, panel],
      ...[heads, ...headsA, ...headsB, heads, ...headsY, columnB, sums],
    ],
  });
  if (columnB === 1 && columns <= NARROW) return [multiply(b, [innerB, panel], [heads, ...headsB])];
  if (down <= FEW) return [multiply(b, [innerB, panel * columnB], [heads, ...headsB], columnB)];
  const packed = site.scratch(batch * panels * panel * inner);
  const groups = Math.ceil(panels / GROUP);
  const pack: Call = {
    kernel: 'packColumns',
    items: batch * groups,
    grain: Math.ceil(8192 / (GROUP * panel * inner)),
    integers: [b, packed, inner, columns, ...stridesB, panels, panel, heads, ...headsB],
  };
  return [pack, multiply(packed, [panel, panel * inner], [1, panels * panel * inner, 0])];
};

/** A product as the sum of products of pieces along k, and of one of what is left. */
const piecesCalls = (product: Product, { scratch, wide }: Pick<Site, 'scratch' | 'wide'>): Call[] => {
  const { a, b, y, sums, rows, columns, inner, stridesA, stridesB } = product;
  const [stepA, stepB] = [PIECE * stridesA[1], PIECE * stridesB[0]];
  const [pieces, rest] = [Math.floor(inner / PIECE), inner % PIECE];
  const along = pieces + Math.min(rest, 1);
  const size = sums === undefined ? rows * columns : (sums - y) / 4 + columns;
  const partial = scratch(along * size);
  const piece = (from: number, batch: number, inner: number): Call[] => {
    const place = partial + 4 * from * size;
    const into = { y: place, sums: sums === undefined ? undefined : place + sums - y, batch, inner, ...together(stepA, stepB, size) };
    return productCalls({ ...product, a: a + 4 * from * stepA, b: b + 4 * from * stepB, ...into }, { scratch, wide });
  };
  // What lies between y and the sums of B's columns is added up too: zeros.
  const hasGap = sums !== undefined && size > (rows + 1) * columns;
  return [
    ...(hasGap ? [{ kernel: 'full', items: along * size, grain: CHUNK, integers: [partial], floats: [0] }] : []),
    ...piece(0, pieces, PIECE),
    ...(rest === 0 ? [] : piece(pieces, 1, rest)),
    ...sumCalls(partial, y, { outer: 1, along, inner: size }, scratch),
  ];
};

export const matmul: Replacement = (site) => {
  const { definition, inputs: [a, b], output } = site;
  const [{ integers, output: grid }] = definition();
  const [inner, batchA, rowA, innerA, batchB, innerB, columnB] = integers!;
  const [columns, rows, batch] = grid;
  if (inner === 0) return undefined;
  const strides = { stridesA: [rowA, innerA], stridesB: [innerB, columnB], rowY: columns, ...together(batchA, batchB, rows * columns) };
  return productCalls({ a, b, bias: 0, y: output, batch, rows, columns, inner, ...strides }, site);
};

export const dense: Replacement = (site) => {
  const { specs: [x, w], inputs: [a, b, bias], output } = site;
  const [inner, columns] = w.shape;
  const { rows } = rowsOf(x.shape);
  if (inner === 0) return undefined;
  const strides = { stridesA: [inner, 1], stridesB: [columns, 1], rowY: columns, ...together(0, 0, 0) };
  return productCalls({ a, b, bias, y: output, batch: 1, rows, columns, inner, ...strides }, site);
};

/** Heads of a token lie side by side, and sequences one behind the other: the strides along sequences and heads. */
const sideBySide = (tokens: number, heads: number, width: number) => [tokens * heads * width, width];

export const attentionScores: Replacement = (site) => {
  const { specs: [q, k], inputs: [a, b], output } = site;
  const [batch, rows, heads, inner] = q.shape;
  const columns = k.shape[1];
  if (inner === 0) return undefined;
  const strides = { stridesA: [heads * inner, 1], stridesB: [1, heads * inner], rowY: columns };
  const ofHeads = { heads, headsA: sideBySide(rows, heads, inner), headsB: sideBySide(columns, heads, inner), headsY: [heads * rows * columns, rows * columns] };
  return productCalls({ a, b, bias: 0, y: output, batch: batch * heads, rows, columns, inner, ...strides, ...ofHeads }, site);
};

export const attentionContext: Replacement = (site) => {
  const { definition, specs: [, v], inputs: [a, b], output } = site;
  const [{ integers }] = definition();
  const [heads, rows, inner, columns, rowA, innerA] = integers!;
  if (inner === 0) return undefined;
  const strides = { stridesA: [rowA, innerA], stridesB: [heads * columns, 1], rowY: heads * columns };
  const ofHeads = { heads, headsA: [heads * rows * inner, rows * inner], headsB: sideBySide(inner, heads, columns), headsY: sideBySide(rows, heads, columns) };
  return productCalls({ a, b, bias: 0, y: output, batch: v.shape[0] * heads, rows, columns, inner, ...strides, ...ofHeads }, site);
};

/** The gradients of the kernel and of the bias, packed: the pieces of a long sum as they are packed in the end. */
export const denseSlope: Replacement = (site) => {
  const { specs, inputs: [x, dy], output } = site;
  const [[inner, rows], [, columns]] = specs.map(({ shape }) => shape);
  if (inner * rows * columns === 0) return undefined;
  const sizes = [rows * columns, columns];
  const [kernel, bias] = packedAt(output, sizes);
  const strides = { stridesA: [1, rows], stridesB: [columns, 1], rowY: columns, ...together(0, 0, 0) };
  const product = { a: x, b: dy, bias: 0, y: kernel, sums: bias, batch: 1, rows, columns, inner, ...strides };
  return [...gaps(output, sizes), ...productCalls(product, site)];
};
