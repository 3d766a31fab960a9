/** Laws of trees: map keeps the form, leaves and paths run side by side, and everything else is carried along. */
import * as assert from 'uvu/assert';
import fc from 'fast-check';
import { test } from 'uvu';
import type { Tensor } from '../lib/index.ts';
import { leaves, map, mapPaths, paths, tensor } from '../lib/index.ts';

/** Random trees: records and lists, with tensors, numbers, strings and nulls at their ends. */
const tree = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    fc.nat(9).map((n) => tensor([n])),
    fc.oneof(fc.nat(), fc.string(), fc.constant(null), fc.boolean()),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), tie('node'), { maxKeys: 3 }),
    fc.array(tie('node'), { maxLength: 3 }),
  ),
})).node;

const follow = (node: unknown, path: string): unknown =>
  path === '' ? node : path.split('.').reduce((at, key) => (at as Record<string, unknown>)[key], node);

test('every leaf lies at its path', () => {
  fc.assert(
    fc.property(tree, (t) => {
      const found = leaves(t);
      const where = paths(t);
      assert.is(found.length, where.length);
      found.forEach((x, i) => assert.is(follow(t, where[i]), x));
    }),
  );
});

test('map of the identity is the same tree, and map composes', () => {
  const [a, b] = [tensor([1]), tensor([2])];
  const f = (x: Tensor) => (x === a ? b : a);
  fc.assert(
    fc.property(tree, (t) => {
      assert.equal(paths(map((x) => x, t)), paths(t));
      assert.equal(leaves(map((x) => x, t)), leaves(t));
      const twice = leaves(map((x) => f(f(x)), t));
      const inTurn = leaves(map(f, map(f, t)));
      twice.forEach((x, i) => assert.is(x, inTurn[i]));
    }),
  );
});

test('mapPaths tells the path of every tensor, in the order of paths', () => {
  fc.assert(
    fc.property(tree, (t) => {
      const seen: string[] = [];
      mapPaths((path, x) => (seen.push(path), x), t);
      assert.equal(seen, paths(t));
    }),
  );
});

test('several trees are mapped side by side', () => {
  const [a, b, c, d] = [1, 2, 3, 4].map((n) => tensor([n]));
  const pairs: [Tensor, Tensor][] = [];
  map((x, y) => (pairs.push([x, y]), x), { p: a, q: [b, 'note'] }, { p: c, q: [d, 'other'], more: a });
  assert.is(pairs.length, 2);
  assert.is(pairs[0][1], c);
  assert.is(pairs[1][1], d);
});

test('what is no tensor is carried along, and the tree that was given is left alone', () => {
  const x = tensor([1]);
  const config = new Map([['a', 1]]);
  const given = { x, rate: 0.5, name: 'w', config, list: [x, 3] };
  const came = map(() => 'new', given) as unknown as Record<string, unknown>;
  assert.equal(came, { x: 'new', rate: 0.5, name: 'w', config, list: ['new', 3] });
  assert.is(given.x, x);
  assert.is(came.config, config);
});

test('a tree that lacks a tensor is named, with the place', () => {
  const x = tensor([1]);
  assert.throws(() => map((a) => a, { a: { b: x } }, { a: {} }), /map: tree 2 has no tensor at 'a.b'/);
});

test.run();
