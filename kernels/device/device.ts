/**
 * What a device is: something that carries out a list of commands in order. The library never computes; it appends
 * commands to a list (queue.ts) and a device runs them: `write` fills a buffer from the host, `launch` runs one
 * operation from input buffers into an output buffer, `free` gives a buffer back, `read` copies one to the host. The
 * order of the list is the order of effects, so a buffer may be freed in the list right after its last use, and its
 * memory may serve the next `launch`: allocation is deterministic, and the whole list can go out as one GPU submission
 * or one hand-over to worker threads.
 */
import type { Simd } from './wasm/module.ts';
import type { Spec } from '../../lib/shape.ts';

export type DeviceName = 'gpu' | 'wasm' | 'cpu' | 'reference';
export type Values = Float32Array | Float64Array;
export type Params = object;

/** The indices of the output element that one call of a kernel computes; gpu.js provides them as `this.thread`. */
export interface Thread {
  thread: { x: number; y: number; z: number };
}

/** A gpu.js kernel function: arrays first, then integers, then floats; returns one element of the output. */
export type Kernel = (this: Thread, ...args: never[]) => number;

/**
 * One kernel launch of an operation. `arrays` names inputs by their index and scratch arrays by a name; `into` names a
 * scratch array to fill, and without it the result is the operation's output, or what of it begins at element `at`, a
 * multiple of `ALIGNED`. `output` is the size of the grid, x first: element (x, y, z) lies at `(z · height + y) · width + x`.
 */
export interface KernelCall {
  readonly kernel: Kernel;
  readonly arrays: readonly (number | string)[];
  readonly integers?: readonly number[];
  readonly floats?: readonly number[];
  readonly output: readonly number[];
  readonly into?: string;
  readonly at?: number;
}

/** What a device must know of an operation to run it; lib/op.ts adds the mathematics. */
export interface Runnable<P extends Params = Params> {
  readonly name: string;
  /** Textbook definition, in double-precision loops: fills `out` from `inputs`. */
  readonly reference: (inputs: Values[], out: Values, params: P, specs: readonly Spec[], output: Spec) => void;
  /** The kernel launches that compute it. */
  readonly launches: (params: P, specs: readonly Spec[], output: Spec) => KernelCall[];
}

/**
 * A place for `size` elements on a device. `memory` is the device's own handle, present from first write to free. A part of
 * another buffer, the whole, has no memory of its own: it is only read, and begins `offset` elements into the whole, a
 * multiple of `ALIGNED` (lib/shape.ts). The whole is no part itself.
 */
export interface Buffer<Memory = unknown> {
  readonly size: number;
  memory?: Memory;
  readonly part?: { readonly whole: Buffer<Memory>; readonly offset: number };
}

/** The whole in whose memory a buffer lies (itself, when it is no part), and the elements before it. */
export const placeOf = <Memory>(buffer: Buffer<Memory>): { whole: Buffer<Memory>; offset: number } =>
  buffer.part ?? { whole: buffer, offset: 0 };

export type Command<Memory = unknown> =
  | { readonly kind: 'write'; readonly buffer: Buffer<Memory>; readonly data: ArrayLike<number> }
  | { readonly kind: 'free'; readonly buffer: Buffer<Memory> }
  | {
      readonly kind: 'read';
      readonly buffer: Buffer<Memory>;
      readonly resolve: (data: Values) => void;
      readonly reject: (error: unknown) => void;
    }
  | {
      readonly kind: 'launch';
      readonly op: Runnable;
      readonly params: Params;
      readonly inputs: readonly Buffer<Memory>[];
      readonly specs: readonly Spec[];
      readonly output: Buffer<Memory>;
      readonly spec: Spec;
    };

export type Launch<Memory = unknown> = Extract<Command<Memory>, { kind: 'launch' }>;

export interface Device {
  readonly name: DeviceName;
  /** What runs, in words: `wasm (gpu.js webasm, one thread)`. */
  readonly description: string;
  /** The precision in which it stores and computes. */
  readonly precision: 'f32' | 'f64';
  /** Threads that compute, where the device chooses their number. */
  readonly threads?: number;
  /** The vector instructions that its kernels use, where they are ours. */
  readonly simd?: Simd;
  /** Commands run as soon as they are given, so that an error or a breakpoint shows the caller. */
  readonly eager: boolean;
  /** Commands that may gather before they are handed over, 96 unless told otherwise: more where a submission is dear. */
  readonly batch?: number;
  /** Resolves to the reason when the device is gone for good, with all that it held. */
  readonly lost?: Promise<Error>;
  /** Gives back all that it holds, when what was handed over is done. */
  readonly close?: () => Promise<void>;
  /** Carries out the commands in order. May keep running after it returns, but then keeps the order across calls. */
  readonly run: (commands: Command[]) => void | Promise<void>;
}
