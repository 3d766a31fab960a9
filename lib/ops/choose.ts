/**
 * Choosing positions of a row, and writing to chosen positions: `topIndices` sorts, y[j] = the column of the (j+1)-th largest;
 * `put` writes, y[at[j]] = values[j]. A choice has no slope, so neither has a gradient: here ELECTRA's gradient ends.
 */
import * as kernels from '../../kernels/choose.ts';
import { operation, requireIds } from '../op.ts';
import { rowsOf, sameShape, show } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

const topOp = operation<{ count: number }>({
  name: 'topIndices',
  about: 'y[r, j] = the column of the (j+1)-th largest element of row r',
  domain: { inputs: [{ dims: 'm n' }], params: ({ n }, pick) => ({ count: 1 + pick(n) }) },
  shape([x], { count }) {
    const { columns } = rowsOf(x.shape);
    if (count > columns) throw new Error(`topIndices: asked for the ${count} largest of rows of ${columns}; ask for at most ${columns}`);
    return { shape: [...x.shape.slice(0, -1), count], dtype: 'i32' };
  },
  reference([x], y, { count }, [{ shape }]) {
    const { rows, columns } = rowsOf(shape);
    for (let r = 0; r < rows; r++) {
      const row = x.subarray(r * columns, (r + 1) * columns);
      const order = [...row.keys()].sort((a, b) => row[b] - row[a] || a - b);
      for (let j = 0; j < count; j++) y[r * count + j] = order[j];
    }
  },
  launches({ count }, [x]) {
    const { rows, columns } = rowsOf(x.shape);
    return [{ kernel: kernels.topIndices, arrays: [0], integers: [columns], output: [count, rows] }];
  },
});

/** The columns of the `count` largest elements of each row, largest first; ties in order: x […, c] → i32 […, count]. */
export const topIndices = (x: Tensor, count: number): Tensor => topOp({ count }, x);

const putOp = operation({
  name: 'put',
  about: 'y[r, c] = values[r, j] where at[r, j] = c, else x[r, c]',
  domain: { inputs: [{ dims: 'm n' }, { dims: 'm j', below: 'n', from: -1 }, { dims: 'm j' }] },
  shape([x, at, values]) {
    requireIds('put', at);
    if (!sameShape(at.shape, values.shape) || !sameShape(at.shape.slice(0, -1), x.shape.slice(0, -1))) {
      throw new Error(`put: expected positions and values of one shape, with the rows of x ${show(x.shape)}; got ${show(at.shape)} and ${show(values.shape)}`);
    }
    return { shape: x.shape, dtype: x.dtype === values.dtype ? x.dtype : 'f32' };
  },
  reference([x, at, values], y, _, [{ shape }, positions]) {
    const { columns } = rowsOf(shape);
    const { columns: count } = rowsOf(positions.shape);
    y.set(x);
    at.forEach((column, i) => {
      if (column >= 0 && column < columns) y[Math.floor(i / count) * columns + column] = values[i];
    });
  },
  launches(_, [x, at]) {
    const { rows, columns } = rowsOf(x.shape);
    const { columns: count } = rowsOf(at.shape);
    return [{ kernel: kernels.put, arrays: [0, 1, 2], integers: [columns, count], output: [columns, rows] }];
  },
});

/** x with values written at some positions of each row; a position of −1 writes nothing. x [b, t], at and values [b, n]. */
export const put = (x: Tensor, at: Tensor, values: Tensor): Tensor => putOp({}, x, at, values);
