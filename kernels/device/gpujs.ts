/**
 * The only place that talks to gpu.js: it compiles our kernel functions for one of its backends. Shapes are arguments,
 * so one compiled kernel serves every shape. gpu.js's typings know neither flat inputs as values nor the type of a built
 * kernel; the casts for both live here. Kernels that call `threefry` get it as a gpu.js function.
 */
import gpujs from 'gpu.js';
import { sizeOf } from '../../lib/shape.ts';
import { threefry } from '../random.ts';
import type { Kernel, KernelCall, Values } from './device.ts';

/** What `gpu.createKernel` returns, as far as we use it. */
export interface Compiled {
  (...args: unknown[]): unknown;
  kernel: object;
  setOutput(output: number[]): void;
}

type Mode = 'cpu' | 'webasm' | 'webgpu';

interface GpuJs {
  createKernel(kernel: Kernel | string, settings: object): Compiled;
  addFunction(f: ((...args: never[]) => number) | string, settings: object): void;
}

const { GPU, input, ...backends } = gpujs as unknown as {
  GPU: new (settings: { mode: Mode }) => GpuJs;
  CPUKernel: Function;
  WebAssemblyKernel: Function;
  WebGPUKernel: Function;
  input: (data: ArrayLike<number>, size: number[]) => unknown;
};

/** The backend that a kernel was really compiled for: gpu.js falls back in silence. By class, since a bundler renames classes. */
export const backendOf = ({ kernel }: Compiled): string =>
  ['WebGPUKernel' as const, 'WebAssemblyKernel' as const, 'CPUKernel' as const].find(
    (name) => kernel instanceof backends[name],
  ) ?? 'another backend';

/** What gpu.js is to compile: the source that a build has kept from the minifier (kernels/sources.mjs), else the function. */
const sourceOf = <F extends (...args: never[]) => number>(f: F & { readonly source?: string }): F | string =>
  f.source ?? f;

/** The arguments of a launch as gpu.js takes them: arrays as flat inputs, then integers, then floats. */
export const argumentsOf = (arrays: ArrayLike<number>[], { integers = [], floats = [] }: KernelCall): unknown[] => [
  ...arrays.map((data) => input(data.length > 0 ? data : [0], [Math.max(data.length, 1)])),
  ...integers,
  ...floats,
];

/** A compiler for one backend: one compiled kernel for each kernel function, whatever the shapes. */
export const compiler = (mode: Mode): ((call: KernelCall) => Compiled) => {
  const gpu = new GPU({ mode });
  gpu.addFunction(sourceOf(threefry), {
    argumentTypes: Object.fromEntries(['a', 'b', 'c', 'd', 'block', 'tag', 'part'].map((name) => [name, 'Integer'])),
    returnType: 'Number',
  });
  const compiled = new Map<Kernel, Compiled>();
  return ({ kernel, arrays, integers = [], floats = [], output }) => {
    const found = compiled.get(kernel);
    if (found !== undefined) return found;
    const made = gpu.createKernel(sourceOf(kernel), {
      // It refuses an empty output, though a later launch may well have one.
      output: output.map((n) => Math.max(n, 1)),
      dynamicOutput: true,
      dynamicArguments: true,
      loopMaxIterations: 1 << 24,
      argumentTypes: [...arrays.map(() => 'Input'), ...integers.map(() => 'Integer'), ...floats.map(() => 'Number')],
    });
    compiled.set(kernel, made);
    return made;
  };
};

/** What gpu.js makes of a kernel for WebGPU. Internals of the pinned version. */
interface Translated {
  build(...args: unknown[]): unknown;
  _buildAsync(): Promise<void>;
  readonly compiledSource: string;
}

/** Threads of a workgroup. */
export const WORKGROUP = 64;

/** How gpu.js begins a kernel over two or three axes: in tiles, of which WebGPU has too few on a long axis. */
const TILED = /@workgroup_size\(8, 8, 1\)\s*fn main\(@builtin\(global_invocation_id\) gid : vec3<u32>\) \{/;

/** The same over the elements one after another, in workgroups that are folded as gpu.js folds those of a single axis. */
const FLAT = `@workgroup_size(${WORKGROUP}, 1, 1)
fn main(@builtin(global_invocation_id) id : vec3<u32>) {
  let flat : u32 = id.x + id.y * params.dispatchWidth;
  let gid = vec3<u32>(flat % params.outputX, (flat / params.outputX) % params.outputY, flat / (params.outputX * params.outputY));`;

/**
 * A translator to WGSL, by kernel: a thread an element, in workgroups of `WORKGROUP`. What gpu.js would do next, on a device
 * of its own, is left out.
 */
export const translator = (): ((call: KernelCall) => string) => {
  const compile = compiler('webgpu');
  return (call) => {
    const compiled = compile(call);
    const backend = backendOf(compiled);
    if (backend !== 'WebGPUKernel') throw new Error(`gpu: gpu.js chose ${backend} for ${call.kernel.name}, not WebGPU`);
    const kernel = compiled.kernel as Translated;
    kernel._buildAsync = () => Promise.resolve();
    kernel.build(
      ...argumentsOf(
        call.arrays.map(() => [0]),
        call,
      ),
    );
    return kernel.compiledSource.replace(TILED, FLAT);
  };
};

/** gpu.js gives rows of rows; one flat array of them. */
export const flatten = (result: unknown, size: number): Float32Array => {
  const rows = (nested: unknown): Float32Array[] =>
    nested instanceof Float32Array ? [nested] : (nested as unknown[]).flatMap(rows);
  const parts = rows(result);
  const first = parts[0];
  if (first.length === size) return first;
  if (first.byteOffset === 0 && first.buffer.byteLength === size * 4) return new Float32Array(first.buffer);
  const flat = new Float32Array(size);
  parts.reduce((offset, part) => (flat.set(part, offset), offset + part.length), 0);
  return flat;
};

/** Runs the kernels of one operation on host arrays, scratch arrays between them; returns the output, of this size. */
export const launchOnHost = (
  compile: (call: KernelCall) => Compiled,
  calls: KernelCall[],
  inputs: Values[],
  size: number,
  check: (compiled: Compiled, call: KernelCall) => void,
): Float32Array => {
  const scratch = new Map<string, Float32Array>();
  let output: Float32Array | undefined;
  const run = (call: KernelCall): Float32Array => {
    const length = sizeOf(call.output);
    if (length === 0) return new Float32Array(0);
    const compiled = compile(call);
    compiled.setOutput([...call.output]);
    const arrays = call.arrays.map((which) => (typeof which === 'number' ? inputs[which] : scratch.get(which)!));
    const result = flatten(compiled(...argumentsOf(arrays, call)), length);
    check(compiled, call);
    return result;
  };
  for (const call of calls) {
    const result = run(call);
    if (call.into !== undefined) scratch.set(call.into, result);
    else if (call.at === undefined) output = result;
    else (output ??= new Float32Array(size)).set(result, call.at);
  }
  return output!;
};
