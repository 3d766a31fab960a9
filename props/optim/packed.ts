/** Laws of packed trees: an optimiser that works on all leaves at once does to each what it would do to it alone. */
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import type { Tensor, Transform } from '../../lib/index.ts';
import {
  add,
  addDecayedWeights,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  donating,
  leaves,
  live,
  map,
  mapPaths,
  mul,
  neg,
  scaleByAdam,
  scaleByPath,
  scaleBySchedule,
  stateless,
  tensor,
  warmupLinearDecay,
} from '../../lib/index.ts';
import { mapPacked } from '../../lib/optim/packed.ts';
import { forSizes, onEveryDevice, read, same } from '../laws/everywhere.ts';

const everywhere = onEveryDevice(test);

type Draw = (...shape: number[]) => Tensor;

/** A tree with a scalar, an empty leaf, a tensor that comes twice, leaves of less and of more than a block, and a text. */
const treeOf = (m: number, n: number, real: Draw) => {
  const shared = real(m, n);
  return { kernel: real(23 * m, n), list: [real(), { shared }, real(0, n)], name: 'carried', other: { bias: shared, gain: real(n) } };
};

const everyLeaf = async (check: (which: number) => Promise<void>, tree: unknown) => {
  for (const which of leaves(tree).keys()) await check(which);
};

everywhere('a function of packed trees is that function leaf by leaf', async (device) => {
  await forSizes('m n', async ({ m, n }, real) => {
    const tree = treeOf(m, n, real);
    const other = map((x) => real(...x.shape), tree);
    const f = (x: Tensor, y: Tensor) => add(mul(x, y), x);
    const whole = () => mapPacked(f, tree, other);
    assert.is(whole().name, 'carried');
    await everyLeaf((i) => same(device, () => [leaves(whole())[i], leaves(map(f, tree, other))[i]], 0), tree);
  });
});

/** The chain of both of ELECTRA's optimisers but for clipping, in which the leaves meet. */
const optimiser = (biasCorrection: boolean): Transform =>
  chain(
    scaleByAdam({ biasCorrection }),
    addDecayedWeights(0.1),
    scaleBySchedule(warmupLinearDecay({ learningRate: 0.1, warmupSteps: 2, steps: 9 })),
    scaleByPath((path) => ({ kernel: 0, 'other.gain': 0.25 })[path] ?? 1),
  );

everywhere('two updates of a tree are those of each leaf alone: frozen, slowed, decayed or not', async (device) => {
  await forSizes('m n', async ({ m, n }, real) => {
    const tree = treeOf(m, n, real);
    const gradients = map((x) => real(...x.shape), tree);
    for (const biasCorrection of [false, true]) {
      const train = <T>(params: T, gradients: T): T => {
        const transform = optimiser(biasCorrection);
        const [first, state] = transform.update(gradients, transform.init(params), params);
        const moved = applyUpdates(params, first);
        return applyUpdates(moved, transform.update(gradients, state, moved)[0]);
      };
      /** The tree of one leaf alone, at its path. */
      const alone = <T>(tree: T, which: number): T => {
        let count = 0;
        return mapPaths((_, x) => (count++ === which ? x : undefined), tree);
      };
      const one = (which: number) => train(alone(tree, which), alone(gradients, which));
      await everyLeaf((i) => same(device, () => [leaves(train(tree, gradients))[i], leaves(one(i))[0]], 0), tree);
    }
  });
});

everywhere('trees meet by their paths, whatever the order of their keys', async (device) => {
  const [a, b] = [tensor([1, 2]), tensor([3])];
  const y = () => mapPacked(add, { a, b }, { b: mul(b, 10), a: mul(a, 10) });
  assert.equal(await read(device, () => y().a), [11, 22]);
  assert.equal(await read(device, () => y().b), [33]);
});

everywhere('where there is no gradient Adam stays, even with ε = 0, and what lies between the leaves with it', async (device) => {
  const adam = scaleByAdam({ epsilon: 0 });
  const g = { a: tensor([0, 2]), b: tensor([0]) };
  const whole = () => leaves(adam.update(g, adam.init(g), g)[0])[0].buffer.part!.whole;
  const directions = () => leaves(adam.update(g, adam.init(g), g)[0]);
  assert.is((await read(device, () => directions()[0]))[0], 0);
  assert.equal(await read(device, () => directions()[1]), [0]);
  const numbers = await whole().queue.read(whole());
  assert.equal([...numbers].filter((x) => x !== 0).length, 1);
});

everywhere('a thousand updates keep the number of live buffers constant: one for each tree', async (device) => {
  const transform = chain(clipByGlobalNorm(1), optimiser(false));
  const step = donating((state: { params: Record<string, Tensor>; moments: unknown }) => {
    const gradients = map((p) => mul(p, 2), state.params);
    const [updates, moments] = transform.update(gradients, state.moments, state.params);
    return { params: applyUpdates(state.params, updates), moments };
  });
  const params = { a: tensor([1, -2, 3]), kernel: tensor([4, 5], [2, 1]), c: tensor([7], []) };
  const before = live() - 3;
  let state = { params, moments: transform.init(params) } as Parameters<typeof step>[0];
  const counts = new Set<number>();
  const steps = device === 'gpu' || device === 'cpu' ? 30 : 1000;
  for (let i = 0; i < steps; i++) {
    state = step(state);
    // Parameters, two moments, and the numbers of steps that Adam and the schedule count.
    counts.add(live() - before);
    if (i % 50 === 49) assert.ok(Number.isFinite((await state.params.a.data())[0]));
  }
  assert.equal([...counts], [5]);
});

everywhere('a chain holds one update at a time, and what a transformation hands on it keeps', async (device) => {
  const params = { a: tensor([1, 2]), b: tensor([3]) };
  const counts = new Set<number>();
  const watch = stateless((updates) => {
    counts.add(live());
    return updates;
  });
  const double = stateless((updates) => mapPacked((u) => mul(u, 2), updates));
  const many = chain(watch, double, watch, watch, double, watch, double, watch);
  const before = live();
  assert.equal(await read(device, () => many.update(params, many.init(params), params)[0].a), [8, 16]);
  assert.equal([...counts].map((count) => count - before), [0, 1]);
  assert.equal(await read(device, () => params.a), [1, 2]);
});

everywhere('an update that its transformation remembers, as momentum does, outlives the rest of the chain', async (device) => {
  const momentum: Transform = {
    init: (params) => map((p) => mul(p, 0), params),
    update(gradients, state) {
      const moved = mapPacked((m, g) => add(mul(m, 0.5), g), state as typeof gradients, gradients);
      return [moved, moved];
    },
  };
  const transform = chain(momentum, stateless((updates) => mapPacked((u) => mul(u, -1), updates)));
  const g = { a: tensor([2, 4]) };
  const second = () => transform.update(g, transform.update(g, transform.init(g), g)[1], g)[0].a;
  assert.equal(await read(device, second), [-3, -6]);
});

test('trees that differ in a shape or a place are refused, and a tree without tensors is itself', () => {
  const tree = { a: { b: tensor([1, 2]) } };
  assert.throws(() => mapPacked(add, tree, { a: { b: tensor([1]) } }), /have \[2\] and \[1\] at 'a\.b'/);
  assert.throws(() => mapPacked(add, tree, { a: {} }), /no tensor at 'a\.b'/);
  const empty = { name: 'nothing' };
  assert.equal(mapPacked(neg, empty), empty);
});

test.run();
