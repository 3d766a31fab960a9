/** Laws of the correlation coefficients: what each ignores, what each is at its ends, and values by hand. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pearson, ranks, spearman } from '../../lib/metrics/correlation.ts';
import { near } from './near.ts';

const test = suite('correlation');

const varies = (x: number[]) => x.some((value) => value !== x[0]);
/** Two columns, with ties, of which neither is constant. */
const columns = fc
  .array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), { minLength: 2, maxLength: 30 })
  .map((pairs) => [pairs.map(([x]) => x), pairs.map(([, y]) => y)] as const)
  .filter(([x, y]) => varies(x) && varies(y));

test('by hand: ranks 1 2 3.5 5 3.5 beside 1 … 5 correlate by 8 / √95 (as scipy.stats.spearmanr documents: 0.8207826816681233)', () => {
  assert.equal(ranks([5, 6, 7, 8, 7]), [1, 2, 3.5, 5, 3.5]);
  near(spearman([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]), 0.8207826816681233);
  near(pearson([1, 2, 3], [1, 3, 2]), 0.5);
});

test('Pearson ignores shift and scale, and turns its sign with a column', () => {
  fc.assert(
    fc.property(columns, fc.integer({ min: 1, max: 9 }), fc.integer(), ([x, y], scale, shift) => {
      const moved = x.map((value) => value * scale + (shift % 100));
      near(pearson(moved, y), pearson(x, y), 1e-9);
      near(
        pearson(
          x.map((value) => -value),
          y,
        ),
        -pearson(x, y),
      );
      near(pearson(moved, x), 1);
      near(pearson(x, y), pearson(y, x));
    }),
  );
});

test('Spearman ignores every rising map, and is ±1 for one', () => {
  fc.assert(
    fc.property(columns, ([x, y]) => {
      const rising = x.map((value) => Math.exp(value / 3));
      near(
        spearman(
          rising,
          y.map((value) => value ** 3),
        ),
        spearman(x, y),
      );
      near(spearman(rising, x), 1);
      near(
        spearman(
          rising.map((value) => -value),
          x,
        ),
        -1,
      );
    }),
  );
});

test('without ties Spearman is 1 − 6 Σ d² / (n³ − n)', () => {
  const places = fc.uniqueArray(fc.integer({ min: -999, max: 999 }), { minLength: 2, maxLength: 20 });
  fc.assert(
    fc.property(places, (y) => {
      const d = ranks(y).map((rank, i) => rank - (i + 1));
      const n = y.length;
      near(
        spearman(
          y.map((_, i) => i),
          y,
        ),
        1 - (6 * d.reduce((total, x) => total + x * x, 0)) / (n ** 3 - n),
      );
    }),
  );
});

test('ranks add up to n(n + 1)/2, whatever is tied', () => {
  fc.assert(
    fc.property(columns, ([x]) =>
      near(
        ranks(x).reduce((a, b) => a + b),
        (x.length * (x.length + 1)) / 2,
      ),
    ),
  );
});

test('a constant or a NaN has no correlation, and lengths must agree', () => {
  for (const metric of [pearson, spearman]) {
    assert.ok(Number.isNaN(metric([0.1, 0.1, 0.1], [1, 2, 3])));
    assert.ok(Number.isNaN(metric([1, NaN, 2], [1, 2, 3])));
    assert.throws(() => metric([1], [1, 2]), /each of 2; got 1/);
  }
});

test.run();
