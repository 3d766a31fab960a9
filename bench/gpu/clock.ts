/**
 * The GPU's own clock: every compute pass notes when it begins and ends, so that the time in which the GPU works is known
 * beside the time that passes. A device without `timestamp-query` has none.
 */

/** WebGPU's flags, which are globals only where WebGPU is: usage query resolve 512, copy from 4, copy to 8, map 1; mode read 1. */
const RESOLVE = 512 | 4;
const STAGING = 8 | 1;
const READ = 1;
const MOST = 4096;

export interface Clock {
  /** Milliseconds that passes have taken since this was last asked. Throws after too many passes. */
  busy(): Promise<number>;
  close(): void;
}

/** Makes the device's passes note their times from now on. */
export const openClock = (device: GPUDevice): Clock | undefined => {
  if (!device.features.has('timestamp-query')) return undefined;
  const querySet = device.createQuerySet({ type: 'timestamp', count: MOST });
  const resolved = device.createBuffer({ size: 8 * MOST, usage: RESOLVE });
  const staging = device.createBuffer({ size: 8 * MOST, usage: STAGING });
  const { createCommandEncoder } = device;
  let used = 0;

  device.createCommandEncoder = (descriptor) => {
    const encoder = createCommandEncoder.call(device, descriptor);
    const { beginComputePass } = encoder;
    encoder.beginComputePass = () => {
      if (used + 2 > MOST) throw new Error(`bench: more than ${MOST / 2} passes between two looks at the clock`);
      const timestampWrites = { querySet, beginningOfPassWriteIndex: used, endOfPassWriteIndex: used + 1 };
      used += 2;
      return beginComputePass.call(encoder, { timestampWrites });
    };
    return encoder;
  };

  return {
    async busy() {
      const count = used;
      used = 0;
      if (count === 0) return 0;
      const encoder = createCommandEncoder.call(device);
      encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, 8 * count);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(READ, 0, 8 * count);
      const times = new BigUint64Array(staging.getMappedRange(0, 8 * count).slice(0));
      staging.unmap();
      let nanoseconds = 0;
      for (let i = 0; i < count; i += 2) nanoseconds += Number(times[i + 1] - times[i]);
      return nanoseconds / 1e6;
    },
    close() {
      querySet.destroy();
      resolved.destroy();
      staging.destroy();
    },
  };
};
