/** Laws of shapes: broadcasting, named axes, and the errors that say what came. */
import * as assert from 'uvu/assert';
import fc from 'fast-check';
import { test } from 'uvu';
import { dims, zeros } from '../lib/index.ts';
import { around, axisOf, broadcastShapes, rowsOf, sizeOf, stridesOf } from '../lib/shape.ts';

const shape = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 5 });

/** A shape, and one that broadcasts to it: some leading axes away, some axes 1. */
const broadcastable = shape.chain((full) =>
  fc
    .tuple(fc.nat(full.length), fc.array(fc.boolean(), { minLength: full.length, maxLength: full.length }))
    .map(([from, ones]) => ({ full, small: full.map((n, i) => (ones[i] ? 1 : n)).slice(from) })),
);

test('broadcasting is symmetric, idempotent, and the larger shape absorbs the smaller', () => {
  fc.assert(
    fc.property(broadcastable, ({ full, small }) => {
      assert.equal(broadcastShapes(full, small, 'f'), full);
      assert.equal(broadcastShapes(small, full, 'f'), full);
      assert.equal(broadcastShapes(full, full, 'f'), full);
      assert.equal(broadcastShapes(full, [], 'f'), full);
    }),
  );
});

test('an empty axis meets 1 and stays empty', () => {
  assert.equal(broadcastShapes([2, 0], [1], 'f'), [2, 0]);
  assert.equal(broadcastShapes([0, 3], [2, 0, 3], 'f'), [2, 0, 3]);
});

test('strides step from element to element, and around an axis lies the whole', () => {
  fc.assert(
    fc.property(shape, (sizes) => {
      const strides = stridesOf(sizes);
      assert.is(
        sizes.reduce((last, n, i) => last + (n - 1) * strides[i], 0),
        sizeOf(sizes) - 1,
      );
      sizes.forEach((_, axis) => {
        const { outer, along, inner } = around(sizes, axis);
        assert.is(outer * along * inner, sizeOf(sizes));
        assert.is(inner, strides[axis]);
      });
      const { rows, columns } = rowsOf(sizes);
      assert.is(rows * columns, sizeOf(sizes));
    }),
  );
});

test('dims names the axes, checks numbers, and wants one size for one name', () => {
  assert.equal(dims(zeros([2, 3, 4]), 'b t c'), { b: 2, t: 3, c: 4 });
  assert.is(dims(zeros([2, 3, 1]), 'b t 1').t, 3);
  assert.equal(dims(zeros([5, 5]), 'n n'), { n: 5 });
  assert.equal(dims(zeros([]), ''), {});
  assert.throws(() => dims(zeros([2, 3]), 'b t c'), /expected the 3 axes 'b t c', got a tensor of shape \[2 3\]/);
  assert.throws(() => dims(zeros([2, 3]), 'n n'), /axis 1 of \[2 3\] is 3, but 'n n' makes 'n' 2/);
  assert.throws(() => dims(zeros([2, 3]), 'b 1'), /axis 1 of \[2 3\] is 3/);
});

test('axes count from both ends, and there are no others', () => {
  assert.is(axisOf(-1, [2, 3], 'f'), 1);
  assert.is(axisOf(0, [2, 3], 'f'), 0);
  for (const axis of [2, -3, 0.5]) assert.throws(() => axisOf(axis, [2, 3], 'f'), /f: there is no axis .* in \[2 3\]/);
});

test('what does not broadcast says which axis, with both sizes', () => {
  assert.throws(
    () => broadcastShapes([2, 3], [4, 3], 'add'),
    /add: \[2 3\] and \[4 3\] do not broadcast: axis 0 is 2 in one and 4 in the other/,
  );
});

test.run();
