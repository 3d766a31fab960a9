/** Laws of streams in windows: order, what is held, what a pause and a failure leave. */
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inWindows } from '../../lib/tasks/stream.ts';

const test = suite('stream');

const numbers = function* (n: number, onRead: (i: number) => void = () => undefined) {
  for (let i = 0; i < n; i++) {
    onRead(i);
    yield i;
  }
};
const doubled = async (items: readonly number[]) => items.map((x) => 2 * x);
const collect = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const one of stream) found.push(one);
  return found;
};

test('every item of a stream has its result, in order, whatever the window and however long each takes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(40), fc.integer({ min: 1, max: 9 }), fc.boolean(), async (n, size, late) => {
      const sizes: number[] = [];
      const start = async (items: readonly number[]) => {
        sizes.push(items.length);
        await wait(sizes.length % 2);
        return doubled(items);
      };
      const source = async function* () {
        for (const i of numbers(n)) {
          if (late && i % 5 === 0) await wait(1);
          yield i;
        }
      };
      const windowing = { size, patience: 1000 };
      const found = await collect(inWindows(late ? source() : numbers(n), start, windowing));
      assert.equal(
        found,
        [...numbers(n)].map((x) => 2 * x),
      );
      assert.is(sizes.length, Math.ceil(n / size));
      assert.ok(sizes.every((length) => length >= 1 && length <= size));
    }),
  );
});

test('of a stream without an end, no more is read than three windows beyond what was taken', async () => {
  let read = 0;
  let taken = 0;
  const stream = inWindows(
    numbers(Infinity, () => read++),
    doubled,
    { size: 7, patience: 1000 },
  );
  for await (const result of stream) {
    assert.is(result, 2 * taken++);
    assert.ok(read - taken <= 3 * 7, `${read} read, ${taken} taken`);
    if (taken === 500) break;
  }
});

test('a stream that pauses gives what it has, before it goes on', async () => {
  let goOn = () => {};
  const source = async function* () {
    yield* [1, 2];
    await new Promise<void>((resolve) => (goOn = resolve));
    yield 3;
  };
  const stream = inWindows(source(), doubled, { size: 100, patience: 5 });
  assert.equal([(await stream.next()).value, (await stream.next()).value], [2, 4]);
  goOn();
  assert.equal(await collect(stream), [6]);
});

test('a stream that fails gives the results of all before it, then its error; so does work that fails', async () => {
  const failing = function* () {
    yield* [1, 2, 3];
    throw new Error('line 4 is no row');
  };
  const found: number[] = [];
  const read = async (stream: AsyncIterable<number>) => {
    for await (const one of stream) found.push(one);
  };
  await read(inWindows(failing(), doubled, { size: 2, patience: 1000 })).then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'line 4 is no row'),
  );
  assert.equal(found.splice(0), [2, 4, 6]);
  const work = async (items: readonly number[]) => {
    if (items.includes(4)) throw new Error('out of memory');
    return doubled(items);
  };
  await read(inWindows(numbers(9), work, { size: 2, patience: 1000 })).then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'out of memory'),
  );
  assert.equal(found, [0, 2, 4, 6]);
});

test('who stops taking results stops the stream', async () => {
  let closed = false;
  const source = function* () {
    try {
      yield* numbers(Infinity);
    } finally {
      closed = true;
    }
  };
  for await (const _ of inWindows(source(), doubled, { size: 3, patience: 1000 })) break;
  assert.ok(closed);
});

test.run();
