/** Which kernel calls make a matrix product: B in panels, where it is not read in place, then blocks of the result. */
import { rowsOf } from '../../../lib/shape.ts';
import type { Call, Replacement, Site } from './call.ts';
import { gaps, packedAt } from './packed.ts';
import { sumCalls } from './sum.ts';

/** Rows of the result that a block of A covers: few enough that the block stays in the cache. */
const BLOCK_ROWS = 96;
const TILE_ROWS = 6;
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
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** In elements, along rows, k and batch. */
  readonly stridesA: readonly number[];
  /** In elements, along k, columns and batch. */
  readonly stridesB: readonly number[];
}

const productCalls = ({ a, b, bias, y, batch, rows, columns, inner, stridesA, stridesB }: Product, { scratch, wide }: Pick<Site, 'scratch' | 'wide'>): Call[] => {
  const panel = wide ? 16 : 8;
  const panels = Math.ceil(columns / panel);
  const [innerB, columnB, batchB] = stridesB;
  const inPlace = columnB === 1 && columns <= NARROW;
  const packed = inPlace ? b : scratch(batch * panels * panel * inner);
  const ofB = inPlace ? [innerB, batchB, panel] : [panel, panels * panel * inner, panel * inner];

  const down = Math.ceil(rows / BLOCK_ROWS);
  const blockRows = Math.ceil(rows / down / TILE_ROWS) * TILE_ROWS;
  // A block of A that is turned first should be used by more columns.
  const fewest = stridesA[1] === 1 ? 64 : 128;
  const across = Math.min(Math.ceil(CHUNKS / (batch * down)), Math.ceil(columns / fewest));
  const blockColumns = Math.ceil(panels / across) * panel;
  const multiply: Call = {
    kernel: 'multiply',
    items: batch * Math.ceil(rows / blockRows) * Math.ceil(columns / blockColumns),
    grain: Math.ceil(2 ** 18 / (blockRows * blockColumns * inner)),
    integers: [a, packed, y, bias, rows, columns, inner, ...stridesA, ...ofB, blockRows, blockColumns, panel],
  };
  if (inPlace) return [multiply];
  const groups = Math.ceil(panels / GROUP);
  const pack: Call = {
    kernel: 'packColumns',
    items: batch * groups,
    grain: Math.ceil(8192 / (GROUP * panel * inner)),
    integers: [b, packed, inner, columns, ...stridesB, panels, panel],
  };
  return [pack, multiply];
};

export const matmul: Replacement = (site) => {
  const { definition, inputs: [a, b], output } = site;
  const [{ integers, output: grid }] = definition();
  const [inner, batchA, rowA, innerA, batchB, innerB, columnB] = integers!;
  const [columns, rows, batch] = grid;
  if (inner === 0) return undefined;
  const stridesA = [rowA, innerA, batchA];
  const stridesB = [innerB, columnB, batchB];
  return productCalls({ a, b, bias: 0, y: output, batch, rows, columns, inner, stridesA, stridesB }, site);
};

export const dense: Replacement = (site) => {
  const { specs: [x, w], inputs: [a, b, bias], output } = site;
  const [inner, columns] = w.shape;
  const { rows } = rowsOf(x.shape);
  if (inner === 0) return undefined;
  const stridesA = [inner, 1, 0];
  const stridesB = [columns, 1, 0];
  return productCalls({ a, b, bias, y: output, batch: 1, rows, columns, inner, stridesA, stridesB }, site);
};

export const denseSlope: Replacement = (site) => {
  const { specs, inputs: [x, dy], output } = site;
  const [[inner, rows], [, columns]] = specs.map(({ shape }) => shape);
  if (inner * rows * columns === 0) return undefined;
  const sizes = [rows * columns, columns];
  const [kernel, bias] = packedAt(output, sizes);
  const product = { a: x, b: dy, bias: 0, y: kernel, batch: 1, rows, columns, inner, stridesA: [1, rows, 0], stridesB: [columns, 1, 0] };
  return [
    ...gaps(output, sizes),
    ...productCalls(product, site),
    ...sumCalls(dy, bias, { outer: 1, along: inner, inner: columns }, site.scratch),
  ];
};
