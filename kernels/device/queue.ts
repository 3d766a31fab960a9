/**
 * The one door to a device. A queue collects commands and hands them over when enough have gathered, at the next await
 * after a step has ended or somebody has read (so that a step and the reads of its metrics are one list), or at once on
 * an eager device. A queue may be made before its device is there: commands wait in it, so
 * nobody has to await a device before computing. Buffers are counted here: `retain` and `release` are called by tensors
 * and tapes, and a buffer that nobody holds is freed at that place in the list. A part of a buffer holds the whole.
 */
import type { Buffer, Command, Device, Params, Runnable, Values } from './device.ts';
import { MissingError } from './host.ts';
import type { Spec } from '../../lib/shape.ts';
import { sizeOf } from '../../lib/shape.ts';

/** Commands that may gather on a device that does not say: enough to amortise a hand-over, few enough to overlap. */
const BATCH = 96;
/** Numbers that may gather to be written: 64 MB of them. */
const MOST_WRITTEN = 2 ** 24;

/** Something that a device was to compute is missing. The message says why, and what to do. */
export class DeviceError extends Error {
  override name = 'DeviceError';
}

export interface Held extends Buffer {
  readonly queue: Queue;
  holders: number;
  readonly part?: { readonly whole: Held; readonly offset: number };
}

export interface Queue {
  readonly opened: Promise<Device>;
  /** The device, once it is there. */
  device?: Device;
  /** Buffers with memory of their own that somebody holds now. */
  live: number;
  /** Operations launched so far. */
  launches: number;
  write(data: ArrayLike<number>): Held;
  launch(op: Runnable, params: Params, inputs: readonly Held[], specs: readonly Spec[], spec: Spec): Held;
  read(buffer: Held): Promise<Values>;
  /** The `size` elements of a buffer from `offset` on, held by the caller. */
  part(buffer: Held, offset: number, size: number): Held;
  retain(buffer: Held): void;
  release(buffer: Held): void;
  /** Hands over what has gathered, as soon as the program awaits anything. */
  flush(): void;
}

export const openQueue = (opening: Promise<Device>): Queue => {
  let waiting: Command[] = [];
  let written = 0;
  let isFlushing = false;
  let failure: unknown;

  /**
   * What the list was to compute is missing from now on. A list that fails by itself says why; one that needs what is
   * missing, or whose device is gone, fails with the last reason that was new.
   */
  const fail = (commands: Command[], error: unknown) => {
    const isNew = failure === undefined || !(error === failure || error instanceof MissingError);
    if (isNew) failure = error;
    const { message } = failure as Error;
    const reason = new DeviceError(isNew ? message : `an earlier operation on this device failed: ${message}`, { cause: failure });
    for (const command of commands) if (command.kind === 'read') command.reject(reason);
  };

  const hold = (size: number): Held => {
    queue.live++;
    return { size, queue, holders: 1 };
  };

  const handOver = () => {
    const { device } = queue;
    const isOpening = device === undefined && failure === undefined;
    if (isOpening || waiting.length === 0) return;
    const commands = waiting;
    waiting = [];
    written = 0;
    if (device === undefined) return fail(commands, failure);
    try {
      void device.run(commands)?.catch((error) => fail(commands, error));
    } catch (error) {
      if (device.eager) throw error;
      fail(commands, error);
    }
  };

  const append = (command: Command) => {
    waiting.push(command);
    if (command.kind === 'write') written += command.data.length;
    const { device } = queue;
    if (device?.eager || waiting.length >= (device?.batch ?? BATCH) || written >= MOST_WRITTEN) handOver();
  };

  const queue: Queue = {
    opened: opening,
    live: 0,
    launches: 0,
    write(data) {
      const buffer = hold(data.length);
      append({ kind: 'write', buffer, data });
      return buffer;
    },
    launch(op, params, inputs, specs, spec) {
      const output = hold(sizeOf(spec.shape));
      queue.launches++;
      append({ kind: 'launch', op, params, inputs, specs, output, spec });
      return output;
    },
    read(buffer) {
      return new Promise((resolve, reject) => {
        append({ kind: 'read', buffer, resolve, reject });
        queue.flush();
      });
    },
    part(buffer, offset, size) {
      const { whole, offset: before } = buffer.part ?? { whole: buffer, offset: 0 };
      queue.retain(whole);
      return { size, queue, holders: 1, part: { whole, offset: before + offset } };
    },
    retain(buffer) {
      buffer.holders++;
    },
    release(buffer) {
      if (--buffer.holders > 0) return;
      if (buffer.part !== undefined) return queue.release(buffer.part.whole);
      queue.live--;
      append({ kind: 'free', buffer });
    },
    flush() {
      if (isFlushing) return;
      isFlushing = true;
      queueMicrotask(() => {
        isFlushing = false;
        handOver();
      });
    },
  };

  opening.then(
    (device) => {
      queue.device = device;
      handOver();
    },
    (error) => {
      fail(waiting, error);
      waiting = [];
    },
  );
  return queue;
};
