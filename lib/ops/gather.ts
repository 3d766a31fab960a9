/**
 * Looking up rows of a table by ids, y[i] = table[ids[i]], and adding rows into a table, y[r] = Σ x[i] over the i with
 * ids[i] = r: the embedding and its gradient. Both are products with a matrix of ones and zeros (row i of it is 1 at column
 * ids[i]): gather multiplies by it, scatter-add by its transpose, so each is the other's vjp. An id outside the table is a
 * row of zeros: it looks up zeros and adds nothing.
 */
import * as kernels from '../../kernels/gather.ts';
import { operation, requireIds } from '../op.ts';
import { rowsOf, sameShape, show, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { tensor } from '../tensor.ts';
import { add, full, less, where } from './arith.ts';
import { reshape } from './axes.ts';

const gatherOp = operation({
  name: 'gather',
  about: 'y[i, c] = table[ids[i], c]',
  domain: { inputs: [{ dims: 'v e' }, { dims: 'b t', below: 'v', from: -1 }] },
  shape([table, ids]) {
    requireIds('gather', ids);
    if (table.shape.length !== 2) throw new Error(`gather: expected a table [rows, columns], got ${show(table.shape)}`);
    return { shape: [...ids.shape, table.shape[1]], dtype: table.dtype };
  },
  reference([table, ids], y, _, [{ shape }]) {
    const [rows, columns] = shape;
    ids.forEach((row, i) => {
      if (row < 0 || row >= rows) return;
      for (let c = 0; c < columns; c++) y[i * columns + c] = table[row * columns + c];
    });
  },
  launches(_, [table, ids]) {
    const [rows, columns] = table.shape;
    return [{ kernel: kernels.gather, arrays: [0, 1], integers: [rows, columns], output: [columns, sizeOf(ids.shape)] }];
  },
  vjp: (dy, { inputs: [table, ids] }) => [scatterAdd(ids, dy, table.shape[0]), null],
  keeps: [1],
});

/** y = table[ids]: table [v, e], ids of any shape […] → y […, e]. */
export const gather = (table: Tensor, ids: Tensor): Tensor => gatherOp({}, table, ids);

const scatterOp = operation<{ rows: number }>({
  name: 'scatterAdd',
  about: 'y[r, c] = Σ dy[i, c] over all i with ids[i] = r',
  domain: [4, 300].map((rows) => ({ inputs: [{ dims: 'n e' }, { dims: 'n', below: rows, from: -1 }], params: () => ({ rows }) })),
  shape([dy, ids], { rows }) {
    requireIds('scatterAdd', ids);
    if (!sameShape(dy.shape.slice(0, -1), ids.shape)) {
      throw new Error(`scatterAdd: expected one row for each id, got ids ${show(ids.shape)} and rows ${show(dy.shape)}`);
    }
    return { shape: [rows, dy.shape.at(-1)!], dtype: 'f32' };
  },
  reference([dy, ids], y, { rows }, [{ shape }]) {
    const { columns } = rowsOf(shape);
    ids.forEach((row, i) => {
      if (row < 0 || row >= rows) return;
      for (let c = 0; c < columns; c++) y[row * columns + c] += dy[i * columns + c];
    });
  },
  launches({ rows }, [dy, ids]) {
    const { columns } = rowsOf(dy.shape);
    const count = sizeOf(ids.shape);
    return [
      { kernel: kernels.firstPlace, arrays: [1], integers: [count], output: [rows], into: 'first' },
      { kernel: kernels.nextPlace, arrays: [1], integers: [count], output: [Math.max(count, 1)], into: 'next' },
      { kernel: kernels.scatterAdd, arrays: [0, 'first', 'next'], integers: [count, columns], output: [columns, rows] },
    ];
  },
  vjp: (dy, { inputs: [, ids] }) => [gather(dy, ids), null],
  keeps: [1],
});

/** Adds the rows of `x` into a table of zeros at the rows that `ids` names; repeated ids add up. ids […], x […, e] → [rows, e]. */
export const scatterAdd = (ids: Tensor, x: Tensor, rows: number): Tensor => scatterOp({ rows }, x, ids);

const pickOp = operation({
  name: 'pick',
  about: 'y[i] = x[i, ids[i]]',
  domain: { inputs: [{ dims: 'b n v' }, { dims: 'b n', below: 'v', from: -1 }] },
  shape([x, ids]) {
    requireIds('pick', ids);
    if (!sameShape(x.shape.slice(0, -1), ids.shape)) {
      throw new Error(`pick: expected one id for each row of ${show(x.shape)}, got ids ${show(ids.shape)}`);
    }
    return { shape: ids.shape, dtype: x.dtype };
  },
  reference([x, ids], y, _, [{ shape }]) {
    const { columns } = rowsOf(shape);
    ids.forEach((column, i) => (y[i] = column >= 0 && column < columns ? x[i * columns + column] : 0));
  },
  launches: (_, [x, ids]) => [
    { kernel: kernels.pick, arrays: [0, 1], integers: [rowsOf(x.shape).columns], output: [sizeOf(ids.shape)] },
  ],
  vjp: (dy, { inputs: [x, ids] }) => [unpick({ columns: x.shape.at(-1)! }, dy, ids), null],
  keeps: [1],
});

/** One element of each row: x […, v], ids […] → […]. */
export const pick = (x: Tensor, ids: Tensor): Tensor => pickOp({}, x, ids);

const unpick: (params: { columns: number }, x: Tensor, ids: Tensor) => Tensor = operation<{ columns: number }>({
  name: 'unpick',
  about: 'y[i, c] = x[i] where c = ids[i], else 0',
  domain: { inputs: [{ dims: 'b n' }, { dims: 'b n', below: 3, from: -1 }], params: () => ({ columns: 3 }) },
  shape: ([x], { columns }) => ({ shape: [...x.shape, columns], dtype: x.dtype }),
  reference([x, ids], y, { columns }) {
    ids.forEach((column, i) => {
      if (column >= 0 && column < columns) y[i * columns + column] = x[i];
    });
  },
  launches: ({ columns }, [x]) => [{ kernel: kernels.unpick, arrays: [0, 1], output: [columns, sizeOf(x.shape)] }],
  vjp: (dy, { inputs: [, ids] }) => [pick(dy, ids), null],
  keeps: [1],
});

/** Rows of zeros with a one at each id: ids […] → […, columns]; an id outside is a row of zeros. */
export const oneHot = (ids: Tensor, columns: number): Tensor => unpick({ columns }, full(ids.shape, 1), ids);

/** The vectors at some positions of each sequence: x [b, t, c], at [b, n] → [b, n, c]; a position of −1 gives zeros. */
export const gatherPositions = (x: Tensor, at: Tensor): Tensor => {
  const [b, t, c] = x.shape;
  const starts = tensor(Array.from({ length: b }, (_, i) => i * t), [b, 1], 'i32');
  return gather(reshape(x, [b * t, c]), where(less(at, 0), -1, add(at, starts)));
};
