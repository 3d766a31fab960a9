/**
 * Which device computes. `useDevice(name)` or the environment variable AMBER_DEVICE choose; otherwise the automatic
 * choice holds: `gpu` when a real adapter answers, else `wasm`. Until the device is open, calls wait in its queue.
 */
import type { Device, DeviceName } from './device.ts';
import type { Queue } from './queue.ts';
import { openQueue } from './queue.ts';

/** The devices by name, each loaded when it is first asked for. */
const makers: Record<DeviceName, () => Promise<Device>> = {
  gpu: async () => (await import('./gpu.ts')).openGpu(),
  wasm: async () => (await import('./wasm.ts')).openWasm(),
  cpu: async () => (await import('./cpu.ts')).openCpu(),
  reference: async () => (await import('./reference.ts')).openReference(),
};

const queues = new Map<DeviceName, Queue>();
let current: Queue | undefined;

/** The names of all devices; whether one opens is known when it is asked for. */
export const devices = Object.keys(makers) as DeviceName[];

const named = (name: DeviceName): Queue => {
  const queue = queues.get(name) ?? openQueue(makers[name]());
  queues.set(name, queue);
  return queue;
};

const automatic = async (): Promise<{ device: Device; why: string }> => {
  const { probeGpu } = await import('./gpu.ts');
  const absent = await probeGpu();
  if (absent === undefined) return { device: await makers.gpu(), why: 'a GPU answers' };
  return { device: await makers.wasm(), why: absent };
};

const requested = (): DeviceName | undefined => {
  const name = typeof process === 'undefined' ? undefined : process.env.AMBER_DEVICE;
  if (name === undefined || name === '' || name === 'auto') return undefined;
  if (!(name in makers)) throw new Error(`AMBER_DEVICE is '${name}'; choose one of ${devices.join(', ')}, or auto`);
  return name as DeviceName;
};

/** Opens the automatic device behind a queue, and says on the console what runs and why. */
const openDefault = (): Queue => {
  const name = requested();
  if (name !== undefined) return announce(named(name), 'AMBER_DEVICE');
  let why = '';
  const queue = openQueue(
    automatic().then((choice) => {
      why = choice.why;
      queues.set(choice.device.name, queue);
      return choice.device;
    }),
  );
  return announce(queue, () => why);
};

const announce = (queue: Queue, why: string | (() => string)): Queue => {
  queue.opened.then(
    (device) => console.error(`amber: ${device.description}; chosen because ${typeof why === 'string' ? `${why} says so` : why()}`),
    () => undefined,
  );
  return queue;
};

/** The queue of the device on which new tensors are made. */
export const currentQueue = (): Queue => (current ??= openDefault());

/**
 * Chooses the device on which new tensors are made, and waits until it is open. Without a name: what AMBER_DEVICE says,
 * else the automatic choice. Rejects when the device cannot be opened here, saying why; the choice is then unchanged.
 */
export const useDevice = async (name?: DeviceName): Promise<Device> => {
  if (name !== undefined && !(name in makers)) {
    throw new Error(`useDevice: there is no device '${name}'; choose one of ${devices.join(', ')}`);
  }
  const pending = current;
  if (pending !== undefined) await pending.opened.catch(() => undefined);
  const queue = name === undefined ? (pending ?? openDefault()) : named(name);
  const device = await queue.opened.catch((error) => {
    if (name !== undefined) queues.delete(name);
    if (queue === current) current = undefined;
    throw error;
  });
  current = queue;
  return device;
};
