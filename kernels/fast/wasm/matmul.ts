/** Which kernel calls make a matrix product: first B in panels of 8 columns, then blocks of the result. */
import { rowsOf } from '../../../lib/shape.ts';
import type { Call, Replacement, Site } from './call.ts';

/** Rows of the result that a block of A covers: a multiple of the tile's 6, few enough that the block stays in the cache. */
const BLOCK_ROWS = 96;
/** Chunks that a product should have, so that threads share it evenly. */
const CHUNKS = 16;
const PANEL = 8;

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
  const packed = scratch(batch * panels * PANEL * inner);
  const blockRows = Math.min(BLOCK_ROWS, Math.ceil(rows / 6) * 6);
  const down = Math.ceil(rows / blockRows);
  const across = Math.min(Math.ceil(CHUNKS / (batch * down)), Math.ceil(panels / 8));
  const blockColumns = Math.ceil(panels / across) * PANEL;
  return [
    {
      kernel: 'packColumns',
      items: batch * panels,
      grain: Math.ceil(4096 / (PANEL * inner)),
      integers: [b, packed, inner, columns, ...stridesB, panels],
    },
    {
      kernel: 'multiply',
      items: batch * down * Math.ceil(columns / blockColumns),
      grain: Math.ceil(2 ** 18 / (blockRows * blockColumns * inner)),
      integers: [a, packed, y, bias, rows, columns, inner, ...stridesA, blockRows, blockColumns],
    },
  ];
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
