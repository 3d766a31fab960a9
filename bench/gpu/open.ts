/** A `gpu` device for measuring: it counts, has a clock where the adapter offers one, and is the one that computes. */
import { useQueue } from '../../kernels/device/choose.ts';
import type { Device } from '../../kernels/device/device.ts';
import { openGpuOn } from '../../kernels/device/gpu.ts';
import { describe, findAdapter, isSoftware, requestDevice } from '../../kernels/device/gpu/adapter.ts';
import type { Queue } from '../../kernels/device/queue.ts';
import { openQueue } from '../../kernels/device/queue.ts';
import type { Clock } from './clock.ts';
import { openClock } from './clock.ts';
import type { Counts } from './counted.ts';
import { count } from './counted.ts';

export interface Measured {
  readonly raw: GPUDevice;
  readonly device: Device;
  readonly queue: Queue;
  readonly counts: Counts;
  readonly clock?: Clock;
  readonly software: boolean;
  /** Makes it the one that computes again. */
  use(): void;
  close(): Promise<void>;
}

/** Opens one and computes on it, without our shaders if it is not `tuned`; `idle` dispatches nothing: what is left is the host's work. */
export const openMeasured = async ({ idle = false, tuned = true } = {}): Promise<Measured> => {
  const adapter = await findAdapter();
  const raw = await requestDevice(adapter);
  const clock = idle ? undefined : openClock(raw);
  const counts = count(raw, { idle });
  const device = openGpuOn(raw, describe(adapter), { tuned });
  const queue = openQueue(Promise.resolve(device));
  await queue.opened;
  const use = () => useQueue(queue);
  use();
  const close = async () => {
    clock?.close();
    await device.close!();
  };
  return { raw, device, queue, counts, clock, software: isSoftware(adapter), use, close };
};
