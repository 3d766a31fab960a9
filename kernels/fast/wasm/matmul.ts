/** Which kernel calls make a matrix product: B in panels of 8 columns, where it is not read in place, then blocks of the result. */
import { rowsOf } from '../../../lib/shape.ts';
import type { Call, Replacement, Site } from './call.ts';
import { gaps, packedAt } from './packed.ts';
import { sumCalls } from './sum.ts';

/** Rows of the result that a block of A covers: few enough that the block stays in the cache. */
const BLOCK_ROWS = 96;
const TILE_ROWS = 6;
/** Chunks that a product should have, so that threads share it evenly. */
const CHUNKS = 16;
const PANEL = 8;
/** Panels that are packed together. */
const GROUP = 4;
/** Columns of a B whose rows are so short that reading its panels in place costs less than packing them. */
const NARROW = 64;

interface Product {
  readonly a: number;
  readonly b: number;
  readonly bias: number;
  readonly y: number;
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** In elements, along rows, k and batch. */
  readonly stridesA: readonly number[];
  /** In elements, along k, columns and batch. */
  readonly stridesB: readonly number[];
}

const productCalls = ({ a, b, bias, y, batch, rows, columns, inner, stridesA, stridesB }: Product, scratch: Site['scratch']): Call[] => {
  const panels = Math.ceil(columns / PANEL);
  const [innerB, columnB, batchB] = stridesB;
  const inPlace = columnB === 1 && columns <= NARROW;
  const packed = inPlace ? b : scratch(batch * panels * PANEL * inner);
  const ofB = inPlace ? [innerB, batchB, PANEL] : [PANEL, panels * PANEL * inner, PANEL * inner];

  const down = Math.ceil(rows / BLOCK_ROWS);
  const blockRows = Math.ceil(rows / down / TILE_ROWS) * TILE_ROWS;
  // A block of A that is turned first should be used by more columns.
  const fewest = stridesA[1] === 1 ? 8 : 16;
  const across = Math.min(Math.ceil(CHUNKS / (batch * down)), Math.ceil(panels / fewest));
  const blockColumns = Math.ceil(panels / across) * PANEL;
  const multiply: Call = {
    kernel: 'multiply',
    items: batch * Math.ceil(rows / blockRows) * Math.ceil(columns / blockColumns),
    grain: Math.ceil(2 ** 18 / (blockRows * blockColumns * inner)),
    integers: [a, packed, y, bias, rows, columns, inner, ...stridesA, ...ofB, blockRows, blockColumns],
  };
  if (inPlace) return [multiply];
  const groups = Math.ceil(panels / GROUP);
  const pack: Call = {
    kernel: 'packColumns',
    items: batch * groups,
    grain: Math.ceil(8192 / (GROUP * PANEL * inner)),
    integers: [b, packed, inner, columns, ...stridesB, panels],
  };
  return [pack, multiply];
};

export const matmul: Replacement = ({ definition, inputs: [a, b], output, scratch }) => {
  const [{ integers, output: grid }] = definition();
  const [inner, batchA, rowA, innerA, batchB, innerB, columnB] = integers!;
  const [columns, rows, batch] = grid;
  if (inner === 0) return undefined;
  const stridesA = [rowA, innerA, batchA];
  const stridesB = [innerB, columnB, batchB];
  return productCalls({ a, b, bias: 0, y: output, batch, rows, columns, inner, stridesA, stridesB }, scratch);
};

export const dense: Replacement = ({ specs: [x, w], inputs: [a, b, bias], output, scratch }) => {
  const [inner, columns] = w.shape;
  const { rows } = rowsOf(x.shape);
  if (inner === 0) return undefined;
  const stridesA = [inner, 1, 0];
  const stridesB = [columns, 1, 0];
  return productCalls({ a, b, bias, y: output, batch: 1, rows, columns, inner, stridesA, stridesB }, scratch);
};

export const denseSlope: Replacement = ({ specs, inputs: [x, dy], output, scratch }) => {
  const [[inner, rows], [, columns]] = specs.map(({ shape }) => shape);
  if (inner * rows * columns === 0) return undefined;
  const sizes = [rows * columns, columns];
  const [kernel, bias] = packedAt(output, sizes);
  const product = { a: x, b: dy, bias: 0, y: kernel, batch: 1, rows, columns, inner, stridesA: [1, rows, 0], stridesB: [columns, 1, 0] };
  return [
    ...gaps(output, sizes),
    ...productCalls(product, scratch),
    ...sumCalls(dy, bias, { outer: 1, along: inner, inner: columns }, scratch),
  ];
};
