/** Laws of tensors: what goes in comes out, reading copies, and what makes no tensor is refused. */
import * as assert from 'uvu/assert';
import fc from 'fast-check';
import { test } from 'uvu';
import { add, full, tensor, useDevice, zeros } from '../lib/index.ts';
import { onEveryDevice } from './laws/everywhere.ts';
import { present } from './laws/present.ts';

const everywhere = onEveryDevice(test);

everywhere('numbers come out as they went in', async (device) => {
  const number = device === 'reference' ? fc.double() : fc.float();
  const property = fc.asyncProperty(fc.array(number, { maxLength: 50 }), async (list) => {
    const came = Array.from(await tensor(list).data());
    // −0 and NaN are kept by storage, but a GPU may flush what is below its smallest normal number.
    came.forEach((v, i) =>
      assert.ok(Object.is(v, list[i]) || Math.abs(v - list[i]) < 2 ** -126, `${v} for ${list[i]}`),
    );
  });
  await fc.assert(property, { numRuns: fc.readConfigureGlobal().numRuns ?? 20 });
});

everywhere('a tensor has a shape, a type and a size; nothing is one too', async () => {
  const x = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  assert.equal([x.shape, x.dtype, x.size, String(x)], [[2, 3], 'f32', 6, 'Tensor(f32 [2 3])']);
  assert.ok((await tensor([1, 2], [2], 'i32').data()) instanceof Int32Array);
  assert.is((await zeros([0, 3]).data()).length, 0);
  assert.is(await tensor([7], []).item(), 7);
  assert.equal(Array.from(await full([2, 2], -1).data()), [-1, -1, -1, -1]);
});

everywhere('what is read is a copy, and so is what was written', async () => {
  const given = Float32Array.from([1, 2]);
  const x = tensor(given);
  given[0] = 9;
  const read = await x.data();
  assert.equal(Array.from(read), [1, 2]);
  read[1] = 9;
  assert.equal(Array.from(await x.data()), [1, 2]);
});

everywhere('reads in any order, and many at once, see their own values', async () => {
  const tensors = Array.from({ length: 40 }, (_, i) => add(full([3], i), i));
  const values = await Promise.all(tensors.reverse().map((x) => x.data()));
  values.forEach((v, i) => assert.equal(Array.from(v), Array(3).fill(2 * (39 - i))));
});

test('tensors of two devices are refused together, both named', async () => {
  await useDevice('reference');
  const x = tensor([1]);
  for (const device of present.filter((name) => name !== 'reference')) {
    await useDevice(device);
    assert.throws(() => add(x, tensor([1])), new RegExp(`tensors of two devices \\(reference and ${device}\\)`));
  }
});

test('shapes, numbers and devices that make no tensor are refused in words', async () => {
  assert.throws(() => tensor([1, 2, 3], [2, 2]), /tensor: shape \[2 2\] holds 4 numbers, but 3 were given/);
  assert.throws(() => tensor([1], [-1]), /\[-1\] is not a shape/);
  assert.throws(() => tensor([1], [1.5]), /\[1.5\] is not a shape/);
  assert.throws(() => tensor([0.5], [1], 'i32'), /element 0 is 0.5; an i32 must be a whole number/);
  assert.throws(() => tensor([0, 2 ** 24], [2], 'i32'), /element 1 is 16777216/);
  const error = (promise: Promise<unknown>) => promise.then(String, (reason: Error) => reason.message);
  assert.match(
    await error(tensor([1, 2]).item()),
    /item: expected a tensor with one element, got shape \[2\]; use data\(\)/,
  );
  assert.match(
    await error(useDevice('abacus' as 'cpu')),
    /there is no device 'abacus'; choose one of gpu, wasm, cpu, reference/,
  );
});

test.run();
