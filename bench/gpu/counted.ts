/**
 * A WebGPU device that counts what is asked of it. Laws count that nothing leaks and that a step is one submission;
 * benchmarks count the same, and find what the host costs by leaving out the work itself.
 */

export interface Counts {
  /** Buffers that were made and not yet destroyed. */
  alive: number;
  buffers: number;
  groups: number;
  pipelines: number;
  passes: number;
  dispatches: number;
  submissions: number;
}

/** Makes `device` count; when `idle`, what is dispatched is not, so that all its numbers are zeros. */
export const count = (device: GPUDevice, { idle = false } = {}): Counts => {
  const counts: Counts = { alive: 0, buffers: 0, groups: 0, pipelines: 0, passes: 0, dispatches: 0, submissions: 0 };
  const { createBuffer, createBindGroup, createComputePipelineAsync, createCommandEncoder, queue } = device;
  const { submit } = queue;

  device.createBuffer = (descriptor) => {
    const buffer = createBuffer.call(device, descriptor);
    const { destroy } = buffer;
    let isAlive = true;
    counts.buffers++;
    counts.alive++;
    buffer.destroy = () => {
      if (isAlive) counts.alive--;
      isAlive = false;
      return destroy.call(buffer);
    };
    return buffer;
  };
  device.createBindGroup = (descriptor) => {
    counts.groups++;
    return createBindGroup.call(device, descriptor);
  };
  device.createComputePipelineAsync = (descriptor) => {
    counts.pipelines++;
    return createComputePipelineAsync.call(device, descriptor);
  };
  device.createCommandEncoder = (descriptor) => {
    const encoder = createCommandEncoder.call(device, descriptor);
    const { beginComputePass } = encoder;
    encoder.beginComputePass = (passDescriptor) => {
      counts.passes++;
      const pass = beginComputePass.call(encoder, passDescriptor);
      const { dispatchWorkgroups } = pass;
      pass.dispatchWorkgroups = (x, y, z) => {
        counts.dispatches++;
        if (!idle) return dispatchWorkgroups.call(pass, x, y, z);
      };
      return pass;
    };
    return encoder;
  };
  queue.submit = (buffers) => {
    counts.submissions++;
    return submit.call(queue, buffers);
  };
  return counts;
};
