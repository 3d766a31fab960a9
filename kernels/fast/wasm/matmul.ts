/** Which kernel calls make a matrix product: first B in panels of 8 columns, then blocks of the result. */
import { rowsOf, sizeOf } from '../../../lib/shape.ts';
import type { Call, Site } from './call.ts';

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
  /** Strides in elements: of A along rows, k, batch; of B along k, columns, batch. */
  readonly stridesA: readonly number[];
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

interface Transposed {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

export const matmul = ({ params: { transposeA, transposeB }, specs, inputs: [a, b], output, scratch }: Site<Transposed>): Call[] | undefined => {
  const [p, q] = specs[0].shape.slice(-2);
  const [r, s] = specs[1].shape.slice(-2);
  const [rows, inner] = transposeA ? [q, p] : [p, q];
  const columns = transposeB ? r : s;
  if (inner === 0) return undefined;
  return productCalls(
    {
      a, b, bias: 0, y: output, rows, columns, inner,
      batch: sizeOf(specs[0].shape.slice(0, -2)),
      stridesA: [...(transposeA ? [1, rows] : [inner, 1]), rows * inner],
      stridesB: [...(transposeB ? [1, inner] : [columns, 1]), inner * columns],
    },
    scratch,
  );
};

export const dense = ({ specs: [x, w], inputs: [a, b, bias], output, scratch }: Site): Call[] | undefined => {
  const [inner, columns] = w.shape;
  const { rows } = rowsOf(x.shape);
  if (inner === 0) return undefined;
  return productCalls(
    { a, b, bias, y: output, batch: 1, rows, columns, inner, stridesA: [inner, 1, 0], stridesB: [columns, 1, 0] },
    scratch,
  );
};
