/**
 * Bind groups, made once for each list of buffers that a dispatch binds, and kept until one of them is given back. Kernels
 * that read and fill equally many arrays share a layout, so they share these too.
 */
import { ALIGNED } from '../../../lib/shape.ts';
import type { Layout } from './kernels.ts';
import { UNIFORM_BYTES } from './kernels.ts';
import type { Block } from './memory.ts';
import type { Uniforms } from './uniforms.ts';

/** What a dispatch binds: a block, or a range of one in bytes. */
export interface Bound {
  readonly block: Block;
  readonly offset?: number;
  readonly size?: number;
}

/** `size` elements of a block from element `offset` on, up to the next place where others may begin. */
export const rangeOf = (block: Block, offset: number, size: number): Bound => ({
  block,
  offset: 4 * offset,
  size: 4 * ALIGNED * Math.max(1, Math.ceil(size / ALIGNED)),
});

export interface Bindings {
  /** The group of a uniform page and the arrays that are read, then filled. */
  group(layout: Layout, page: number, bound: readonly Bound[]): GPUBindGroup;
  /** Forgets the groups that bind a block which is given back. */
  forget(block: Block): void;
}

/** Groups that are kept: programs whose steps are equal make a few thousand, others no end of them. */
const MOST = 65536;

export const openBindings = (device: GPUDevice, uniforms: Uniforms): Bindings => {
  const groups = new Map<string, { group: GPUBindGroup; bound: readonly Bound[] }>();
  /** The keys of the groups that bind a block. */
  const keys = new Map<Block, Set<string>>();

  const make = (layout: Layout, page: number, bound: readonly Bound[]): GPUBindGroup =>
    device.createBindGroup({
      layout: layout.bindings,
      entries: [
        { binding: 0, resource: { buffer: uniforms.pages[page], size: UNIFORM_BYTES } },
        ...bound.map(({ block: { buffer }, offset, size }, i) => ({
          binding: i + 1,
          resource: { buffer, offset, size },
        })),
      ],
    });

  const keep = (key: string, group: GPUBindGroup, bound: readonly Bound[]): void => {
    if (groups.size >= MOST) {
      groups.clear();
      keys.clear();
    }
    groups.set(key, { group, bound });
    for (const { block } of bound) {
      const own = keys.get(block) ?? new Set();
      keys.set(block, own.add(key));
    }
  };

  return {
    group(layout, page, bound) {
      let key = `${layout.kind}@${page}`;
      for (const { block, offset, size } of bound)
        key += size === undefined ? `,${block.id}` : `,${block.id}+${offset}:${size}`;
      const found = groups.get(key);
      if (found !== undefined) return found.group;
      const group = make(layout, page, bound);
      keep(key, group, bound);
      return group;
    },
    forget(block) {
      for (const key of keys.get(block) ?? []) {
        groups.get(key)!.bound.forEach((other) => other.block !== block && keys.get(other.block)?.delete(key));
        groups.delete(key);
      }
      keys.delete(block);
    },
  };
};
