/** Laws of arenas: what a scope frees, what it hands on, what a donating step consumes, and what is said of a freed tensor. */
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import type { Tensor } from '../lib/index.ts';
import {
  add,
  donating,
  exp,
  grad,
  live,
  mul,
  reshape,
  scoped,
  sub,
  sum,
  tensor,
  valueAndGrad,
  vjp,
} from '../lib/index.ts';
import { onEveryDevice } from './laws/everywhere.ts';

const everywhere = onEveryDevice(test);

everywhere('scoped frees all but its result', async () => {
  const x = tensor([1, 2, 3]);
  const before = live();
  const { y, list } = scoped(() => {
    const a = exp(x);
    const b = mul(a, a);
    return { y: add(b, 1), list: [sub(b, 1), 'carried'] as const };
  });
  assert.is(live(), before + 2);
  assert.is((await y.data()).length, 3);
  assert.is(list[1], 'carried');
  y.free('after the test');
  list[0].free('after the test');
  assert.is(live(), before);
});

everywhere('what an inner scope returns belongs to the outer one', async () => {
  const before = live();
  const y = scoped(() => {
    const inner = scoped(() => [tensor([1]), tensor([2])]);
    return add(inner[0], inner[1]);
  });
  assert.is(live(), before + 1);
  assert.is(await y.item(), 3);
  y.free('after the test');
});

everywhere('a scope that fails frees all', async () => {
  const before = live();
  assert.throws(
    () =>
      scoped(() => {
        const x = tensor([1, 2]);
        return add(x, tensor([1, 2, 3]));
      }),
    /do not broadcast/,
  );
  assert.is(live(), before);
});

everywhere('views of one buffer keep it until the last of them goes', async () => {
  const before = live();
  const y = scoped(() => reshape(reshape(tensor([1, 2, 3, 4]), [2, 2]), [4, 1]));
  assert.is(live(), before + 1);
  assert.equal(Array.from(await y.data()), [1, 2, 3, 4]);
  y.free('after the test');
  assert.is(live(), before);
});

test('a scoped function that returns a promise is refused, with what to do instead', () => {
  assert.throws(
    () => scoped(async () => tensor([1])),
    /scoped: the function returned a promise.*read values \(data, item\) outside/,
  );
});

test('using a freed tensor says when it was freed', async () => {
  let inside: Tensor | undefined;
  scoped(() => {
    inside = tensor([1, 2]);
  });
  assert.throws(
    () => add(inside!, 1),
    /this tensor of shape \[2\] was freed at the end of scoped; return it from the scope/,
  );
  const rejected = await inside!.data().catch((error: Error) => error.message);
  assert.match(String(rejected), /was freed at the end of scoped/);
});

everywhere('a donating step frees what it was given, and at the next call what it returned besides', async () => {
  const step = donating((state: { x: Tensor; fixed: Tensor }, batch: Tensor) => {
    const x = add(state.x, batch);
    return [{ x, fixed: state.fixed }, { loss: sum(x) }] as const;
  });
  const first = { x: tensor([1, 2]), fixed: tensor([5]) };
  const [second, metrics] = step(first, tensor([1, 1]));
  assert.throws(() => first.x.buffer, /freed by the donating step that it was given to/);
  assert.is(second.fixed, first.fixed);
  assert.is(await metrics.loss.item(), 5);
  const [third] = step(second, tensor([1, 1]));
  assert.throws(() => metrics.loss.buffer, /freed at the next call of the donating step that returned it/);
  assert.equal(Array.from(await third.x.data()), [3, 4]);
});

everywhere('a thousand steps with gradients keep the number of live buffers constant', async (device) => {
  const step = donating((params: { w: Tensor; b: Tensor }, x: Tensor) => {
    const { grads, loss } = grad(({ w, b }: typeof params) => ({ loss: sum(exp(add(mul(w, x), b))) }))(params);
    return [{ w: sub(params.w, mul(grads.w, 0.01)), b: sub(params.b, mul(grads.b, 0.01)) }, loss] as const;
  });
  const steps = device === 'gpu' || device === 'cpu' ? 100 : 1000;
  let params = { w: tensor([0.1, -0.2]), b: tensor([0.3, 0]) };
  const counts = new Set<number>();
  for (let i = 0; i < steps; i++) {
    const [next, loss] = step(params, tensor([0.5, 0.25]));
    params = next;
    if (i > 0) counts.add(live());
    if (i % 50 === 49) assert.ok(Number.isFinite(await loss.item()));
  }
  assert.is(counts.size, 1, `live buffers: ${[...counts]}`);
});

everywhere('a scope inside a differentiated function keeps what the way back needs', async () => {
  const x = tensor([0.5, -1]);
  const before = live();
  const [y, d] = valueAndGrad((t: Tensor) => scoped(() => sum(scoped(() => mul(exp(t), exp(t))))))(x);
  assert.is(live(), before + 2);
  const [values, slopes] = [await x.data(), await d.data()];
  slopes.forEach((slope, i) => assert.ok(Math.abs(slope / (2 * Math.exp(2 * values[i])) - 1) < 1e-5));
  y.free('after the test');
  d.free('after the test');
  assert.is(live(), before);
});

everywhere('a gradient inside a scope leaves nothing, and a pullback serves until its scope ends', async () => {
  const x = tensor([2, 3]);
  const before = live();
  const d = scoped(() => {
    const [, pullback] = vjp((t: Tensor) => mul(t, t), x);
    pullback(tensor([1, 1]));
    return pullback(tensor([1, 10]));
  });
  assert.is(live(), before + 1);
  assert.equal(Array.from(await d.data()), [4, 60]);
});

everywhere('a function that fails while it is differentiated leaves nothing on tape', async () => {
  const x = tensor([2, 3]);
  const before = live();
  assert.throws(() => grad((t: Tensor) => sum(add(exp(t), tensor([1, 2, 3]))))(x), /do not broadcast/);
  assert.throws(() => scoped(() => grad((t: Tensor) => exp(t))(x)), /must return a scalar/);
  assert.is(live(), before);
});

test.run();
