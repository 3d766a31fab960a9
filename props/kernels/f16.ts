/**
 * Laws of the `gpu` device with f16: dense layers round what they multiply to numbers of 16 bits, 11 of them mantissa, and
 * add up in f32. Where the adapter has no such numbers they are skipped, and counted.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import '../../lib/index.ts';
import { openGpu, openGpuOn } from '../../kernels/device/gpu.ts';
import { findAdapter } from '../../kernels/device/gpu/adapter.ts';
import type { Queue } from '../../kernels/device/queue.ts';
import { openQueue } from '../../kernels/device/queue.ts';
import { registry } from '../../lib/op.ts';
import { assertClose, largest } from '../laws/close.ts';
import type { Sample } from '../laws/draw.ts';
import { referenceOf, sampleOf } from '../laws/draw.ts';
import { absent, present, skip } from '../laws/present.ts';
import { toleranceOf } from '../laws/values.ts';

const adapter = present.includes('gpu') ? await findAdapter() : undefined;
const why =
  adapter === undefined
    ? `gpu is not here: ${absent.get('gpu') ?? 'AMBER_DEVICE names another device'}`
    : 'this adapter has no shader-f16';
const law: (title: string, check: () => Promise<void>) => void = adapter?.features.has('shader-f16')
  ? test
  : () => skip(why);

const dense = registry.get('dense')!;

/** Cases whose sizes take tiles of each kind, and some that are left to the definition. */
const size = (max: number) => fc.integer({ min: 1, max });
const cases = fc.record({
  domain: fc.constant(0),
  sizes: fc.record({ m: size(300), k: size(600), n: size(300) }),
  seed: fc.nat(),
  ties: fc.constant(false),
});

const compute = (queue: Queue, { params, specs, inputs, output }: Sample): Promise<ArrayLike<number>> => {
  const given = inputs.map((x) => queue.write(x));
  const y = queue.launch(dense, params, given, specs, output);
  const read = queue.read(y);
  [...given, y].forEach((buffer) => queue.release(buffer));
  return read;
};

const { numRuns = 6 } = fc.readConfigureGlobal();
const holds = (check: (sample: Sample) => Promise<void>) =>
  fc.assert(
    fc.asyncProperty(cases, (chosen) => check(sampleOf(dense, chosen)!)),
    { numRuns },
  );

law('a dense layer in f16 is the definition but for the rounding of each factor to 11 bits', async () => {
  const queue = openQueue(openGpu({ f16: true }));
  await holds(async (sample) => {
    const expected = referenceOf(dense, sample, sample.inputs);
    // |round(x) − x| ≤ 2⁻¹¹ (|x| + 2⁻³): 11 bits from 2⁻¹⁴ on; below, at worst 0.
    const bound = referenceOf(
      dense,
      sample,
      sample.inputs.map((x) => x.map((v) => Math.abs(v) + 2 ** -3)),
    );
    const tolerance = 2 ** -10 * largest(bound) + toleranceOf(dense, sample, largest(expected));
    assertClose(await compute(queue, sample), expected, tolerance, 'dense in f16');
  });
});

law('a dense layer in f16 takes 1 + 2⁻¹² for 1', async () => {
  const queue = openQueue(openGpu({ f16: true }));
  const sample = sampleOf(dense, { domain: 0, sizes: { m: 64, k: 20, n: 64 }, seed: 1, ties: false })!;
  const [x, w, bias] = sample.inputs;
  const came = await compute(queue, {
    ...sample,
    inputs: [x.map(() => 1 + 2 ** -12), w.map(() => 1), bias.map(() => 0)],
  });
  assert.ok(Array.from(came).every((sum) => sum === 20));
});

law('a dense layer of numbers that f16 holds gives the same bits with f16 and without: its sums are f32', async () => {
  const queues = [true, false].map((f16) => openQueue(openGpu({ f16 })));
  await holds(async (sample) => {
    const inputs = sample.inputs.map((x) => x.map((v) => Math.round(v * 2 ** 9) / 2 ** 9));
    const [short, long] = await Promise.all(queues.map((queue) => compute(queue, { ...sample, inputs })));
    assert.equal(short, long);
  });
});

test('f16 on an adapter without it is refused, with what to do', () => {
  const device = { features: new Set() } as unknown as GPUDevice;
  assert.throws(() => openGpuOn(device, 'without f16', { f16: true }), /lacks the feature shader-f16; leave it out/);
});

test.run();
