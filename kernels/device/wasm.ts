/**
 * The `wasm` device: all tensors in one linear memory, every operation that matters by a SIMD kernel of our own, the
 * others by gpu.js's WebAssembly with copies in and out. Commands become lists of kernel calls in that memory, which are
 * carried out while the event loop is idle.
 */
import { replacements } from '../fast/wasm/replacements.ts';
import type { Call } from '../fast/wasm/call.ts';
import type { Buffer, Command, Device, Launch } from './device.ts';
import { placeOf } from './device.ts';
import { backendOf, compiler, launchOnHost } from './gpujs.ts';
import { memoryOf } from './host.ts';
import { inNode, nodeModule } from './node.ts';
import { openList } from './wasm/list.ts';
import { openMemory } from './wasm/memory.ts';
import type { Simd } from './wasm/module.ts';
import { loadKernels } from './wasm/module.ts';
import { openProfile } from './wasm/profile.ts';
import { openThreads } from './wasm/threads.ts';

export interface WasmOptions {
  /** Use our own kernels; otherwise every operation runs by its gpu.js definition. */
  readonly tuned?: boolean;
  /** Threads, this one included; AMBER_THREADS says how many, else as many as there are processors. */
  readonly threads?: number;
  /** Which instructions; the best that the engine has unless told otherwise. */
  readonly simd?: Simd;
}

const IN_WORDS: Record<Simd, string> = { simd128: 'SIMD', relaxed: 'relaxed SIMD', wide: 'wide SIMD' };

/** Floats that one chunk of a copy moves. */
const COPY_GRAIN = 65536;

/** Where a buffer begins. Throws when nothing has been computed into it. */
const addressOf = (buffer: Buffer<number>): number => memoryOf(buffer) + 4 * placeOf(buffer).offset;

/** The first address for tensors; what the module itself needs lies below. */
const BASE = 65536;

/** What AMBER_THREADS says, else the number of processors; one where threads cannot share memory. */
const defaultThreads = async (): Promise<number> => {
  if (!inNode() && !globalThis.crossOriginIsolated) return 1;
  const wish = inNode() ? process.env.AMBER_THREADS : undefined;
  if (wish === undefined || wish === '') return inNode() ? (await nodeModule('node:os')).availableParallelism() : navigator.hardwareConcurrency;
  if (!/^[1-9]\d*$/.test(wish)) throw new Error(`AMBER_THREADS is '${wish}'; set it to a whole number of threads, from 1`);
  return Number(wish);
};

/** Opens the device. Throws when the engine has no WebAssembly SIMD. */
export const openWasm = async ({ tuned = true, threads: wish, simd }: WasmOptions = {}): Promise<Device> => {
  const count = wish ?? (await defaultThreads());
  const compiled = await loadKernels(simd);
  const memory = openMemory(compiled.memory, BASE);
  const newList = () => openList(compiled.numberOf, count);
  const threads = await openThreads(compiled, memory, newList().store(memory), count);
  const compile = compiler('webasm');
  const profile = openProfile();

  const copy = (from: number, to: number, items: number): Call => ({ kernel: 'copy', items, grain: COPY_GRAIN, integers: [from, to] });

  /** Runs an operation by its gpu.js definition, on copies. */
  const runDefinition = ({ op, params, inputs, specs, output, spec }: Launch<number>): void => {
    const arrays = inputs.map((x) => memory.floats(addressOf(x), x.size));
    const result = launchOnHost(compile, op.launches(params, specs, spec), arrays, output.size, (compiled, call) => {
      const ran = backendOf(compiled);
      if (ran !== 'WebAssemblyKernel') throw new Error(`wasm: gpu.js ran ${call.kernel.name} on ${ran}, not on WebAssembly`);
    });
    memory.floats(addressOf(output), output.size).set(result);
  };

  const run = (commands: Command<number>[]): Promise<void> => {
    let list = newList();
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
      list = newList();
      borrowed = [];
      reads = [];
      return done;
    };

    /** Hands over what was collected, and waits until it is done. */
    const finish = (): void => {
      if (!list.isEmpty()) void submit().catch(() => undefined);
      threads.finish();
    };

    /** The kernel calls of a launch; undefined where its definition must do. Its scratch memory may serve the next one. */
    const callsOf = ({ op, params, inputs, specs, output, spec }: Launch<number>): Call[] | undefined => {
      const replacement = tuned ? replacements[op.name] : undefined;
      if (replacement === undefined) return undefined;
      const scratches: { address: number; size: number }[] = [];
      const calls = replacement({
        params,
        specs,
        spec,
        inputs: inputs.map(addressOf),
        output: addressOf(output),
        wide: compiled.simd === 'wide',
        definition: () => op.launches(params, specs, spec),
        scratch(size) {
          const address = memory.tensors.allocate(size);
          scratches.push({ address, size });
          return address;
        },
      });
      scratches.forEach(({ address, size }) => memory.tensors.release(address, size));
      return calls;
    };

    /** Carries out a launch at once, whose calls, if it has any, were appended. */
    const carry = (command: Launch<number>, calls: Call[] | undefined): void => (calls === undefined ? runDefinition(command) : finish());

    const launch = (command: Launch<number>): void => {
      const { op, inputs, output } = command;
      inputs.forEach(addressOf);
      output.memory = memory.tensors.allocate(output.size);
      if (output.size === 0) return;
      const calls = callsOf(command);
      if (calls === undefined || profile !== undefined) finish();
      calls?.forEach(list.append);
      if (profile !== undefined) profile.time(calls === undefined ? `${op.name} (by its definition)` : op.name, () => carry(command, calls));
      else if (calls === undefined) carry(command, calls);
    };

    const carryOut = (command: Command<number>): void => {
      switch (command.kind) {
        case 'write': {
          const { buffer, data } = command;
          const { unused } = memory;
          buffer.memory = memory.tensors.allocate(buffer.size);
          if (buffer.size === 0) break;
          // A block that was freed may yet be read by what waits, so its new content waits elsewhere; a new one is free now.
          const isNew = buffer.memory >= unused;
          const place = isNew ? buffer.memory : borrow(buffer.size);
          memory.floats(place, buffer.size).set(data);
          if (!isNew) list.append(copy(place, buffer.memory, buffer.size));
          break;
        }
        case 'free':
          if (command.buffer.memory !== undefined) memory.tensors.release(command.buffer.memory, command.buffer.size);
          command.buffer.memory = undefined;
          break;
        case 'read': {
          const { size } = command.buffer;
          const staged = borrow(size);
          list.append(copy(addressOf(command.buffer), staged, size));
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
    description: `wasm (${tuned ? `our kernels, ${IN_WORDS[compiled.simd]}` : 'gpu.js kernels'}, ${count === 1 ? 'one thread' : `${count} threads`})`,
    precision: 'f32',
    threads: count,
    ...(tuned && { simd: compiled.simd }),
    eager: false,
    run: (commands: Command[]) => run(commands as Command<number>[]),
  };
};

