import { test } from 'uvu';
import * as assert from 'uvu/assert';
import fc from 'fast-check';
import { threefry2x32 } from '../../kernels/threefry.ts';
import { derive, permutation, shuffled, uniformAt, type HostKey } from '../../lib/text/order.ts';

const word = fc.nat({ max: 0xffffffff });
const key = fc.tuple(word, word) as fc.Arbitrary<HostKey>;

test('threefry gives the published words of Random123', () => {
  const ones = 0xffffffff;
  assert.equal(threefry2x32(0, 0, 0, 0), [0x6b200159, 0x99ba4efe]);
  assert.equal(threefry2x32(ones, ones, ones, ones), [0x1cb996fc, 0xbb002be7]);
  assert.equal(threefry2x32(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3), [0xc4923a9c, 0x483df7a0]);
});

test('a shuffle holds every number once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), key, (n, key) => {
      const sorted = permutation(n, key).sort((a, b) => a - b);
      assert.equal(
        sorted,
        Array.from({ length: n }, (_, i) => i),
      );
    }),
  );
});

test('over many keys, every number is equally often at every place', () => {
  const [n, trials] = [5, 4000];
  const seen = Array.from({ length: n * n }, () => 0);
  for (let trial = 0; trial < trials; trial++) {
    permutation(n, derive([1, 2], trial)).forEach((to, from) => seen[from * n + to]++);
  }
  const expected = trials / n;
  const chiSquare = seen.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  assert.ok(chiSquare < 45, `chi-square ${chiSquare} with 16 degrees of freedom`); // p = 0.0001
});

test('uniform numbers lie in [0, 1) around one half, and a derived key has others', () => {
  fc.assert(
    fc.property(key, (key) => {
      const draw = (key: HostKey): number[] => Array.from({ length: 1000 }, (_, i) => uniformAt(key, i));
      const numbers = draw(key);
      assert.ok(numbers.every((x) => x >= 0 && x < 1));
      assert.ok(Math.abs(numbers.reduce((sum, x) => sum + x, 0) / 1000 - 0.5) < 0.06);
      assert.not.equal(numbers, draw(derive(key, 0)));
      assert.not.equal(derive(key, 0), derive(key, 1));
    }),
    { numRuns: 20 },
  );
});

test('a place outside the shuffle is an error', () => {
  assert.throws(() => shuffled(3, 3, [0, 0]), /expected 0 <= i < n/);
  assert.throws(() => shuffled(0, 0, [0, 0]), /expected 0 <= i < n/);
});

test.run();
