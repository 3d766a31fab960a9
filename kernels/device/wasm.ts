/**
 * The `wasm` device: all tensors in one linear memory, every operation that matters by a SIMD kernel of our own, the
 * others by gpu.js's WebAssembly with copies in and out. Commands become lists of kernel calls in that memory, which are
 * carried out while the event loop is idle.
 */
import { replacements } from '../fast/wasm/replacements.ts';
import type { Call } from '../fast/wasm/call.ts';
import type { Command, Device, Launch } from './device.ts';
import { compiler, launchOnHost } from './gpujs.ts';
import { valuesOf } from './host.ts';
import { openList } from './wasm/list.ts';
import { openMemory } from './wasm/memory.ts';
import { instantiate, kernelNames, loadModule } from './wasm/module.ts';
import { openThreads } from './wasm/threads.ts';

export interface WasmOptions {
  /** Use our own kernels; otherwise every operation runs by its gpu.js definition. */
  readonly tuned?: boolean;
}

/** Floats that one chunk of a copy moves. */
const COPY_GRAIN = 65536;

/** The first address for tensors; what the module itself needs lies below. */
const BASE = 65536;

/** Opens the device. Throws when the engine has no WebAssembly SIMD. */
export const openWasm = async ({ tuned = true }: WasmOptions = {}): Promise<Device> => {
  const { module, simd } = await loadModule();
  const pages = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
  const memory = openMemory(pages, BASE);
  const { exports, first } = instantiate(module, pages);
  const numbers = new Map(kernelNames(module).map((name, i) => [name, first + i]));
  const threads = openThreads(memory, exports);
  const compile = compiler('webasm');

  const numberOf = (kernel: string): number => {
    const number = numbers.get(kernel);
    if (number === undefined) throw new Error(`wasm: there is no kernel '${kernel}'`);
    return number;
  };

  const copy = (from: number, to: number, items: number): Call => ({ kernel: 'copy', items, grain: COPY_GRAIN, integers: [from, to] });

  /** Runs an operation by its gpu.js definition, on copies. */
  const runDefinition = ({ op, params, inputs, specs, output, spec }: Launch<number>): void => {
    const arrays = inputs.map((x) => memory.floats(valuesOf(x), x.size));
    const result = launchOnHost(compile, op.launches(params, specs, spec), arrays, ({ kernel }, call) => {
      const ran = kernel.constructor.name;
      if (ran !== 'WebAssemblyKernel') throw new Error(`wasm: gpu.js ran ${call.kernel.name} on ${ran}, not on WebAssembly`);
    });
    memory.floats(valuesOf(output), output.size).set(result);
  };

  const run = (commands: Command<number>[]): Promise<void> => {
    let list = openList(numberOf);
    let borrowed: { address: number; size: number }[] = [];
    let reads: (() => void)[] = [];

    const borrow = (size: number): number => {
      const address = memory.staging.allocate(size);
      borrowed.push({ address, size });
      return address;
    };

    /** Hands over what was collected. */
    const submit = (): Promise<void> => {
      const [lent, waiting] = [borrowed, reads];
      const done = threads.submit(list.store(memory), () => {
        waiting.forEach((read) => read());
        lent.forEach(({ address, size }) => memory.staging.release(address, size));
      });
      list = openList(numberOf);
      borrowed = [];
      reads = [];
      return done;
    };

    const launch = (command: Launch<number>): void => {
      const { op, params, inputs, specs, output, spec } = command;
      const addresses = inputs.map(valuesOf);
      output.memory = memory.tensors.allocate(output.size);
      if (output.size === 0) return;
      const scratches: { address: number; size: number }[] = [];
      const scratch = (size: number) => {
        const address = memory.tensors.allocate(size);
        scratches.push({ address, size });
        return address;
      };
      const definition = () => op.launches(params, specs, spec);
      const site = { params, specs, spec, inputs: addresses, output: output.memory, definition, scratch };
      const calls = tuned ? replacements[op.name]?.(site) : undefined;
      scratches.forEach(({ address, size }) => memory.tensors.release(address, size));
      if (calls !== undefined) {
        calls.forEach(list.append);
        return;
      }
      if (!list.isEmpty()) void submit().catch(() => undefined);
      threads.finish();
      runDefinition(command);
    };

    const carryOut = (command: Command<number>): void => {
      switch (command.kind) {
        case 'write': {
          const { buffer, data } = command;
          buffer.memory = memory.tensors.allocate(buffer.size);
          if (buffer.size === 0) break;
          const staged = borrow(buffer.size);
          memory.floats(staged, buffer.size).set(data);
          list.append(copy(staged, buffer.memory, buffer.size));
          break;
        }
        case 'free':
          if (command.buffer.memory !== undefined) memory.tensors.release(command.buffer.memory, command.buffer.size);
          command.buffer.memory = undefined;
          break;
        case 'read': {
          const { size } = command.buffer;
          const staged = borrow(size);
          list.append(copy(valuesOf(command.buffer), staged, size));
          reads.push(() => command.resolve(memory.floats(staged, size).slice()));
          break;
        }
        case 'launch':
          launch(command);
      }
    };

    try {
      commands.forEach(carryOut);
    } catch (error) {
      void submit().catch(() => undefined);
      throw error;
    }
    return submit();
  };

  return {
    name: 'wasm',
    description: `wasm (${tuned ? `our kernels, ${simd === 'relaxed' ? 'relaxed SIMD' : 'SIMD'}` : 'gpu.js kernels'}, one thread)`,
    precision: 'f32',
    eager: false,
    run: (commands: Command[]) => run(commands as Command<number>[]),
  };
};

