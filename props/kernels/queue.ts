/** Laws of the queue: what is one list, on a device that only writes down what it is given. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { useQueue } from '../../kernels/device/choose.ts';
import type { Command } from '../../kernels/device/device.ts';
import { openQueue } from '../../kernels/device/queue.ts';
import { donating } from '../../lib/memory.ts';
import { add } from '../../lib/ops/arith.ts';
import { tensor } from '../../lib/tensor.ts';

/** Computes on such a device; returns the lists that it got, each command by its first letter. */
const listsOf = async (f: () => unknown, batch?: number): Promise<string[]> => {
  const lists: string[] = [];
  const run = (commands: Command[]) => {
    lists.push(commands.map(({ kind }) => kind[0]).join(''));
    for (const command of commands) if (command.kind === 'read') command.resolve(new Float32Array(command.buffer.size));
  };
  const queue = openQueue(Promise.resolve({ name: 'gpu', description: '', precision: 'f32', eager: false, batch, run }));
  await queue.opened;
  useQueue(queue);
  await f();
  await Promise.resolve();
  return lists;
};

const double = () => donating((x: ReturnType<typeof tensor>) => [add(x, x), add(x, 1)] as const);

test('a step and the reads of its results are one list, and so are steps between which nothing is awaited', async () => {
  const lists = await listsOf(async () => {
    const step = double();
    const [first, second] = step(tensor([1]));
    await Promise.all([first.item(), second.item()]);
    step(step(tensor([1]))[0]);
  });
  assert.is(lists.length, 2);
  assert.match(lists[0], /^w+l+f+rr$/);
  assert.not.match(lists[1], /r/);
});

test('a step is handed over at the next await, although nobody reads', async () => {
  assert.is((await listsOf(() => void double()(tensor([1])))).length, 1);
});

test('no more commands gather than the device says', async () => {
  const lists = await listsOf(() => Array.from({ length: 10 }, () => tensor([1])), 4);
  assert.equal(lists, ['wwww', 'wwww']);
});

test('numbers that are to be written do not gather without end', async () => {
  const lists = await listsOf(() => Array.from({ length: 5 }, () => tensor(new Float32Array(2 ** 23))), 1000);
  assert.equal(lists, ['ww', 'ww']);
});

test('of a device that does not open every read is rejected, those asked for later too', async () => {
  const queue = openQueue(Promise.reject(new Error('no GPU answers')));
  const buffer = queue.write([1]);
  for (let i = 0; i < 3; i++) {
    const reason = await queue.read(buffer).then(() => 'nothing', (error: Error) => error.message);
    assert.match(reason, /no GPU answers/);
  }
});

test.run();
