/**
 * A list of commands as one command buffer. Memory is handed out in the order of the list, which is the order in which the
 * GPU works, so a block that is freed may serve the next launch. What the host writes gets its block before all else: it
 * is written before the list begins, when nothing of the list can be using that block any more.
 */
import { OUTPUT } from '../../fast/wgsl/dispatch.ts';
import type { Buffer, Command, Launch } from '../device.ts';
import { placeOf } from '../device.ts';
import { memoryOf } from '../host.ts';
import type { Bindings, Bound } from './bindings.ts';
import { rangeOf } from './bindings.ts';
import type { Block, Memory } from './memory.ts';
import type { Dispatch, Plan, Plans } from './plans.ts';
import type { Readings } from './readings.ts';

type Read = Extract<Command<Block>, { kind: 'read' }>;

type Planned = readonly (Plan | undefined)[];

export interface Encoded {
  /** Undefined when there is nothing for the GPU to do. */
  readonly work?: GPUCommandBuffer;
  readonly reads: readonly { readonly command: Read; readonly staging: GPUBuffer }[];
}

export interface Encoder {
  /** The plans of the launches of a list, by their places; their kernels may have to be built yet. */
  prepare(commands: readonly Command<Block>[]): Planned;
  /** Throws when there is no memory, or an input was never computed; then the list must be dropped. */
  encode(commands: readonly Command<Block>[], planned: Planned): Encoded;
  /** Of a list that is not carried out: what it was to compute is missing, what it was to free is freed. */
  drop(commands: readonly Command<Block>[]): void;
}

/** What is needed of the device to encode. */
export interface Parts {
  readonly device: GPUDevice;
  readonly memory: Memory;
  readonly plans: Plans;
  readonly bindings: Bindings;
  readonly readings: Readings;
}

const boundOf = (buffer: Buffer<Block>): Bound => {
  const block = memoryOf(buffer);
  return buffer.part === undefined ? { block } : rangeOf(block, buffer.part.offset, buffer.size);
};

export const openEncoder = ({ device, memory, plans, bindings, readings }: Parts): Encoder => {
  const free = (buffer: Buffer<Block>): void => {
    if (buffer.memory !== undefined) memory.release(buffer.memory);
    buffer.memory = undefined;
  };

  return {
    prepare(commands) {
      plans.begin();
      return commands.map((command) =>
        command.kind === 'launch' && command.output.size > 0 ? plans.of(command as Launch) : undefined,
      );
    },

    encode(commands, planned) {
      memory.begin();
      const freed = new Set<Buffer<Block>>();
      for (const command of commands) if (command.kind === 'free') freed.add(command.buffer);
      const allocate = (buffer: Buffer<Block>): Block =>
        (buffer.memory = memory.allocate(buffer.size, freed.has(buffer)));

      const encoder = device.createCommandEncoder();
      const reads: { command: Read; staging: GPUBuffer }[] = [];
      let pass: GPUComputePassEncoder | undefined;
      let current: GPUComputePipeline | undefined;
      let isEmpty = true;

      const endPass = (): void => {
        pass?.end();
        pass = current = undefined;
      };

      const dispatch = ({ pipeline, groups, uniforms }: Dispatch, bound: readonly Bound[]): void => {
        if (pipeline.compute === undefined) throw new Error(`gpu: the kernel ${pipeline.name} did not compile`);
        isEmpty = false;
        pass ??= encoder.beginComputePass();
        if (pipeline.compute !== current) pass.setPipeline(pipeline.compute);
        current = pipeline.compute;
        pass.setBindGroup(0, bindings.group(pipeline.layout, uniforms.page, bound), [uniforms.offset]);
        pass.dispatchWorkgroups(...groups);
      };

      const launch = ({ inputs, output }: Launch<Block>, plan: Plan | undefined): void => {
        const read = inputs.map(boundOf);
        const filled: Bound = { block: allocate(output) };
        if (plan === undefined) return;
        const scratch = new Map<string, Bound>();
        const place = (which: number | string): Bound =>
          typeof which === 'number' ? read[which] : which === OUTPUT ? filled : scratch.get(which)!;
        try {
          plan.scratch.forEach((size, name) => scratch.set(name, { block: memory.allocate(size, true) }));
          for (const one of plan.dispatches) {
            const bound = one.arrays.map(place);
            if (one.range) bound[bound.length - 1] = rangeOf(filled.block, one.range.from, one.range.size);
            dispatch(one, bound);
          }
        } finally {
          scratch.forEach(({ block }) => memory.release(block));
        }
      };

      const read = (command: Read): void => {
        endPass();
        isEmpty = false;
        const bytes = command.buffer.size * 4;
        const staging = readings.stage(bytes);
        reads.push({ command, staging });
        if (bytes > 0)
          encoder.copyBufferToBuffer(
            memoryOf(command.buffer).buffer,
            4 * placeOf(command.buffer).offset,
            staging,
            0,
            bytes,
          );
      };

      for (const command of commands) {
        if (command.kind !== 'write') continue;
        const { buffer } = allocate(command.buffer);
        const { data } = command;
        device.queue.writeBuffer(buffer, 0, data instanceof Float32Array ? data : Float32Array.from(data));
      }
      try {
        commands.forEach((command, i) => {
          if (command.kind === 'launch') launch(command, planned[i]);
          else if (command.kind === 'free') free(command.buffer);
          else if (command.kind === 'read') read(command);
        });
      } catch (error) {
        reads.forEach(({ staging }) => readings.release(staging));
        throw error;
      }
      endPass();
      return { work: isEmpty ? undefined : encoder.finish(), reads };
    },

    drop(commands) {
      for (const command of commands) {
        if (command.kind === 'write') free(command.buffer);
        else if (command.kind === 'free') free(command.buffer);
        else if (command.kind === 'launch') free(command.output);
      }
    },
  };
};
