/**
 * Kernels on the GPU: gpu.js writes the WGSL, the pipelines are ours, so that a device owns all that it makes. All have
 * one layout of bindings for each number of arrays: the uniform values at an offset given with each dispatch, then the
 * arrays, then what they fill.
 */
import type { KernelCall } from '../device.ts';
import { translator } from '../gpujs.ts';

/** A uniform block may be so many bytes: a grid, the sizes of 15 arrays and what numbers come to them. */
export const UNIFORM_BYTES = 512;

const COMPUTE = 4;

export interface Pipeline {
  readonly name: string;
  /** How many arrays it reads; it fills one. */
  readonly arrays: number;
  /** The threads of a workgroup. */
  readonly workgroup: readonly number[];
  /** Once it is built. */
  compute?: GPUComputePipeline;
}

export interface Kernels {
  /** The pipeline of a gpu.js kernel, which may have to be built yet. */
  of(call: KernelCall): Pipeline;
  /** A pipeline of WGSL that reads so many arrays and fills one; bound as above. */
  written(name: string, wgsl: string, arrays: number, workgroup: readonly number[]): Pipeline;
  /** The layout of bindings for so many arrays. */
  layout(arrays: number): GPUBindGroupLayout;
  /** Resolves when all pipelines asked for are built; undefined when they are. */
  building(): Promise<unknown> | undefined;
}

export const openKernels = (device: GPUDevice): Kernels => {
  const translate = translator();
  const layouts: GPUBindGroupLayout[] = [];
  const pipelines = new Map<unknown, Pipeline>();
  let unbuilt: Promise<void>[] = [];

  const layout = (arrays: number): GPUBindGroupLayout => {
    const entry = (binding: number, buffer: GPUBufferBindingLayout) => ({ binding, visibility: COMPUTE, buffer });
    return (layouts[arrays] ??= device.createBindGroupLayout({
      entries: [
        entry(0, { type: 'uniform', hasDynamicOffset: true }),
        ...Array.from({ length: arrays }, (_, i) => entry(i + 1, { type: 'read-only-storage' })),
        entry(arrays + 1, { type: 'storage' }),
      ],
    }));
  };

  const build = async (pipeline: Pipeline, code: string): Promise<void> => {
    const most = device.limits.maxStorageBuffersPerShaderStage;
    if (pipeline.arrays + 1 > most) {
      throw new Error(`gpu: ${pipeline.name} needs ${pipeline.arrays + 1} storage buffers at once, but this adapter binds ${most} at most; compute on wasm`);
    }
    pipeline.compute = await device.createComputePipelineAsync({
      label: pipeline.name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout(pipeline.arrays)] }),
      compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
    });
  };

  /** What was made for `key`, or a pipeline that is being built from now on. */
  const made = (key: unknown, name: string, arrays: number, source: () => { wgsl: string; workgroup: readonly number[] }): Pipeline => {
    const found = pipelines.get(key);
    if (found !== undefined) return found;
    const { wgsl, workgroup } = source();
    const pipeline: Pipeline = { name, arrays, workgroup };
    pipelines.set(key, pipeline);
    const building = build(pipeline, wgsl);
    // One that fails fails the list that asked for it, and is tried anew for the next.
    building.catch(() => pipelines.delete(key));
    unbuilt.push(building);
    return pipeline;
  };

  return {
    of: (call) => made(call.kernel, call.kernel.name, call.arrays.length, () => translate(call)),
    written: (name, wgsl, arrays, workgroup) => made(wgsl, name, arrays, () => ({ wgsl, workgroup })),
    layout,
    building() {
      if (unbuilt.length === 0) return undefined;
      const all = Promise.all(unbuilt);
      unbuilt = [];
      return all;
    },
  };
};
