/**
 * The uniform values of dispatches: each block of them is written once, into a page of many, and stays as long as the plan
 * that it belongs to; a dispatch names it by its offset. So in a loop of equal steps nothing is written.
 */
import { UNIFORM_BYTES } from './kernels.ts';

/** WebGPU's usage flags, which are globals only where WebGPU is: uniform 64, copy to 8. */
const UNIFORM = 64 | 8;
const PAGE = 65536;
/** Offsets of uniform values are multiples of this on every adapter. */
const ALIGN = 256;

/** Where a block lies. */
export interface Place {
  readonly page: number;
  readonly offset: number;
}

export interface Uniforms {
  readonly pages: readonly GPUBuffer[];
  /** Writes a block, for all lists that are submitted from now on. Throws when it is too long. */
  add(bytes: ArrayBuffer, name: string): Place;
  /** Forgets all blocks: the pages are written anew from their beginning. */
  clear(): void;
  close(): void;
}

export const openUniforms = (device: GPUDevice): Uniforms => {
  const pages: GPUBuffer[] = [];
  let page = 0;
  let used = 0;

  return {
    pages,
    add(bytes, name) {
      if (bytes.byteLength > UNIFORM_BYTES) {
        throw new Error(
          `gpu: ${name} takes ${bytes.byteLength} bytes of sizes and numbers, ${UNIFORM_BYTES} at most fit; give it fewer arrays`,
        );
      }
      if (used + UNIFORM_BYTES > PAGE) {
        page++;
        used = 0;
      }
      pages[page] ??= device.createBuffer({ size: PAGE, usage: UNIFORM });
      const place = { page, offset: used };
      device.queue.writeBuffer(pages[page], used, bytes);
      used += Math.ceil(bytes.byteLength / ALIGN) * ALIGN;
      return place;
    },
    clear() {
      page = 0;
      used = 0;
    },
    close() {
      pages.forEach((buffer) => buffer.destroy());
    },
  };
};
