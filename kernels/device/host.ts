/**
 * Devices whose buffers are plain arrays in the host's memory: `reference` and `cpu` differ only in the kind of array
 * and in how they carry out a launch.
 */
import type { Buffer, Command, Launch, Values } from './device.ts';
import { placeOf } from './device.ts';

/** What a launch or a read needs was never computed, since something before it failed. */
export class MissingError extends Error {
  override name = 'MissingError';
}

/** The memory in which a buffer lies, from the start of the whole. Throws when nothing has been computed into it. */
export const memoryOf = <Memory>(buffer: Buffer<Memory>): Memory => {
  const { memory } = placeOf(buffer).whole;
  if (memory === undefined) throw new MissingError('this tensor was never computed, because an earlier operation failed');
  return memory;
};

/** The values of a buffer. Throws when nothing has been computed into it. */
export const valuesOf = (buffer: Buffer<Values>): Values => {
  const { offset } = placeOf(buffer);
  return memoryOf(buffer).subarray(offset, offset + buffer.size);
};

/** Carries out commands on arrays made by `allocate`; `launch` returns the output's array. */
export const runOnHost =
  (allocate: (data: ArrayLike<number>) => Values, launch: (launch: Launch<Values>) => Values) =>
  (commands: Command[]): void => {
    for (const command of commands as Command<Values>[]) {
      switch (command.kind) {
        case 'write':
          command.buffer.memory = allocate(command.data);
          break;
        case 'free':
          command.buffer.memory = undefined;
          break;
        case 'read':
          command.resolve(valuesOf(command.buffer).slice());
          break;
        case 'launch':
          command.output.memory = command.output.size === 0 ? allocate([]) : launch(command);
      }
    }
  };
