/** Reading: what is read is copied into a buffer that the host can map, in its place in the list, and mapped when the list is done. */

/** WebGPU's flags, which are globals only where WebGPU is: usage copy to 8 and map to read 1; mode read 1. */
const STAGING = 8 | 1;
const READ = 1;
/** Bytes of free staging buffers that are kept. */
const MOST_KEPT = 2 ** 24;

export interface Readings {
  /** A buffer to copy `bytes` into. */
  stage(bytes: number): GPUBuffer;
  /** Resolves to the numbers copied, once they are there. */
  map(staging: GPUBuffer, bytes: number): Promise<Float32Array>;
  /** Gives one back that is not mapped. */
  release(staging: GPUBuffer): void;
  close(): void;
}

const sizeFor = (bytes: number) => 2 ** Math.ceil(Math.log2(Math.max(bytes, 256)));

export const openReadings = (device: GPUDevice): Readings => {
  const all = new Set<GPUBuffer>();
  let free: GPUBuffer[] = [];

  const release = (staging: GPUBuffer): void => {
    free.push(staging);
    for (let kept = free.reduce((sum, { size }) => sum + size, 0); kept > MOST_KEPT;) {
      const oldest = free.shift()!;
      kept -= oldest.size;
      all.delete(oldest);
      oldest.destroy();
    }
  };

  return {
    stage(bytes) {
      const size = sizeFor(bytes);
      const found = free.find((staging) => staging.size === size);
      if (found !== undefined) {
        free = free.filter((staging) => staging !== found);
        return found;
      }
      const made = device.createBuffer({ size, usage: STAGING });
      all.add(made);
      return made;
    },
    async map(staging, bytes) {
      try {
        await staging.mapAsync(READ, 0, Math.max(bytes, 4));
        const values = new Float32Array(staging.getMappedRange(0, bytes).slice(0));
        staging.unmap();
        return values;
      } finally {
        release(staging);
      }
    },
    release,
    close() {
      all.forEach((staging) => staging.destroy());
    },
  };
};
