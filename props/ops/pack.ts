/** Laws of packing: parts lie where they were put, hold the whole, and are packed again without a copy. */
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import { add, grad, live, mul, pack, reshape, scoped, sum, tensor, unpack } from '../../lib/index.ts';
import type { Tensor } from '../../lib/index.ts';
import { forSizes, onEveryDevice, read, same } from '../laws/everywhere.ts';

const everywhere = onEveryDevice(test);

/** As many tensors as no one launch packs, of sizes from 0 to more than two blocks; some are scalars, one comes twice. */
const draw = (m: number, n: number, real: (...shape: number[]) => Tensor): Tensor[] => {
  const several = Array.from({ length: 10 }, (_, i) => real(...[[m, n], [], [0, n], [n * 23, m], [m]][i % 5]));
  return [...several, several[3]];
};

const inverse = 'unpack is the inverse of pack, for scalars, empty tensors and a tensor that comes twice';
everywhere(inverse, async (device) => {
  await forSizes('m n', async ({ m, n }, real) => {
    const list = draw(m, n, real);
    for (const i of list.keys()) await same(device, () => [unpack(pack(list), list)[i], list[i]], 0);
  });
});

everywhere('what is computed from parts is what is computed from tensors of their own', async (device) => {
  await forSizes('m n', async ({ m, n }, real) => {
    const [a, b] = [real(m, n), real(m, n)];
    const parts = () => unpack(pack([a, b]), [a, b]);
    await same(device, () => [mul(...(parts() as [Tensor, Tensor])), mul(a, b)], 0);
    await same(device, () => [sum(reshape(parts()[1], [n, m]), { axis: 0 }), sum(reshape(b, [n, m]), { axis: 0 })], 0);
  });
});

everywhere('parts that follow each other are packed without a copy, others with one', async (device) => {
  const list = [tensor([1, 2]), tensor([3]), tensor(Array.from({ length: 130 }, (_, i) => i)), tensor([])];
  const parts = unpack(pack(list), list);
  const memory = live();
  const whole = pack(parts);
  assert.is(whole.buffer, parts[0].buffer.part!.whole);
  const tail = pack(parts.slice(1));
  assert.is(tail.buffer.part!.offset, 64);
  assert.is(live(), memory);
  const numbers = await read(device, () => pack(list.slice(1)));
  assert.equal(await read(device, () => tail), numbers);
  for (const other of [[parts[1], parts[0]], [parts[0], parts[2]], [parts[0], parts[0]], [parts[0], list[1]]]) {
    scoped(() => {
      pack(other);
      assert.is(live(), memory + 1);
    });
  }
});

everywhere('a part keeps the whole alive, whichever goes first, and the last gives it back', async (device) => {
  const before = live();
  const orders = [[0, 1, 2], [2, 1, 0], [1, 0, 2]];
  for (const order of orders) {
    const held = scoped(() => {
      const whole = pack([tensor([1, 2]), tensor([3, 4])]);
      return [whole, ...unpack(whole, [{ shape: [2], dtype: 'f32' }, { shape: [2, 1], dtype: 'f32' }])];
    });
    for (const [i, which] of order.entries()) {
      assert.is(live(), before + 1);
      const others = scoped(() => tensor(new Float32Array(128).fill(7)));
      others.free('after the test');
      const last = order.at(-1)!;
      assert.equal((await read(device, () => held[last])).slice(0, 2), last === 2 ? [3, 4] : [1, 2]);
      held[which].free('after the test');
      assert.is(live(), i === 2 ? before : before + 1);
    }
  }
});

everywhere('packing has the gradient of what it holds, through views too', async (device) => {
  const list = [tensor([1, 2]), tensor([3])];
  const parts = unpack(pack(list), list);
  for (const inputs of [list, parts]) {
    const slopes = () => grad((xs: Tensor[]) => sum(mul(pack(xs), add(pack(xs), 1))))(inputs);
    assert.equal(await read(device, () => slopes()[0]), [3, 5]);
    assert.equal(await read(device, () => slopes()[1]), [7]);
  }
});

test('i32 tensors are not packed, and a part begins at a multiple of 64', () => {
  assert.throws(() => pack([tensor([1], [1], 'i32')]), /pack: expected tensors of dtype f32, got i32 \[1\]/);
  assert.throws(() => unpack(tensor([1, 2, 3]), [{ shape: [2], dtype: 'f32' }, { shape: [1], dtype: 'f32' }]), /got element 64/);
});

test.run();
