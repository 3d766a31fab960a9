/**
 * The `gpu` device: kernels that gpu.js translates to WGSL, on WebGPU: in browsers, and in Node through the optional
 * package `webgpu` (Dawn). gpu.js compiles; buffers, bindings and submission are ours. A list of commands goes out as one
 * submission, and nothing leaves the device between kernels. What a list needs that is not there yet, kernels and
 * buffers, is waited for; a list that needs nothing new is submitted before `run` returns, so a loop of equal steps costs
 * its host no more than the encoding.
 */
import { replacements } from '../fast/wgsl/replacements.ts';
import type { Command, Device } from './device.ts';
import { inNode } from './node.ts';
import { openBindings } from './gpu/bindings.ts';
import { describe, findAdapter, requestDevice, subgroupOf } from './gpu/adapter.ts';
import { openKernels } from './gpu/kernels.ts';
import { openEncoder } from './gpu/list.ts';
import type { Encoded } from './gpu/list.ts';
import type { Block } from './gpu/memory.ts';
import { openMemory } from './gpu/memory.ts';
import { openPlans } from './gpu/plans.ts';
import { openReadings } from './gpu/readings.ts';
import { openUniforms } from './gpu/uniforms.ts';

export { probeGpu } from './gpu/adapter.ts';

/** Commands of a list: those of a training step of the published sizes, so that it is one submission. */
const BATCH = 16384;
/** Lists that the GPU may have before it; the next ones wait. */
const MOST_SUBMITTED = 8;
/** Commands that may wait. More come only from a program that never awaits anything, which nobody else could stop. */
const MOST_WAITING = 2 ** 19;

const GO_ON = 'go on from the last checkpoint on another device (useDevice, --device wasm)';

export interface GpuOptions {
  /** Use our own shaders; otherwise every operation runs by its gpu.js definition. */
  readonly tuned?: boolean;
  /** Round what dense layers multiply to f16, and add up in f32; unless said, what AMBER_F16 says (docs/gpu.md). */
  readonly f16?: boolean;
  /** Use subgroups where the adapter has them. */
  readonly subgroups?: boolean;
}

const wantsF16 = (): boolean => inNode() && process.env.AMBER_F16 === '1';

/** What WebGPU finds wrong with what was asked of it; null when nothing is. */
type Check = Promise<GPUError | null>;

interface List {
  readonly commands: Command<Block>[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Opens WebGPU. Rejects when no adapter answers. */
export const openGpu = async (options: GpuOptions = {}): Promise<Device> => {
  const adapter = await findAdapter();
  return openGpuOn(await requestDevice(adapter), describe(adapter), options);
};

/** The `gpu` device on a WebGPU device, which it owns from now on. */
export const openGpuOn = (
  device: GPUDevice,
  description: string,
  { tuned = true, f16 = wantsF16(), subgroups = true }: GpuOptions = {},
): Device => {
  if (f16 && !device.features.has('shader-f16'))
    throw new Error('gpu: f16 was asked for (AMBER_F16), but this adapter lacks the feature shader-f16; leave it out');
  const kernels = openKernels(device);
  const uniforms = openUniforms(device);
  const memory = openMemory(device, (block) => bindings.forget(block));
  const bindings = openBindings(device, uniforms);
  const readings = openReadings(device);
  const plans = openPlans(device, kernels, uniforms, tuned ? replacements : {}, {
    f16,
    subgroup: subgroups ? subgroupOf(device) : 1,
  });
  const encoder = openEncoder({ device, memory, plans, bindings, readings });

  /** Why nothing can be computed any more. */
  let broken: Error | undefined;
  let lists: List[] = [];
  let waiting = 0;
  let isSubmitting = false;
  /** The lists that the GPU has before it, in order. */
  const submitted: Promise<unknown>[] = [];

  const lost = device.lost.then(({ message }) => {
    broken ??= new Error(
      `gpu: the device was lost, with all that it held (${message.trim() || 'no reason is given'}); ${GO_ON}`,
    );
    return broken;
  });

  /** Runs `f`; what WebGPU then finds wrong with what was asked of it is added to the checks. */
  const checked = <T>(f: () => T, checks: Check[]): T => {
    device.pushErrorScope('validation');
    try {
      return f();
    } finally {
      // A device that is lost may answer no more; that it is lost is said elsewhere.
      checks.push(device.popErrorScope().catch(() => null));
    }
  };

  /** Waits until a submitted list is done, and hands out what it read. What WebGPU refused breaks the device. */
  const finish = async (reads: Encoded['reads'], checks: Check[]): Promise<void> => {
    const values = reads.map(({ command, staging }) => readings.map(staging, command.buffer.size * 4));
    const done = await Promise.allSettled(reads.length > 0 ? values : [device.queue.onSubmittedWorkDone()]);
    const refused = (await Promise.all(checks)).find((error) => error !== null);
    if (refused) broken ??= new Error(`gpu: WebGPU refused what was asked of it: ${refused.message}; ${GO_ON}`);
    const rejected = done.find((result) => result.status === 'rejected');
    // A device that is lost says so a moment after the first promise that breaks.
    if (rejected !== undefined) await Promise.race([lost, new Promise((resolve) => setTimeout(resolve, 100))]);
    if (broken !== undefined) throw broken;
    if (rejected !== undefined) throw rejected.reason;
    reads.forEach(async ({ command }, i) => command.resolve(await values[i]));
  };

  /** Submits the lists that wait, in order; until the first one for which something must be waited for, at once. */
  const submitAll = async (): Promise<void> => {
    if (isSubmitting) return;
    isSubmitting = true;
    for (let list = lists.shift(); list !== undefined; list = lists.shift()) {
      const { commands, resolve, reject } = list;
      let reads: Encoded['reads'] = [];
      try {
        if (submitted.length >= MOST_SUBMITTED) await submitted[0];
        if (broken !== undefined) throw broken;
        const planned = encoder.prepare(commands);
        const building = kernels.building();
        if (building !== undefined) await building;
        const checks: Check[] = [];
        const encoded = checked(() => encoder.encode(commands, planned), checks);
        reads = encoded.reads;
        const making = memory.making();
        if (making !== undefined) await making;
        const { work } = encoded;
        if (work !== undefined) checked(() => device.queue.submit([work]), checks);
        const done = finish(reads, checks);
        done.then(resolve, reject);
        submitted.push(done.catch(() => undefined).then(() => void submitted.shift()));
      } catch (error) {
        // What else was being made for the list may fail too, and the first failure says enough. What WebGPU finds wrong with a
        // list that lacks memory follows from that.
        await Promise.allSettled([kernels.building(), memory.making()]);
        reads.forEach(({ staging }) => readings.release(staging));
        encoder.drop(commands);
        memory.trim();
        reject(error);
      }
      waiting -= commands.length;
    }
    isSubmitting = false;
  };

  return {
    name: 'gpu',
    description: `gpu (${description}, kernels by gpu.js${tuned ? ' and our own' : ''}${f16 ? ', dense layers in f16' : ''})`,
    precision: 'f32',
    eager: false,
    batch: BATCH,
    lost,
    run(commands) {
      if (waiting > MOST_WAITING)
        throw new Error(
          `gpu: ${waiting} operations wait; await a result now and then (data, item), so that the device can work them off`,
        );
      waiting += commands.length;
      return new Promise((resolve, reject) => {
        lists.push({ commands: commands as Command<Block>[], resolve, reject });
        void submitAll();
      });
    },
    async close() {
      while (isSubmitting || submitted.length > 0)
        await (submitted[0] ?? new Promise((resolve) => setTimeout(resolve, 0)));
      broken ??= new Error('gpu: the device was closed; open it again with useDevice');
      memory.close();
      readings.close();
      uniforms.close();
      device.destroy();
    },
  };
};
