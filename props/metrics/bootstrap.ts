/** Laws of the bootstrap: its intervals follow from the key, move with the metric, and are as wide as theory says. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bootstrap } from '../../lib/metrics/bootstrap.ts';
import { accuracy } from '../../lib/metrics/classification.ts';
import type { HostKey } from '../../lib/text/order.ts';
import { derive, uniformAt } from '../../lib/text/order.ts';
import { near } from './near.ts';

const test = suite('bootstrap');

const keys = fc.tuple(fc.nat(), fc.nat());
const column = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 20 });
const mean = (x: number[]) => x.reduce((a, b) => a + b) / x.length;
const few = { samples: 40 };

test('the interval follows from the key alone, lies within the data, and moves and stretches with the metric', () => {
  fc.assert(
    fc.property(keys, column, fc.integer({ min: 1, max: 9 }), (key, x, scale) => {
      const { value, low, high } = bootstrap(key, [x], mean, few);
      assert.is(value, mean(x));
      assert.ok(Math.min(...x) <= low && low <= high && high <= Math.max(...x));
      assert.equal(bootstrap(key, [x], mean, few), { value, low, high });
      const moved = bootstrap(key, [x], (x) => 3 - scale * mean(x), few);
      near(moved.low, 3 - scale * high, 1e-9);
      near(moved.high, 3 - scale * low, 1e-9);
    }),
    { numRuns: 30 },
  );
});

test('rows stay together, and each sample has as many', () => {
  fc.assert(
    fc.property(keys, column, (key, x) => {
      const rows = x.map((value, i) => [value, i]);
      const same = (a: number[], b: number[][]) =>
        Number(a.length === x.length && a.every((value, i) => value === b[i][0]));
      assert.equal(bootstrap(key, [x, rows] as [number[], number[][]], same, few), { value: 1, low: 1, high: 1 });
    }),
    { numRuns: 30 },
  );
});

test('a wider level contains a narrower one', () => {
  fc.assert(
    fc.property(keys, column, (key, x) => {
      const [wide, narrow] = [0.95, 0.5].map((level) => bootstrap(key, [x], mean, { ...few, level }));
      assert.ok(wide.low <= narrow.low && narrow.high <= wide.high);
    }),
    { numRuns: 30 },
  );
});

test('95 % of the intervals contain the true mean, and they are ± 1.96 standard errors wide', () => {
  // Accuracy of 200 decisions that are right with probability 0.7: 300 draws of them, each with its interval.
  const root: HostKey = [7, 1];
  const ones = Array<number>(200).fill(1);
  const found = Array.from({ length: 300 }, (_, draw) => {
    const key = derive(root, draw);
    return bootstrap(derive(key, 1), [ones.map((_, i) => Number(uniformAt(key, i) < 0.7)), ones], accuracy, {
      samples: 200,
    });
  });
  const covered = found.filter(({ low, high }) => low <= 0.7 && 0.7 <= high).length / found.length;
  assert.ok(covered > 0.9 && covered < 0.98, `${covered}`);
  near(mean(found.map(({ low, high }) => high - low)), 2 * 1.96 * Math.sqrt((0.7 * 0.3) / 200), 0.01);
});

test('samples without a value are left out; without any value there are no bounds', () => {
  const { low, high } = bootstrap([1, 2], [[0, 1]], ([a, b]: number[]) => (a === b ? NaN : 5));
  assert.equal([low, high], [5, 5]);
  assert.ok(Number.isNaN(bootstrap([1, 2], [[0, 1]], (_: number[]) => NaN).low));
});

test('no rows, and columns of different lengths, are refused', () => {
  assert.throws(() => bootstrap([0, 0], [[], []], accuracy), /one length above 0, got 0 and 0/);
  assert.throws(() => bootstrap([0, 0], [[1], [1, 2]], accuracy), /one length above 0, got 1 and 2/);
});

test.run();
