/**
 * What a tuned replacement is: for one operation, the calls of our compiled kernels (assembly/) that compute it. A call
 * says how many items there are (rows, blocks, elements) and how many make a chunk; chunks may run in any order and on
 * any thread, and one call ends before the next one begins.
 */
import type { KernelCall, Params } from '../../device/device.ts';
import type { Spec } from '../../../lib/shape.ts';

export interface Call {
  /** The name of the exported kernel. */
  readonly kernel: string;
  readonly items: number;
  /** Items a chunk. */
  readonly grain: number;
  /** Its arguments: addresses and whole numbers first, then floats. */
  readonly integers: readonly number[];
  readonly floats?: readonly number[];
}

/** Where an operation is to be computed: the addresses of its inputs and of its output, and scratch memory on demand. */
export interface Site<P extends Params = Params> {
  readonly params: P;
  readonly specs: readonly Spec[];
  readonly spec: Spec;
  readonly inputs: readonly number[];
  readonly output: number;
  /** Whether the engine makes one instruction of two neighbouring vectors, so that eight floats go at a time. */
  readonly wide: boolean;
  /** The launches of its gpu.js definition, for what they work out of the shapes. */
  readonly definition: () => KernelCall[];
  /** The address of scratch memory for n floats, which lasts until the operation is done. */
  readonly scratch: (n: number) => number;
}

/** The calls that compute an operation; undefined where the definition must do. */
export type Replacement<P extends Params = Params> = (site: Site<P>) => Call[] | undefined;

/** Floats that a chunk of a cheap kernel works on: enough to be worth taking, few enough to share. A multiple of eight. */
export const CHUNK = 16384;

/** Rows that make such a chunk. */
export const rowsOfChunk = (columns: number, floats = CHUNK): number => Math.max(1, Math.floor(floats / Math.max(columns, 1)));
