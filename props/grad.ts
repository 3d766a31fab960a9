/** Laws of differentiation: sums over ways, gradients of gradients, and what no gradient crosses. */
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import type { Tensor } from '../lib/index.ts';
import {
  add,
  exp,
  gelu,
  grad,
  layerNorm,
  log,
  matmul,
  mul,
  neg,
  ones,
  reshape,
  softmax,
  square,
  stopGradient,
} from '../lib/index.ts';
import { sub, sum, tanh, tensor, transpose, valueAndGrad, vjp, zeros } from '../lib/index.ts';
import { evaluate } from './laws/close.ts';
import { onEveryDevice, forSizes, read, same } from './laws/everywhere.ts';

const everywhere = onEveryDevice(test);

type F = (x: Tensor) => Tensor;

/** The derivative of a function of numbers, taken element by element. */
const derivative = (f: F): F => grad((x: Tensor) => sum(f(x)));

everywhere('d(x³) = 3x², d²(x³) = 6x, d³(x³) = 6, d⁴(x³) = 0', (device) =>
  forSizes('m', async ({ m }, real) => {
    const x = real(m);
    const cube = (t: Tensor) => mul(mul(t, t), t);
    const expected = [
      (t: Tensor) => mul(square(t), 3),
      (t: Tensor) => mul(t, 6),
      (t: Tensor) => add(mul(t, 0), 6),
      (t: Tensor) => mul(t, 0),
    ];
    let f: F = cube;
    for (const next of expected) {
      f = derivative(f);
      await same(device, () => [f(x), next(x)], 1e-4);
    }
  }),
);

everywhere('all derivatives of eˣ are eˣ, and tanh″ = −2 tanh · tanh′', (device) =>
  forSizes('m', async ({ m }, real) => {
    const x = real(m);
    await same(device, () => [derivative(derivative(derivative(exp)))(x), exp(x)], 1e-4);
    await same(device, () => [derivative(derivative(tanh))(x), mul(mul(tanh(x), derivative(tanh)(x)), -2)], 1e-4);
  }),
);

everywhere('a tensor used twice, or by several ways, gets the sum', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const x = real(m, n);
    await same(device, () => [derivative((t) => mul(t, t))(x), mul(x, 2)]);
    await same(device, () => [derivative((t) => add(add(t, t), exp(t)))(x), add(exp(x), 2)]);
    await same(device, () => [derivative((t) => sub(t, t))(x), zeros([m, n])], 0);
    await same(
      device,
      () => [derivative((t) => matmul(t, transpose(t)))(x), mul(sum(x, { axis: 0 }), mul(ones([m, n]), 2))],
      1e-4,
    );
  }),
);

everywhere('one value at two places of a tree gets each its own gradient', async (device) => {
  const x = tensor([1, 2]);
  const slopes = await evaluate(device, () => {
    const { a, b } = grad(({ a, b }: { a: Tensor; b: Tensor }) => sum(mul(a, mul(b, b))))({ a: x, b: x });
    return [a, b];
  });
  assert.equal(
    slopes.map(({ values }) => Array.from(values)),
    [
      [1, 4],
      [2, 8],
    ],
  );
});

everywhere('what a function does not use gets zeros', async (device) => {
  const tree = { used: tensor([1, 2]), unused: [tensor([3, 4, 5])], note: 'carried' };
  const slope = () => grad(({ used }: typeof tree) => sum(used))(tree);
  assert.is(slope().note, 'carried');
  assert.equal(await read(device, () => slope().unused[0]), [0, 0, 0]);
});

everywhere('the Hessian is symmetric: ⟨u, H·v⟩ = ⟨v, H·u⟩', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const [x, w, u, v] = [real(m, n + 1), real(m, n + 1), real(m, n + 1), real(m, n + 1)];
    const gain = ones([n + 1]);
    const functions: F[] = [
      (t) => mul(gelu(t), w),
      (t) => mul(softmax(t), w),
      (t) => mul(layerNorm(t, gain, gain, 0.1), exp(mul(t, 0.1))),
      (t) => matmul(mul(t, w), transpose(exp(mul(t, 0.3)))),
    ];
    for (const f of functions) {
      const along = (direction: Tensor) => derivative((t) => mul(derivative(f)(t), direction))(x);
      await same(device, () => [mul(sum(mul(u, along(v))), 0.01), mul(sum(mul(v, along(u))), 0.01)], 1e-4);
    }
  }),
);

everywhere('nothing crosses stopGradient', async (device) => {
  const x = tensor([2, 3]);
  assert.equal(await read(device, () => derivative((t) => mul(stopGradient(t), t))(x)), [2, 3]);
  assert.equal(await read(device, () => derivative((t) => stopGradient(exp(t)))(x)), [0, 0]);
  assert.equal(await read(device, () => derivative((t) => mul(t, stopGradient(mul(t, t))))(x)), [4, 9]);
});

everywhere(
  'an inner gradient sees outer variables as constants, an outer one sees both: no perturbation is confused',
  async (device) => {
    // d/dx (x · d/dy (x + y)) = 1 at any x; confusing the two would give 2.
    const x = tensor([3], []);
    const slope = () => grad((x: Tensor) => mul(x, grad((y: Tensor) => add(x, y))(tensor([1], []))))(x);
    assert.equal(await read(device, slope), [1]);
    // d/dx (x · d/dy (x · y²)) = d/dx (2 x² y) = 4 x y.
    const nested = () => grad((x: Tensor) => mul(x, grad((y: Tensor) => mul(x, mul(y, y)))(tensor([5], []))))(x);
    assert.equal(await read(device, nested), [60]);
    // The inner variable may be the outer one: d/dx (d/dy y³ at y = x) = 6x.
    const same = () => grad((x: Tensor) => grad((y: Tensor) => mul(y, mul(y, y)))(x))(x);
    assert.equal(await read(device, same), [18]);
  },
);

everywhere('the pullback of a composition is the pullbacks in turn, and may be used more than once', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const [x, u] = [real(m, n), real(m, n)];
    const [f, g]: F[] = [tanh, (t) => mul(t, exp(t))];
    await same(device, () => {
      const [y, backF] = vjp(f, x);
      const [, backG] = vjp(g, y);
      backF(backG(mul(u, 3)));
      const [, both] = vjp((t: Tensor) => g(f(t)), x);
      both(neg(u));
      return [both(u), backF(backG(u))];
    });
  }),
);

everywhere('a record rides along with its loss', async (device) => {
  const params = { w: tensor([1, 2]), b: tensor([0.5], []) };
  const f = ({ w, b }: typeof params) => {
    const y = add(square(w), b);
    return { loss: sum(y), y, count: 2 };
  };
  const { grads, loss, y, count } = grad(f)(params);
  const [record, again] = valueAndGrad(f)(params);
  assert.is(count, 2);
  assert.is(record.count, 2);
  const [l, values, w, b, w2] = await evaluate(device, () => [loss, y, grads.w, grads.b, again.w]);
  assert.equal([...Array.from(l.values), ...Array.from(values.values)], [6, 1.5, 4.5]);
  assert.equal([Array.from(w.values), Array.from(b.values), Array.from(w2.values)], [[2, 4], [2], [2, 4]]);
});

everywhere('functions without a gradient cut it, ids have none', async (device) => {
  const x = tensor([1, 4]);
  const slope = () => derivative((t) => mul(log(t), 1))(x);
  assert.equal(await read(device, slope), [1, 0.25]);
  assert.throws(
    () => grad((t: { ids: Tensor }) => sum(t.ids))({ ids: tensor([1], [1], 'i32') }),
    /grad: 'ids' is i32; only f32 tensors have gradients/,
  );
});

test('losses that are no scalar, and cotangents of another shape, are refused', () => {
  const x = tensor([1, 2]);
  assert.throws(
    () => grad((t: Tensor) => exp(t))(x),
    /grad: the function must return a scalar.*got Tensor\(f32 \[2\]\)/,
  );
  assert.throws(
    () => vjp((t: Tensor) => exp(t), x)[1](ones([3])),
    /pullback: expected a cotangent of shape \[2\], got \[3\]/,
  );
});

everywhere('a scalar may have any number of axes of size 1', async (device) => {
  const slope = () => grad((t: Tensor) => reshape(sum(t), [1, 1]))(tensor([1, 2]));
  assert.equal(await read(device, slope), [1, 1]);
});

test.run();
