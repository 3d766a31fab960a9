/** Own laws of operations: one sentence each, checked on every device that is present, on random sizes and numbers. */
import fc from 'fast-check';
import type { DeviceName } from '../../kernels/device/device.ts';
import { useDevice } from '../../kernels/device/choose.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { tensor } from '../../lib/tensor.ts';
import { sizeOf } from '../../lib/shape.ts';
import { assertClose, evaluate } from './close.ts';
import { randomFrom } from './draw.ts';
import { present } from './present.ts';

/** Makes uvu's `test` check a law on every device that is present. A failure names the device. */
export const onEveryDevice =
  (test: (title: string, check: () => Promise<void>) => void) =>
  (title: string, check: (device: DeviceName) => Promise<void>): void =>
    test(title, async () => {
      for (const device of present) {
        await useDevice(device);
        await check(device).catch((cause: Error) => {
          throw new Error(`on ${device}: ${cause.message}`, { cause });
        });
      }
    });

/** Makes a tensor of this shape with random numbers between −2 and 2. */
type Draw = (...shape: number[]) => Tensor;

/** Checks something for random sizes from 1 to 6 with these names, and random numbers. */
export const forSizes = async (
  names: string,
  check: (sizes: Record<string, number>, real: Draw) => Promise<void>,
): Promise<void> => {
  const size = fc.integer({ min: 1, max: 6 });
  const sizes = fc.record(Object.fromEntries(names.split(' ').map((name) => [name, size])));
  const { numRuns = 8 } = fc.readConfigureGlobal();
  const property = fc.asyncProperty(sizes, fc.nat(), async (sizes, seed) => {
    const random = randomFrom(seed);
    await check(sizes, (...shape) =>
      tensor(
        Float32Array.from({ length: sizeOf(shape) }, () => 4 * random() - 2),
        shape,
      ),
    );
  });
  await fc.assert(property, { numRuns });
};

/** Both tensors hold the same numbers: exactly at tolerance 0, else to 1e-7 on `reference` and to the tolerance elsewhere. */
export const same = async (device: DeviceName, f: () => [Tensor, Tensor], tolerance = 1e-5): Promise<void> => {
  const [came, expected] = await evaluate(device, f);
  if (came.shape.join() !== expected.shape.join())
    throw new Error(`shape [${came.shape}] came, expected [${expected.shape}]`);
  assertClose(
    came.values,
    expected.values,
    device === 'reference' ? Math.min(tolerance, 1e-7) : tolerance,
    'both sides',
  );
};

/** The numbers of one tensor. */
export const read = async (device: DeviceName, f: () => Tensor): Promise<number[]> => {
  const [{ values }] = await evaluate(device, () => [f()]);
  return Array.from(values);
};
