/**
 * The `gpu` device: kernels that gpu.js translates to WGSL, on WebGPU: in browsers, and in Node through the optional
 * package `webgpu` (Dawn). gpu.js compiles; buffers, bindings and submission are ours, so a list of commands goes out as
 * one submission and nothing leaves the device between kernels.
 */
import { sizeOf } from '../../lib/shape.ts';
import type { Buffer, Command, Device, KernelCall, Launch } from './device.ts';
import { placeOf } from './device.ts';
import type { Compiled } from './gpujs.ts';
import { argumentsOf, compiler } from './gpujs.ts';
import { memoryOf } from './host.ts';

/** WebGPU's usage flags, which are globals only where WebGPU is: uniform 64, storage 128, copy from 4, copy to 8, map 1. */
const STORAGE = 128 | 4 | 8;
const UNIFORM = 64 | 8;
const UPLOAD = 4;
const READ = 1 | 8;

/** What gpu.js has made of a kernel. Internals of the pinned version. */
interface Built {
  build(...args: unknown[]): Promise<void>;
  computePipeline: GPUComputePipeline;
  bindGroupLayout: GPUBindGroupLayout;
  _computeDispatch(grid: number[]): { groups: [number, number, number]; dispatchWidth: number };
}

/** `navigator.gpu`; in Node, from the package `webgpu`, when it is installed and loads. */
const webgpu = async (): Promise<GPU | undefined> => {
  if (typeof navigator !== 'undefined' && navigator.gpu) return navigator.gpu;
  if (typeof process === 'undefined') return undefined;
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]);
  Object.defineProperty(globalThis, 'navigator', { value: { ...globalThis.navigator, gpu }, configurable: true });
  return gpu;
};

const findAdapter = async (): Promise<GPUAdapter> => {
  const gpu = await webgpu().catch((cause) => {
    throw new Error('the package webgpu does not load here', { cause });
  });
  if (gpu === undefined) throw new Error('there is no WebGPU here');
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error('no GPU answers');
  return adapter;
};

const isSoftware = ({ info }: GPUAdapter): boolean =>
  /llvmpipe|lavapipe|swiftshader|software|basic render/i.test(`${info.vendor} ${info.architecture} ${info.device} ${info.description}`);

/** Why `gpu` should not be chosen automatically, in words; undefined when a real adapter answers. */
export const probeGpu = async (): Promise<string | undefined> => {
  try {
    return isSoftware(await findAdapter()) ? 'the only GPU adapter is a software one' : undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

/** The adapter's device, with all the storage bindings that it has. gpu.js, which would ask for fewer, gets the same one. */
const openDevice = async (adapter: GPUAdapter): Promise<GPUDevice> => {
  const { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const requiredLimits = { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize };
  const device = await adapter.requestDevice({ requiredLimits });
  adapter.requestDevice = async () => device;
  navigator.gpu.requestAdapter = async () => adapter;
  return device;
};

/** The three sizes of a launch's grid. */
const gridOf = ({ output: [x, y = 1, z = 1] }: KernelCall): number[] => [x, y, z];

const align = (n: number, to: number) => Math.ceil(n / to) * to;

/** What a launch binds for a buffer: the bytes in which it lies. Throws when nothing has been computed into it. */
const bindingOf = (buffer: Buffer<GPUBuffer>): GPUBufferBinding => ({
  buffer: memoryOf(buffer),
  offset: 4 * placeOf(buffer).offset,
  size: 4 * Math.max(buffer.size, 1),
});

/** Opens WebGPU. Rejects when no adapter answers. */
export const openGpu = async (): Promise<Device> => {
  const adapter = await findAdapter();
  const device = await openDevice(adapter);
  const compile = compiler('webgpu');
  const building = new Map<Compiled, Promise<void>>();
  const pool = new Map<number, GPUBuffer[]>();

  /** A storage buffer for n floats, from the pool of freed ones of its size where there is one. */
  const allocate = (n: number): GPUBuffer => {
    const size = align(Math.max(n * 4, 4), n * 4 < 4096 ? 256 : 4096);
    return pool.get(size)?.pop() ?? device.createBuffer({ size, usage: STORAGE });
  };

  const recycle = (buffer: GPUBuffer) => {
    const free = pool.get(buffer.size) ?? [];
    pool.set(buffer.size, free);
    free.push(buffer);
  };

  const build = async (call: KernelCall): Promise<void> => {
    const compiled = compile(call);
    if (!building.has(compiled)) {
      const { name } = compiled.kernel.constructor;
      if (name !== 'WebGPUKernel') throw new Error(`gpu: gpu.js chose ${name}, not WebGPU`);
      building.set(compiled, (compiled.kernel as Built).build(...argumentsOf(call.arrays.map(() => [0]), call)));
    }
    await building.get(compiled);
  };

  /** The uniform values of a launch, as gpu.js lays them out: the grid, four words an array, then the scalars. */
  const uniforms = (call: KernelCall, sizes: number[], built: Built): ArrayBuffer => {
    const { integers = [], floats = [] } = call;
    const grid = gridOf(call);
    const words = [...grid, built._computeDispatch(grid).dispatchWidth, ...sizes.flatMap((n) => [n, 1, 1, n])];
    const bytes = new ArrayBuffer(align((words.length + integers.length + floats.length) * 4, 16));
    new Uint32Array(bytes).set(words);
    new Int32Array(bytes).set(integers, words.length);
    new Float32Array(bytes).set(floats, words.length + integers.length);
    return bytes;
  };

  const submit = async (commands: Command<GPUBuffer>[], plans: Map<Command, KernelCall[]>): Promise<void> => {
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    const encoder = device.createCommandEncoder();
    const temporary: GPUBuffer[] = [];
    const reads: (() => Promise<void>)[] = [];

    const upload = (data: ArrayBuffer, usage: number): GPUBuffer => {
      const buffer = device.createBuffer({ size: align(data.byteLength, 16), usage, mappedAtCreation: true });
      new Uint8Array(buffer.getMappedRange()).set(new Uint8Array(data));
      buffer.unmap();
      temporary.push(buffer);
      return buffer;
    };

    const dispatch = (call: KernelCall, arrays: Buffer<GPUBuffer>[], output: GPUBufferBinding) => {
      const built = compile(call).kernel as Built;
      const uniform = { buffer: upload(uniforms(call, arrays.map((x) => Math.max(x.size, 1)), built), UNIFORM) };
      const resources = [uniform, ...arrays.map(bindingOf), output];
      const pass = encoder.beginComputePass();
      pass.setPipeline(built.computePipeline);
      pass.setBindGroup(
        0,
        device.createBindGroup({
          layout: built.bindGroupLayout,
          entries: resources.map((resource, binding) => ({ binding, resource })),
        }),
      );
      pass.dispatchWorkgroups(...built._computeDispatch(gridOf(call)).groups);
      pass.end();
    };

    const launch = (command: Launch<GPUBuffer>) => {
      command.output.memory = allocate(command.output.size);
      if (command.output.size === 0) return;
      const scratch = new Map<string, Buffer<GPUBuffer>>();
      for (const call of plans.get(command as Launch)!) {
        const arrays = call.arrays.map((which) => (typeof which === 'number' ? command.inputs[which] : scratch.get(which)!));
        const size = sizeOf(call.output);
        const memory = call.into === undefined ? command.output.memory : allocate(size);
        dispatch(call, arrays, { buffer: memory, offset: 4 * (call.at ?? 0), size: 4 * Math.max(size, 1) });
        if (call.into !== undefined) scratch.set(call.into, { size, memory });
      }
      for (const { memory } of scratch.values()) recycle(memory!);
    };

    for (const command of commands) {
      switch (command.kind) {
        case 'write': {
          command.buffer.memory = allocate(command.buffer.size);
          const data = Float32Array.from(command.data);
          if (data.length > 0) encoder.copyBufferToBuffer(upload(data.buffer, UPLOAD), 0, command.buffer.memory, 0, data.byteLength);
          break;
        }
        case 'free':
          if (command.buffer.memory !== undefined) recycle(command.buffer.memory);
          command.buffer.memory = undefined;
          break;
        case 'launch':
          launch(command);
          break;
        case 'read': {
          const bytes = command.buffer.size * 4;
          const staging = device.createBuffer({ size: Math.max(bytes, 4), usage: READ });
          if (bytes > 0) encoder.copyBufferToBuffer(memoryOf(command.buffer), 4 * placeOf(command.buffer).offset, staging, 0, bytes);
          reads.push(async () => {
            await staging.mapAsync(1);
            command.resolve(new Float32Array(staging.getMappedRange().slice(0, bytes)));
            staging.destroy();
          });
        }
      }
    }
    device.queue.submit([encoder.finish()]);
    for (const error of await Promise.all([device.popErrorScope(), device.popErrorScope()])) {
      if (error !== null) throw new Error(`gpu: ${error.message}`);
    }
    await Promise.all(reads.map((read) => read()));
    temporary.forEach((buffer) => buffer.destroy());
  };

  let tail: Promise<void> = Promise.resolve();
  const { vendor, architecture, description } = adapter.info;
  return {
    name: 'gpu',
    description: `gpu (${[vendor, architecture, description].filter(Boolean).join(' ')}, kernels by gpu.js)`,
    precision: 'f32',
    eager: false,
    run(commands) {
      const running = tail.then(async () => {
        const plans = new Map<Command, KernelCall[]>();
        for (const command of commands) {
          if (command.kind !== 'launch' || command.output.size === 0) continue;
          const calls = command.op.launches(command.params, command.specs, command.spec);
          plans.set(command, calls);
          for (const call of calls) await build(call);
        }
        await submit(commands as Command<GPUBuffer>[], plans);
      });
      tail = running.catch(() => undefined);
      return running;
    },
  };
};
