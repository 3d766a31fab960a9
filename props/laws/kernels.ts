/**
 * Laws of the kernels as sources: gpu.js takes each of them on every backend, runs it there and not on a fallback, and no
 * kernel lies about that no operation launches. Also what float32 storage must not lose: whole numbers below 2^24.
 */
import { readdirSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import '../../lib/index.ts';
import { argumentsOf, compiler } from '../../kernels/device/gpujs.ts';
import type { Kernel, KernelCall } from '../../kernels/device/device.ts';
import { useDevice } from '../../kernels/device/choose.ts';
import { findAdapter, requestDevice } from '../../kernels/device/gpu/adapter.ts';
import { openKernels } from '../../kernels/device/gpu/kernels.ts';
import { registry } from '../../lib/op.ts';
import { add, equal, where } from '../../lib/ops/arith.ts';
import { broadcastTo, reshape } from '../../lib/ops/axes.ts';
import { gather, pick } from '../../lib/ops/gather.ts';
import { concat, slice, transpose } from '../../lib/ops/move.ts';
import { max } from '../../lib/ops/reduce.ts';
import { put } from '../../lib/ops/choose.ts';
import { tensor } from '../../lib/tensor.ts';
import { evaluate } from './close.ts';
import { domainsOf, namesOf, sampleOf } from './draw.ts';
import { absent, present, skip } from './present.ts';

/** One launch of every kernel that an operation launches, for arguments of size 2. */
const launched = new Map<Kernel, KernelCall>();
for (const op of registry.values()) {
  domainsOf(op).forEach((domain, which) => {
    const sizes = Object.fromEntries(namesOf(domain).map((name) => [name, 2]));
    const sample = sampleOf(op, { domain: which, sizes, seed: 1, ties: false })!;
    for (const call of op.launches(sample.params, sample.specs, sample.output)) launched.set(call.kernel, call);
  });
}

const names = [...launched.keys()].map(({ name }) => name);

/** The exported functions of kernels/*.ts that take a thread: the kernels. */
const written = readdirSync(new URL('../../kernels/', import.meta.url)).flatMap((file) => {
  if (!file.endsWith('.ts')) return [];
  const source = readFileSync(new URL(`../../kernels/${file}`, import.meta.url), 'utf8');
  return [...source.matchAll(/export function (\w+)\(\s*this: Thread/g)].map(([, name]) => name);
});

test('every kernel is launched by an operation', () => {
  assert.equal(
    written.filter((name) => !names.includes(name)),
    [],
  );
});

test('no kernel holds what a compiler put there', () => {
  const marked = [...launched.keys()].filter((kernel) => kernel.toString().includes('__name('));
  assert.equal(
    marked.map(({ name }) => name),
    [],
  );
});

test('no two kernels share a name, by which errors tell them apart', () => {
  assert.equal(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  );
});

const zeros = (call: KernelCall) =>
  argumentsOf(
    call.arrays.map(() => new Float32Array(64)),
    call,
  );

for (const [mode, ran] of [
  ['cpu', 'CPUKernel'],
  ['webasm', 'WebAssemblyKernel'],
] as const) {
  test(`gpu.js runs every kernel on ${mode} itself, without falling back`, () => {
    const compile = compiler(mode);
    for (const call of launched.values()) {
      const kernel = compile(call);
      kernel.setOutput([...call.output]);
      kernel(...zeros(call));
      assert.is(kernel.kernel.constructor.name, ran, call.kernel.name);
    }
  });
}

if (present.includes('gpu')) {
  test('the WGSL that gpu.js writes of every kernel becomes a pipeline', async () => {
    const device = await requestDevice(await findAdapter());
    const kernels = openKernels(device);
    const pipelines = [...launched.values()].map(kernels.of);
    await kernels.building();
    pipelines.forEach(({ compute, name }) => assert.ok(compute, name));
    device.destroy();
  });
} else if (absent.has('gpu')) skip(`gpu is not here: ${absent.get('gpu')}`);

for (const device of present) {
  test(`whole numbers up to 2^24 − 1 come through unchanged on ${device}`, async () => {
    const most = 2 ** 24 - 1;
    const values = [most, most - 1, -most, most - 2];
    const results = await evaluate(device, () => {
      const x = tensor(values, [2, 2], 'i32');
      const zero = tensor([0, 0], [2], 'i32');
      return [
        x,
        add(x, zero),
        reshape(transpose(transpose(x)), [4]),
        concat([slice(x, [0, 0], [1, 2]), slice(x, [1, 0], [1, 2])], 0),
        where(equal(x, x), x, 0),
        put(x, tensor([-1, -1], [2, 1], 'i32'), tensor([7, 7], [2, 1], 'i32')),
        gather(x, tensor([0, 1], [2], 'i32')),
        broadcastTo(x, [1, 2, 2]),
      ];
    });
    for (const result of results) assert.equal([...Array.from(result.values)], values);
    const [same, picked, highest] = await evaluate(device, () => {
      const x = tensor(values, [2, 2], 'i32');
      return [equal(x, add(x, -1)), pick(x, tensor([1, 0], [2], 'i32')), max(x)];
    });
    assert.equal(Array.from(same.values), [0, 0, 0, 0]);
    assert.equal(Array.from(picked.values), [most - 1, -most]);
    assert.is(highest.values[0], most);
  });

  test(`the device that runs is the one that was asked for, ${device}`, async () => {
    assert.is((await useDevice(device)).name, device);
  });
}

test.run();
