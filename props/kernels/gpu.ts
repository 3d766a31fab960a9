/**
 * Laws of the `gpu` device as a machine: a step is one submission, and a loop of steps soon makes nothing new; how commands
 * are gathered changes no bit; all that was made is destroyed; what fails says so and leaves the rest whole. Each opens
 * devices of its own. Where no adapter answers they are skipped, and counted.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Counts } from '../../bench/gpu/counted.ts';
import { count } from '../../bench/gpu/counted.ts';
import { openTraining } from '../../bench/training.ts';
import { useDevice, useQueue } from '../../kernels/device/choose.ts';
import type { Device } from '../../kernels/device/device.ts';
import { openGpuOn, probeGpu } from '../../kernels/device/gpu.ts';
import { findAdapter, requestDevice } from '../../kernels/device/gpu/adapter.ts';
import { openQueue } from '../../kernels/device/queue.ts';
import type { ElectraConfig } from '../../lib/electra/config.ts';
import { configs } from '../../lib/electra/config.ts';
import type { State } from '../../lib/electra/step.ts';
import { initState, pretrainStep } from '../../lib/electra/step.ts';
import { key, uniform } from '../../lib/key.ts';
import { scoped } from '../../lib/memory.ts';
import { add, full, mul } from '../../lib/ops/arith.ts';
import { reshape } from '../../lib/ops/axes.ts';
import { concat, slice, transpose } from '../../lib/ops/move.ts';
import { pack, unpack } from '../../lib/ops/pack.ts';
import { sum } from '../../lib/ops/reduce.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { tensor } from '../../lib/tensor.ts';
import { batchOf, optimiser, small, valuesOf } from '../electra/small.ts';
import { absent, present, skip } from '../laws/present.ts';

const law: (title: string, check: () => Promise<void>) => void = present.includes('gpu')
  ? test
  : () => skip(`gpu is not here: ${absent.get('gpu') ?? 'AMBER_DEVICE names another device'}`);

test('a machine without a real GPU says why, so that the automatic choice can', async () => {
  const why = await probeGpu();
  if (absent.has('gpu')) assert.is(why, absent.get('gpu'));
  else if (why !== undefined) assert.match(why, /software/);
});

interface Opened {
  readonly raw: GPUDevice;
  readonly device: Device;
  readonly counts: Counts;
}

/** Computes on a device of its own, with this batch, and closes it; one that is idle dispatches nothing. */
const onDevice = async (
  f: (opened: Opened) => Promise<void>,
  { batch, idle }: { batch?: number; idle?: boolean } = {},
): Promise<void> => {
  const raw = await requestDevice(await findAdapter());
  const counts = count(raw, { idle });
  const device = openGpuOn(raw, 'a device of its own');
  const queue = openQueue(Promise.resolve(batch === undefined ? device : { ...device, batch }));
  await queue.opened;
  useQueue(queue);
  try {
    await f({ raw, device, counts });
  } finally {
    await device.close!();
  }
  assert.is(counts.alive, 0, `${counts.buffers} buffers were made, ${counts.alive} are not destroyed`);
};

/** WebGPU's usage flags, which no buffer may have together. */
const [MAP_READ, STORAGE] = [1, 128];

const rejection = async (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => assert.unreachable('expected an error') as never,
    (error: Error) => error,
  );

const dropping: ElectraConfig = { ...small, dropout: 0.1, attentionDropout: 0.1 };

const training = () => {
  const transform = optimiser();
  const step = pretrainStep(dropping, transform);
  let state: State = initState(dropping, transform, 1);
  let steps = 0;
  /** One step, whose metrics nobody reads. */
  const advance = () => {
    const [next, metrics] = step(state, batchOf([14, 14, 9], dropping.training, steps++));
    state = next;
    return metrics;
  };
  return {
    advance,
    /** One step, with its metrics read. */
    async step() {
      const { loss, mlm, rtd } = advance();
      return Promise.all([loss.item(), mlm.item(), rtd.item()]);
    },
    state: () => valuesOf(state),
  };
};

law('a step is one submission of one pass, and after the third one nothing new is made', () =>
  onDevice(async ({ counts }) => {
    const { step } = training();
    for (let i = 1; i <= 8; i++) {
      const { alive, dispatches: _, ...before } = counts;
      await step();
      assert.is(counts.submissions - before.submissions, 1, `submissions of step ${i}`);
      assert.is(counts.passes - before.passes, 1, `passes of step ${i}`);
      if (i <= 3) continue;
      assert.is(counts.groups, before.groups, `bind groups of step ${i}`);
      assert.is(counts.buffers, before.buffers, `buffers of step ${i}`);
      assert.is(counts.pipelines, before.pipelines, `pipelines of step ${i}`);
      assert.is(counts.alive, alive, `buffers alive after step ${i}`);
    }
  }),
);

law('a step of mini at its published batch is at most 800 launches', () =>
  onDevice(
    async ({ counts }) => {
      const { tokens, advance } = openTraining({ ...configs.mini, dropout: 0.1, attentionDropout: 0.1 });
      await advance(tokens(0)).item();
      const { dispatches } = counts;
      await advance(tokens(1)).item();
      const launched = counts.dispatches - dispatches;
      assert.ok(launched > 0 && launched <= 800, `${launched} launches`);
    },
    { idle: true },
  ),
);

law('steps whose metrics nobody reads are computed too', () =>
  onDevice(async () => {
    const { advance, state } = training();
    for (let i = 0; i < 10; i++) advance();
    assert.equal((await state()).step, [10]);
  }),
);

law('the memory of steps that nobody awaits has a bound: 240 at once take hardly more than 120', async () => {
  const alive: number[] = [];
  for (const steps of [120, 240]) {
    await onDevice(
      async ({ counts }) => {
        const { advance, state } = training();
        for (let i = 0; i < steps; i++) advance();
        await state();
        alive.push(counts.alive);
      },
      { idle: true },
    );
  }
  assert.ok(alive[1] < 1.05 * alive[0], `${alive[0]} buffers after 120 steps, ${alive[1]} after 240`);
});

law('steps computed in one submission equal those launched one by one, bit for bit', async () => {
  const runs: unknown[] = [];
  for (const batch of [undefined, 100, 1]) {
    await onDevice(
      async () => {
        const { step, state } = training();
        const metrics = [await step(), await step(), await step()];
        runs.push({ metrics, state: await state() });
      },
      { batch },
    );
  }
  assert.equal(runs[1], runs[0]);
  assert.equal(runs[2], runs[0]);
});

/** What a random program does with the tensors that it has: each takes some and makes one. */
const moves: ((x: Tensor, y: Tensor, n: number) => Tensor)[] = [
  (x, y) => add(x, y),
  (x, y) => mul(x, y),
  (x, y) => slice(concat([x, y], 0), [1, 0], [4, 40]),
  (x) => reshape(transpose(x), [4, 40]),
  (x, y) => unpack(pack([x, y, full([3], 2)]), [x, y])[1],
  (x, _, n) => add(x, tensor([n, n + 1, n + 2, n + 3], [4, 1])),
  (x, y) => scoped(() => add(mul(x, x), sum(y, { axis: 0 }))),
];

const program = fc.array(
  fc.record({ move: fc.nat(moves.length - 1), x: fc.nat(99), y: fc.nat(99), drop: fc.boolean(), read: fc.boolean() }),
  { minLength: 1, maxLength: 40 },
);

law(
  'a program gives the same bits however its commands are gathered, with writes, frees, parts and reads between them',
  async () => {
    const run = async (
      steps: { move: number; x: number; y: number; drop: boolean; read: boolean }[],
    ): Promise<number[][]> => {
      const held = [1, 2, 3].map((k) =>
        tensor(
          Float32Array.from({ length: 160 }, (_, i) => Math.sin(k * i)),
          [4, 40],
        ),
      );
      const reads: Promise<ArrayLike<number>>[] = [];
      for (const [i, { move, x, y, drop, read }] of steps.entries()) {
        const made = scoped(() => moves[move](held[x % held.length], held[y % held.length], i));
        if (read) reads.push(made.data());
        if (drop && held.length > 1) held.splice(x % held.length, 1)[0].free('by a law');
        held.push(made);
      }
      const values = await Promise.all([...reads, ...held.map((x) => x.data())]);
      held.forEach((x) => x.free('by a law'));
      return values.map((value) => Array.from(value));
    };
    const programs = fc.sample(program, fc.readConfigureGlobal().numRuns ?? 12);
    const results: number[][][][] = [];
    for (const batch of [undefined, 5, 1]) {
      await onDevice(
        async () => {
          const all: number[][][] = [];
          for (const steps of programs) all.push(await run(steps));
          results.push(all);
        },
        { batch },
      );
    }
    programs.forEach((steps, i) => {
      assert.equal(results[1][i], results[0][i], JSON.stringify(steps));
      assert.equal(results[2][i], results[0][i], JSON.stringify(steps));
    });
  },
);

law('a device that is lost in the middle rejects what is read, names what to do, and gives all buffers back', () =>
  onDevice(async ({ raw, device }) => {
    const { step, state } = training();
    await step();
    const second = step();
    raw.destroy();
    assert.match(
      (await rejection(second)).message,
      /the device was lost.*go on from the last checkpoint on another device/,
    );
    assert.match((await device.lost!).message, /the device was lost/);
    assert.match((await rejection(state())).message, /an earlier operation on this device failed/);
  }),
);

law('memory that runs out fails what needs it, with the sizes, and leaves what was there', () =>
  onDevice(async ({ raw, counts }) => {
    const kept = tensor([1, 2, 3]);
    await kept.data();
    const before = counts.alive;
    const { pushErrorScope, popErrorScope, createBuffer } = raw;
    const scopes: GPUErrorFilter[] = [];
    raw.pushErrorScope = (filter) => (scopes.push(filter), pushErrorScope.call(raw, filter));
    raw.popErrorScope = async () => {
      const isMemory = scopes.pop() === 'out-of-memory';
      const error = await popErrorScope.call(raw);
      return isMemory ? { message: 'there is no memory' } : error;
    };
    // What there is no memory for WebGPU makes all the same, and refuses to use it.
    raw.createBuffer = (descriptor) => {
      if (scopes.at(-1) !== 'out-of-memory') return createBuffer.call(raw, descriptor);
      pushErrorScope.call(raw, 'validation');
      const invalid = createBuffer.call(raw, { ...descriptor, usage: MAP_READ | STORAGE });
      void popErrorScope.call(raw);
      return invalid;
    };
    const large = scoped(() => add(full([1000, 1000], 1), 1));
    const dependent = mul(large, 2);
    assert.match(
      (await rejection(dependent.data())).message,
      /no room for a tensor of 3\.8 MB: .* MB were asked for in all; take smaller batches/,
    );
    // What stays is a page for uniform values, and what reads are staged in.
    assert.ok(counts.alive <= before + 2, `${before} buffers before, ${counts.alive} after`);
    // A list that fails before its memory is asked for leaves no second failure that nobody hears.
    const small = full([1000, 1000], 1);
    const tooLarge = await rejection(full([raw.limits.maxStorageBufferBindingSize / 4 + 1], 0).data());
    assert.match(tooLarge.message, /^gpu: a tensor of/, 'a list that fails by itself gives its own reason');
    small.free('by a law');
    Object.assign(raw, { pushErrorScope, popErrorScope, createBuffer });
    assert.match(String((await rejection(large.data())).message), /an earlier operation on this device failed/);
    assert.equal([...(await kept.data())], [1, 2, 3]);
    assert.is((await add(full([1000, 1000], 1), 1).data())[999_999], 2);
  }),
);

law('a tensor larger than the adapter binds is refused with both sizes', () =>
  onDevice(async ({ raw }) => {
    const most = raw.limits.maxStorageBufferBindingSize;
    const error = await rejection(full([most / 4 + 1], 0).data());
    assert.match(
      error.message,
      /a tensor of [\d.]+ MB was asked for, but this adapter binds buffers of [\d.]+ MB at most; take smaller batches/,
    );
  }),
);

law('more elements than one axis has workgroups for are computed too, along one axis of a grid and along two', () =>
  onDevice(async () => {
    const many = await add(full([5_000_000], 1), 1).data();
    assert.ok(many.every((x) => x === 2));
    const drawn = await uniform(key(1), [600_000]).data();
    await useDevice('wasm');
    assert.equal(drawn.slice(-100), (await uniform(key(1), [600_000]).data()).slice(-100));
  }),
);

law('what WebGPU refuses breaks the device, with its reason', () =>
  onDevice(async ({ raw }) => {
    const { createBindGroup } = raw;
    raw.createBindGroup = ({ layout, entries }) =>
      createBindGroup.call(raw, { layout, entries: [...entries].slice(1) });
    const first = await rejection(add(full([3], 1), 2).data());
    assert.match(first.message, /WebGPU refused what was asked of it: [^]*go on from the last checkpoint/);
    raw.createBindGroup = createBindGroup;
    assert.match((await rejection(full([3], 1).data())).message, /an earlier operation on this device failed/);
  }),
);

test.run();
