/**
 * Plans: what a launch becomes on the GPU. Which kernels it runs, on how many workgroups and with which uniform values
 * follows from the operation, its parameters and the shapes alone, so it is worked out once for all launches that agree
 * in these.
 */
import { sizeOf } from '../../../lib/shape.ts';
import type * as tuned from '../../fast/wgsl/dispatch.ts';
import { OUTPUT } from '../../fast/wgsl/dispatch.ts';
import type { KernelCall, Launch, Params } from '../device.ts';
import { WORKGROUP } from '../gpujs.ts';
import type { Kernels, Pipeline } from './kernels.ts';
import type { Place, Uniforms } from './uniforms.ts';

export interface Dispatch {
  readonly pipeline: Pipeline;
  /** What it reads, then what it fills: inputs by their index, scratch arrays by a name, and the output. */
  readonly arrays: readonly (number | string)[];
  readonly groups: readonly [number, number, number];
  readonly uniforms: Place;
  /** Of the output, only these elements. */
  readonly range?: { readonly from: number; readonly size: number };
}

export interface Plan {
  readonly dispatches: readonly Dispatch[];
  /** The sizes of the scratch arrays, which last until the launch is done. */
  readonly scratch: ReadonlyMap<string, number>;
}

export interface Plans {
  of(launch: Launch): Plan;
  /** Before a list: forgets all plans when there are too many, as when shapes never repeat. */
  begin(): void;
}

/** Plans that are kept: a step of a large model has some hundreds. */
const MOST = 8192;

/** A parameter as text, exactly: -0 is not 0. */
const textOf = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  return Object.entries(value).reduce((text, [name, x]) => `${text}${name}:${textOf(x)};`, '');
};

const keyOf = ({ op, params, specs, spec }: Launch): string => {
  let key = `${op.name} ${textOf(params as Params)}`;
  for (const { shape } of specs) key += `|${shape.join()}`;
  return `${key}>${spec.shape.join()}`;
};

/** Uniform values as bytes: some words, then whole numbers, then floats. */
const wordsOf = (
  before: readonly number[],
  { integers = [], floats = [] }: { readonly integers?: readonly number[]; readonly floats?: readonly number[] },
): ArrayBuffer => {
  const bytes = new ArrayBuffer(Math.ceil((before.length + integers.length + floats.length) / 4) * 16);
  new Uint32Array(bytes).set(before);
  new Int32Array(bytes).set(integers, before.length);
  new Float32Array(bytes).set(floats, before.length + integers.length);
  return bytes;
};

/**
 * Plans of launches by their gpu.js definitions, and by shaders of our own, which may use those means, where `replacements`
 * has the operation.
 */
export const openPlans = (
  device: GPUDevice,
  kernels: Kernels,
  uniforms: Uniforms,
  replacements: Readonly<Record<string, tuned.Replacement>>,
  means: tuned.Means,
): Plans => {
  const plans = new Map<string, Plan>();
  const most = device.limits.maxComputeWorkgroupsPerDimension;

  /** The workgroups of so many elements, folded over two axes where one is too short; `width` is a row's threads. */
  const groupsOf = (count: number, name: string): { groups: [number, number, number]; width: number } => {
    const all = Math.ceil(count / WORKGROUP);
    const rows = Math.max(1, Math.ceil(all / most));
    const row = Math.ceil(all / rows);
    if (rows > most)
      throw new Error(
        `gpu: ${name} over ${count} elements needs ${all} workgroups, but this adapter runs ${most}² at most; take smaller batches`,
      );
    return { groups: [row, rows, 1], width: row * WORKGROUP };
  };

  /** A gpu.js kernel takes the grid, four words an array, then the integers, then the floats. */
  const dispatchOf = (call: KernelCall, sizes: number[]): Dispatch => {
    const { output, arrays, into = OUTPUT, at } = call;
    const pipeline = kernels.of(call);
    const [x, y = 1, z = 1] = output;
    const { groups, width } = groupsOf(x * y * z, pipeline.name);
    const words = [x, y, z, width, ...sizes.flatMap((n) => [n, 1, 1, n])];
    const range = at === undefined ? undefined : { from: at, size: sizeOf(output) };
    return {
      pipeline,
      arrays: [...arrays, into],
      groups,
      uniforms: uniforms.add(wordsOf(words, call), pipeline.name),
      range,
    };
  };

  /** The plan of a replacement: its dispatches bind what they name. */
  const replaced = ({ op, params, specs, spec }: Launch): Plan | undefined => {
    const definition = () => op.launches(params, specs, spec);
    const found = replacements[op.name]?.({ params, specs, spec, definition, ...means });
    if (found === undefined) return undefined;
    const dispatches = found.dispatches.map((dispatch): Dispatch => {
      const pipeline = kernels.written(op.name, dispatch.code);
      return {
        pipeline,
        arrays: dispatch.buffers,
        groups: dispatch.groups,
        uniforms: uniforms.add(wordsOf([], dispatch), op.name),
      };
    });
    return { dispatches, scratch: new Map(Object.entries(found.scratch ?? {})) };
  };

  const defined = ({ op, params, specs, spec }: Launch): Plan => {
    const scratch = new Map<string, number>();
    const sizeOfArray = (which: number | string) =>
      typeof which === 'number' ? sizeOf(specs[which].shape) : scratch.get(which)!;
    const dispatches = op.launches(params, specs, spec).map((call) => {
      if (call.into !== undefined) scratch.set(call.into, sizeOf(call.output));
      return dispatchOf(
        call,
        call.arrays.map((which) => Math.max(sizeOfArray(which), 1)),
      );
    });
    // A part that has no elements needs no workgroups.
    return { dispatches: dispatches.filter(({ groups: [across] }) => across > 0), scratch };
  };

  return {
    of(launch) {
      const key = keyOf(launch);
      const found = plans.get(key);
      if (found !== undefined) return found;
      const made = replaced(launch) ?? defined(launch);
      plans.set(key, made);
      return made;
    },
    begin() {
      if (plans.size < MOST) return;
      plans.clear();
      uniforms.clear();
    },
  };
};
