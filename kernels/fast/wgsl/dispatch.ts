/**
 * What a tuned replacement of the `gpu` device is: for one operation, the WGSL shaders that compute it. A dispatch looks as
 * a launch of gpu.js does: uniform words at binding 0, then storage buffers, and a number of workgroups; one dispatch ends
 * before the next one begins. Sizes are uniforms, so that one compiled shader serves every shape.
 */
import type { KernelCall, Params } from '../../device/device.ts';
import type { Spec } from '../../../lib/shape.ts';

export interface Dispatch {
  /** The shader in WGSL; equal texts are compiled once. Its entry point is `main`. */
  readonly code: string;
  /** What it binds, in order: inputs by their index, scratch memory by a name, and the output of the operation. */
  readonly buffers: readonly (number | string)[];
  /** The uniform values: whole numbers first, then floats. */
  readonly integers: readonly number[];
  readonly floats?: readonly number[];
  readonly groups: readonly [number, number, number];
}

export interface Plan {
  readonly dispatches: readonly Dispatch[];
  /** Scratch memory by name, in floats; it lasts until the operation is done, and holds anything at first. */
  readonly scratch?: Readonly<Record<string, number>>;
}

/** The name of the operation's output among the buffers that a dispatch binds. */
export const OUTPUT = '';

/** What shaders may use beyond the core of WebGPU. */
export interface Means {
  /** Whether what dense layers multiply is rounded to f16. */
  readonly f16: boolean;
  /** Threads of a subgroup, which read each other's registers; 1 where none do. */
  readonly subgroup: number;
}

/** What is to be computed. The output has at least one element. */
export interface Site<P extends Params = Params> extends Means {
  readonly params: P;
  readonly specs: readonly Spec[];
  readonly spec: Spec;
  /** The launches of its gpu.js definition, for what they work out of the shapes. */
  readonly definition: () => KernelCall[];
}

/** The dispatches that compute an operation; undefined where the definition must do. */
export type Replacement<P extends Params = Params> = (site: Site<P>) => Plan | undefined;

/** A replacement whatever its parameters: the operation of its name passes its own. */
export const of = <P extends object>(replacement: Replacement<P>): Replacement => replacement as unknown as Replacement;

/** Workgroups that one axis of a dispatch may have. */
export const MOST = 65535;

/** So many workgroups at least, in two axes; a shader finds its number as `group.y * groups.x + group.x`. */
export const groupsFor = (count: number): [number, number, number] => {
  const down = Math.max(1, Math.ceil(count / MOST));
  return [Math.ceil(count / down), down, 1];
};

/**
 * The declarations that a shader begins with: the fields of its uniforms `u`, integers first; the arrays that it reads, then
 * those that it writes, each as `name: element type`.
 */
export const declare = (uniforms: string, reads: readonly string[], writes: readonly string[]): string => {
  const array = (access: string, from: number) => (field: string, i: number) => {
    const [name, type] = field.split(': ');
    return `@group(0) @binding(${from + i}) var<storage, ${access}> ${name}: array<${type}>;`;
  };
  return [
    `struct Uniforms { ${uniforms} }`,
    '@group(0) @binding(0) var<uniform> u: Uniforms;',
    ...reads.map(array('read', 1)),
    ...writes.map(array('read_write', 1 + reads.length)),
  ].join('\n');
};

/**
 * The head of `main` for a workgroup of so many threads, which are numbered by `thread`, as workgroups are by `group`; those of
 * a subgroup of so many one after another.
 */
export const main = (threads: number, subgroup = 1): string => `
@compute @workgroup_size(${threads})
fn main(
  ${subgroup === 1 ? '@builtin(local_invocation_index) thread: u32' : '@builtin(subgroup_id) team: u32, @builtin(subgroup_invocation_id) member: u32'},
  @builtin(workgroup_id) across: vec3u, @builtin(num_workgroups) grid: vec3u
) {
  let group = across.y * grid.x + across.x;
  ${subgroup === 1 ? '' : `let thread = team * ${subgroup} + member;`}`;
