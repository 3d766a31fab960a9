/**
 * Rows in runs: the first counts[0] rows of a matrix are one run, the next counts[1] another, and so on, and what a number
 * of its own belongs to is a run. `scaleRuns` multiplies every row by the number of its run; `dotRuns` adds up products
 * over each run. They are each other's vjp, for Σ scaleRuns(x, f) · y = Σₖ fₖ · dotRuns(x, y)ₖ.
 */
import * as kernels from '../../kernels/runs.ts';
import { rowDot } from '../../kernels/softmax.ts';
import type { Values } from '../../kernels/device/device.ts';
import { operation, requireIds } from '../op.ts';
import type { Spec } from '../shape.ts';
import { rowsOf, sameShape, show } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Calls `visit(element, run)` for the elements of a matrix whose rows lie in a run. */
const walkRuns = ({ shape }: Spec, counts: Values, visit: (i: number, run: number) => void): void => {
  const { rows, columns } = rowsOf(shape);
  let row = 0;
  counts.forEach((count, run) => {
    for (let left = count; left > 0 && row < rows; left--, row++) {
      for (let c = 0; c < columns; c++) visit(row * columns + c, run);
    }
  });
};

const scaleRunsOp: (params: Record<never, never>, ...inputs: Tensor[]) => Tensor = operation({
  name: 'scaleRuns',
  about: 'y[r, c] = factors[k] · x[r, c] for the rows r of run k, 0 behind the last run',
  domain: { inputs: [{ dims: 'm n' }, { dims: 'l', from: 1, below: 4 }, { dims: 'l' }] },
  shape([x, counts, factors]) {
    requireIds('scaleRuns', counts);
    if (x.shape.length !== 2 || counts.shape.length !== 1 || !sameShape(factors.shape, counts.shape)) {
      throw new Error(`scaleRuns: expected rows [m, n], counts [l] and factors [l], got ${[x, counts, factors].map((s) => show(s.shape)).join(', ')}`);
    }
    return { shape: x.shape, dtype: 'f32' };
  },
  reference: ([x, counts, factors], y, _, [spec]) => walkRuns(spec, counts, (i, run) => (y[i] = factors[run] * x[i])),
  launches(_, [x, counts]) {
    const [rows, columns] = x.shape;
    return [
      { kernel: kernels.factorOfRow, arrays: [1, 2], integers: [counts.shape[0]], output: [rows], into: 'factors' },
      { kernel: kernels.timesRow, arrays: [0, 'factors'], integers: [columns], output: [columns, rows] },
    ];
  },
  vjp: (dy, { inputs: [x, counts, factors] }) => [scaleRuns(dy, counts, factors), null, dotRunsOp({}, dy, x, counts)],
  keeps: [0, 1, 2],
});

/** The rows of x [m, n], each times the factor of its run: counts [l] of dtype i32 and factors [l]. */
export const scaleRuns = (x: Tensor, counts: Tensor, factors: Tensor): Tensor => scaleRunsOp({}, x, counts, factors);

const dotRunsOp = operation({
  name: 'dotRuns',
  about: 'y[k] = Σ a[r, c] · b[r, c] over the rows r of run k',
  domain: { inputs: [{ dims: 'm n' }, { dims: 'm n' }, { dims: 'l', from: 1, below: 4 }] },
  shape([a, b, counts]) {
    requireIds('dotRuns', counts);
    if (a.shape.length !== 2 || !sameShape(a.shape, b.shape) || counts.shape.length !== 1) {
      throw new Error(`dotRuns: expected rows [m, n] twice and counts [l], got ${[a, b, counts].map((s) => show(s.shape)).join(', ')}`);
    }
    return { shape: counts.shape, dtype: 'f32' };
  },
  reference: ([a, b, counts], y, _, [spec]) => walkRuns(spec, counts, (i, run) => (y[run] += a[i] * b[i])),
  launches(_, [a, __, counts]) {
    const [rows, columns] = a.shape;
    return [
      { kernel: rowDot, arrays: [0, 1], integers: [columns], output: [rows], into: 'dots' },
      { kernel: kernels.sumRun, arrays: ['dots', 2], integers: [rows], output: [counts.shape[0]] },
    ];
  },
  vjp: (dy, { inputs: [a, b, counts] }) => [scaleRuns(b, counts, dy), scaleRuns(a, counts, dy), null],
  keeps: [0, 1, 2],
});
