/**
 * Laws of the `wasm` device as a machine: what it computes depends neither on the number of threads nor, but for rounding,
 * on the instructions that the engine has; a thread that fails ends the run with its error; full memory is an error with
 * the sizes. Each opens devices of its own.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import '../../lib/index.ts';
import type { WasmOptions } from '../../kernels/device/wasm.ts';
import { openWasm } from '../../kernels/device/wasm.ts';
import type { Held, Queue } from '../../kernels/device/queue.ts';
import { openQueue } from '../../kernels/device/queue.ts';
import { replacements } from '../../kernels/fast/wasm/replacements.ts';
import type { Op } from '../../lib/op.ts';
import { registry } from '../../lib/op.ts';
import { assertClose, largest, rounding } from '../laws/close.ts';
import type { Sample } from '../laws/draw.ts';
import { domainsOf, namesOf, sampleOf } from '../laws/draw.ts';

const open = async (options: WasmOptions): Promise<Queue> => {
  const queue = openQueue(openWasm(options));
  await queue.opened;
  return queue;
};

const run = (queue: Queue, op: Op, { params, specs, inputs, output }: Sample) =>
  queue.read(queue.launch(op, params, inputs.map((x) => queue.write(x)), specs, output));

/** Every operation that has a replacement, at sizes that make many chunks and end in the middle of a tile and a vector. */
const samples = [...registry.values()]
  .filter((op) => op.name in replacements)
  .flatMap((op) =>
    domainsOf(op).flatMap((domain, which): [Op, Sample][] => {
      const odd = [67, 131, 9, 35, 3];
      const sizes = Object.fromEntries(namesOf(domain).map((name, i) => [name, odd[i % odd.length]]));
      const sample = sampleOf(op, { domain: which, sizes, seed: 7, ties: false });
      return sample === undefined ? [] : [[op, sample]];
    }),
  );

test('one, two and five threads compute the same bits', async () => {
  const queues = await Promise.all([1, 2, 5].map((threads) => open({ threads })));
  for (const [op, sample] of samples) {
    const [one, ...others] = await Promise.all(queues.map((queue) => run(queue, op, sample)));
    for (const other of others) assert.equal(other, one, op.name);
  }
});

test('the kernels without relaxed SIMD compute the same up to rounding', async () => {
  const [plain, best] = await Promise.all([open({ simd: 'simd128' }), open({})]);
  assert.is(plain.device!.simd, 'simd128');
  for (const [op, sample] of samples) {
    const [came, expected] = await Promise.all([plain, best].map((queue) => run(queue, op, sample)));
    assertClose(came, expected, rounding(sample) * Math.max(1, largest(expected)), op.name);
  }
});

test('kernels for vectors of eight floats compute the same bits as those for four', async () => {
  const { simd } = (await open({})).device!;
  if (simd === 'simd128') return;
  const [four, eight] = await Promise.all((['relaxed', 'wide'] as const).map((simd) => open({ simd })));
  for (const [op, sample] of samples) {
    const [came, expected] = await Promise.all([eight, four].map((queue) => run(queue, op, sample)));
    assert.equal(came, expected, op.name);
  }
});

/** A buffer at an address of our choice; from the end of the memory on, who touches it traps. */
const at = (memory: number, queue: Queue, size: number): Held => ({ queue, size, holders: 1, memory });
const astray = (queue: Queue, size: number) => at(4_294_000_000, queue, size);

test('a product reads no further than a cache line behind its matrices', async () => {
  const best = (await open({})).device!.simd!;
  for (const simd of ['simd128', best === 'simd128' ? best : 'wide'] as const) {
    const queue = await open({ threads: 1, simd });
    const specs = (transposeA: boolean) => [transposeA ? [300, 7] : [7, 300], [300, 9]].map((shape) => ({ shape, dtype: 'f32' }) as const);
    // The memory begins with 64 pages, and these few numbers do not make it grow: the last block leaves a cache line free.
    const last = (size: number) => at(64 * 65536 - 64 - 4 * size, queue, size);
    for (const inputs of [[last(2100), queue.write(new Float32Array(2700))], [queue.write(new Float32Array(2100)), last(2700)]]) {
      for (const transposeA of [false, true]) {
        const product = await queue.read(queue.launch(registry.get('matmul')!, { transposeA }, inputs, specs(transposeA), { shape: [7, 9], dtype: 'f32' }));
        assert.is(product.length, 63);
      }
    }
  }
});

test('a thread that traps ends all that waits with its error, and what comes after it', async () => {
  for (const threads of [1, 2]) {
    const queue = await open({ threads });
    const shape = [1 << 20];
    const sound = queue.write(new Float32Array(1 << 20));
    const add = registry.get('plus')!;
    const spec = { shape, dtype: 'f32' } as const;
    const lost = queue.launch(add, {}, [astray(queue, 1 << 20), sound], [spec, spec], spec);
    const first = await queue.read(lost).catch((error: Error) => error);
    assert.instance(first, Error, `${threads} threads`);
    assert.match((first as Error).message, /memory access out of bounds/);
    const second = await queue.read(sound).catch((error: Error) => error);
    assert.match((second as Error).message, /an earlier operation on this device failed/);
  }
});

test('a tensor for which there is no room is refused with the sizes, and what was there stays', async () => {
  const queue = await open({ threads: 1 });
  const small = queue.write([1, 2, 3]);
  const shape = [2 ** 30];
  const refused = await queue.read(queue.launch(registry.get('full')!, { shape, value: 0, dtype: 'f32' }, [], [], { shape, dtype: 'f32' })).catch((error: Error) => error);
  assert.match((refused as Error).message, /no room for a tensor of 4096\.0 MB/);
  assert.equal([...(await queue.read(small))], [1, 2, 3]);
});

test.run();
