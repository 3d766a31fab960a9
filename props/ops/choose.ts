/** Laws of choosing the largest and of writing to chosen places. */
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import { argmax, concat, gather, neg, pick, put, reshape, slice, tensor, topIndices, zeros } from '../../lib/index.ts';
import { onEveryDevice, forSizes, read, same } from '../laws/everywhere.ts';

const everywhere = onEveryDevice(test);

everywhere('topIndices are distinct, and what they name comes in falling order and is nowhere exceeded', (device) =>
  forSizes('m n k', async ({ m, n, k }, real) => {
    const x = real(m, n + k);
    const at = await read(device, () => topIndices(x, k));
    const values = await read(device, () => x);
    for (let r = 0; r < m; r++) {
      const row = values.slice(r * (n + k), (r + 1) * (n + k));
      const chosen = at.slice(r * k, (r + 1) * k);
      assert.is(new Set(chosen).size, k);
      assert.equal(
        chosen.map((c) => row[c]),
        [...row].sort((a, b) => b - a).slice(0, k),
      );
    }
  }),
);

everywhere('the first of topIndices is argmax, and all of them are an order of the row', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const x = real(m, n);
    await same(device, () => [reshape(slice(topIndices(x, n), [0, 0], [m, 1]), [m]), argmax(x)], 0);
    const all = await read(device, () => topIndices(slice(x, [0, 0], [1, n]), n));
    assert.equal(
      [...all].sort((a, b) => a - b),
      Array.from({ length: n }, (_, i) => i),
    );
  }),
);

everywhere('of equal elements the first comes first', async (device) => {
  assert.equal(await read(device, () => topIndices(tensor([1, 2, 2, 1, 2], [1, 5]), 5)), [1, 2, 4, 0, 3]);
});

everywhere('put writes what it says where it says, and nothing else', async (device) => {
  const x = () => tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  const at = () => tensor([2, -1, 0, 1], [2, 2], 'i32');
  assert.equal(await read(device, () => put(x(), at(), tensor([7, 8, 9, 10], [2, 2]))), [1, 2, 7, 9, 10, 6]);
});

everywhere('reading where one has put gives what was put; putting back what was there changes nothing', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const [x, values] = [real(m, n), real(m, 1)];
    const at = () => reshape(argmax(neg(x)), [m, 1]);
    await same(device, () => [pick(put(x, at(), values), reshape(at(), [m])), reshape(values, [m])], 0);
    const there = () => reshape(pick(x, reshape(at(), [m])), [m, 1]);
    await same(device, () => [put(put(x, at(), values), at(), there()), x], 0);
  }),
);

everywhere('ids stay ids', async (device) => {
  const x = () => tensor([5, 6, 7], [1, 3], 'i32');
  const y = put(x(), tensor([1], [1, 1], 'i32'), tensor([9], [1, 1], 'i32'));
  assert.is(y.dtype, 'i32');
  assert.is(concat([x(), x()], 1).dtype, 'i32');
  assert.is(gather(x(), tensor([0], [1], 'i32')).dtype, 'i32');
  assert.equal(await read(device, () => put(x(), tensor([1], [1, 1], 'i32'), tensor([9], [1, 1], 'i32'))), [5, 9, 7]);
});

test('too many, or rows that do not match, are refused', () => {
  assert.throws(() => topIndices(zeros([2, 3]), 4), /asked for the 4 largest of rows of 3; ask for at most 3/);
  assert.throws(() => put(zeros([2, 3]), zeros([3, 1], 'i32'), zeros([3, 1])), /put: .*\[2 3\].*\[3 1\]/);
});

test.run();
