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

/** Keeps a queue under its device's name until the device is lost; then the next who asks for it opens it anew. */
const keep = (name: DeviceName, queue: Queue): void => {
  queues.set(name, queue);
  void queue.opened
    .then(({ lost }) => lost)
    .then((why) => {
      if (why === undefined) return;
      if (queues.get(name) === queue) queues.delete(name);
      if (current === queue) current = undefined;
    }, () => undefined);
};

const named = (name: DeviceName): Queue => {
  const found = queues.get(name);
  if (found !== undefined) return found;
  const queue = openQueue(makers[name]());
  keep(name, queue);
  return queue;
};

/** `gpu` when a real adapter answers, else `wasm`; the description says why. */
const automatic = async (): Promise<Device> => {
  const { probeGpu } = await import('./gpu.ts');
  const absent = await probeGpu();
  const device = await (absent === undefined ? makers.gpu() : makers.wasm());
  return { ...device, description: `${device.description}, since ${absent ?? 'a GPU answers'}` };
};

const requested = (): DeviceName | undefined => {
  const name = typeof process === 'undefined' ? undefined : process.env.AMBER_DEVICE;
  if (name === undefined || name === '' || name === 'auto') return undefined;
  if (!(name in makers)) throw new Error(`AMBER_DEVICE is '${name}'; choose one of ${devices.join(', ')}, or auto`);
  return name as DeviceName;
};

/** The queue of the device that AMBER_DEVICE names, or of the automatic choice. */
const defaultQueue = (): Queue => {
  const name = requested();
  if (name !== undefined) return named(name);
  const queue = openQueue(
    automatic().then((device) => {
      keep(device.name, queue);
      return device;
    }),
  );
  return queue;
};

/** Opens the default because somebody computes without having chosen, and says on the console what runs. */
const openUnasked = (): Queue => {
  const queue = defaultQueue();
  queue.opened.then(
    ({ description }) => console.error(`amber: computing on ${description}`),
    () => undefined,
  );
  return queue;
};

/** Makes new tensors on the device of this queue: for laws and benchmarks, which open devices of their own. */
export const useQueue = (queue: Queue): void => {
  current = queue;
};

/** The queue of the device on which new tensors are made. */
export const currentQueue = (): Queue => (current ??= openUnasked());

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
  const queue = name === undefined ? (pending ?? defaultQueue()) : named(name);
  const device = await queue.opened.catch((error) => {
    if (name !== undefined) queues.delete(name);
    if (queue === current) current = undefined;
    throw error;
  });
  current = queue;
  return device;
};
