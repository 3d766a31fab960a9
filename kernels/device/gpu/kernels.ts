/**
 * Kernels on the GPU: gpu.js writes the WGSL, the pipelines are ours, so that a device owns all that it makes. What binds
 * is the same for all that read and fill equally many arrays: the uniform values, at an offset given with each dispatch,
 * then the arrays that are read, then those that are filled.
 */
import type { KernelCall } from '../device.ts';
import { translator } from '../gpujs.ts';

/** A uniform block may be so many bytes: a grid, the sizes of 15 arrays and what numbers come to them. */
export const UNIFORM_BYTES = 512;

const COMPUTE = 4;

/** The layout of what is bound; `kind` tells it from others. */
export interface Layout {
  readonly kind: string;
  readonly bindings: GPUBindGroupLayout;
}

export interface Pipeline {
  readonly name: string;
  readonly layout: Layout;
  /** Once it is built. */
  compute?: GPUComputePipeline;
}

export interface Kernels {
  /** The pipeline of a gpu.js kernel, which may have to be built yet. */
  of(call: KernelCall): Pipeline;
  /** The pipeline of a text in WGSL that binds as above. */
  written(name: string, wgsl: string): Pipeline;
  /** Resolves when all pipelines asked for are built; undefined when they are. */
  building(): Promise<unknown> | undefined;
}

export const openKernels = (device: GPUDevice): Kernels => {
  const translate = translator();
  const layouts = new Map<string, Layout>();
  const pipelines = new Map<unknown, Pipeline>();
  let unbuilt: Promise<void>[] = [];

  /** The layout of what a text binds. */
  const layoutOf = (name: string, wgsl: string): Layout => {
    const [reads, fills] = ['read', 'read_write'].map((access) => wgsl.split(`var<storage, ${access}>`).length - 1);
    const most = device.limits.maxStorageBuffersPerShaderStage;
    if (reads + fills > most) {
      throw new Error(
        `gpu: ${name} needs ${reads + fills} storage buffers at once, but this adapter binds ${most} at most; compute on wasm`,
      );
    }
    const kind = `${reads}+${fills}`;
    const entry = (binding: number, buffer: GPUBufferBindingLayout) => ({ binding, visibility: COMPUTE, buffer });
    const make = () =>
      device.createBindGroupLayout({
        entries: [
          entry(0, { type: 'uniform', hasDynamicOffset: true }),
          ...Array.from({ length: reads + fills }, (_, i) =>
            entry(i + 1, { type: i < reads ? 'read-only-storage' : 'storage' }),
          ),
        ],
      });
    const layout = layouts.get(kind) ?? { kind, bindings: make() };
    layouts.set(kind, layout);
    return layout;
  };

  const build = async (pipeline: Pipeline, code: string): Promise<void> => {
    const { name, layout } = pipeline;
    const descriptor: GPUComputePipelineDescriptor = {
      label: name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout.bindings] }),
      compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
    };
    pipeline.compute = await device.createComputePipelineAsync(descriptor).catch((cause: Error) => {
      throw new Error(`gpu: the kernel ${name} does not compile on this adapter: ${cause.message}; compute on wasm`, {
        cause,
      });
    });
  };

  /** What was made for `key`, or a pipeline that is being built from now on. */
  const made = (key: unknown, name: string, source: () => string): Pipeline => {
    const found = pipelines.get(key);
    if (found !== undefined) return found;
    const wgsl = source();
    const pipeline: Pipeline = { name, layout: layoutOf(name, wgsl) };
    pipelines.set(key, pipeline);
    unbuilt.push(build(pipeline, wgsl));
    return pipeline;
  };

  return {
    of: (call) => made(call.kernel, call.kernel.name, () => translate(call)),
    written: (name, wgsl) => made(wgsl, name, () => wgsl),
    building() {
      if (unbuilt.length === 0) return undefined;
      const all = Promise.all(unbuilt);
      unbuilt = [];
      return all;
    },
  };
};
