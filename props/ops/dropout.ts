/** Laws of dropout. */
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import type { Tensor } from '../../lib/index.ts';
import {
  concat,
  differs,
  dropout,
  grad,
  key,
  less,
  mul,
  ones,
  reshape,
  rowKeys,
  slice,
  split,
  sum,
  uniform,
  zeros,
} from '../../lib/index.ts';
import { onEveryDevice, forSizes, read, same } from '../laws/everywhere.ts';

const everywhere = onEveryDevice(test);

everywhere('dropout keeps the mean, and zeroes as many as it says', async (device) => {
  const n = 20_000;
  for (const rate of [0.1, 0.5]) {
    const y = await read(device, () => dropout(key(11), ones([n]), rate));
    const zeroed = y.filter((v) => v === 0).length / n;
    const mean = y.reduce((a, b) => a + b, 0) / n;
    const deviation = Math.sqrt((rate * (1 - rate)) / n);
    assert.ok(Math.abs(zeroed - rate) < 5 * deviation, `${zeroed} of all are zero at rate ${rate}`);
    assert.ok(Math.abs(mean - 1) < (5 * deviation) / (1 - rate), `the mean is ${mean} at rate ${rate}`);
  }
});

everywhere('rate 0 is the identity', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const x = real(m, n);
    await same(device, () => [dropout(key(3), x, 0), x], 0);
  }),
);

everywhere('the same key gives the same mask, another key another one', async (device) => {
  const { a, b } = split(key(5), 'a', 'b');
  const drop = (k: Tensor) => dropout(k, ones([40, 30]), 0.5);
  await same(device, () => [drop(a), drop(a)], 0);
  const [apart] = await read(device, () => sum(differs(drop(a), drop(b))));
  assert.ok(apart > 400 && apart < 800, `${apart} of 1200 differ`);
});

everywhere('what is dropped is where the key’s uniform numbers are below the rate', async (device) =>
  same(
    device,
    () => [differs(dropout(key(9), ones([300]), 0.3), 0), differs(less(uniform(key(9), [300]), Math.fround(0.3)), 1)],
    0,
  ),
);

everywhere('a list of keys drops from each row what its key alone does', async (device) => {
  for (const shape of [
    [4, 5],
    [2, 3, 7],
    [3, 2113],
  ]) {
    const [k, ...rest] = shape;
    const keys = rowKeys(key(9), k);
    const x = uniform(key(1), shape);
    const row = (r: number) => {
      const [one, part] = [
        slice(keys, [r, 0], [1, 4]),
        slice(
          x,
          shape.map((_, axis) => (axis === 0 ? r : 0)),
          [1, ...rest],
        ),
      ];
      return dropout(reshape(one, [4]), part, 0.4);
    };
    await same(
      device,
      () => [
        dropout(keys, x, 0.4),
        concat(
          Array.from({ length: k }, (_, r) => row(r)),
          0,
        ),
      ],
      0,
    );
  }
});

everywhere('the gradient passes exactly where the value did', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const x = real(m, n);
    const slope = () => grad((t: Tensor) => sum(dropout(key(2), t, 0.4)))(x);
    await same(device, () => [mul(slope(), x), dropout(key(2), x, 0.4)]);
  }),
);

test('a rate that is no probability below 1 is refused', () => {
  for (const rate of [1, -0.1, 2, NaN])
    assert.throws(() => dropout(key(1), zeros([2]), rate), /dropout: the rate is a probability below 1/);
});

test.run();
