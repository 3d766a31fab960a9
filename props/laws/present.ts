/**
 * The devices that the laws run on: all that open here, or the one that AMBER_DEVICE names. `reference`, `cpu` and `wasm`
 * open everywhere; where no GPU adapter answers, the laws of `gpu` are skipped and counted, and in CI that is a failure.
 */
import type { DeviceName } from '../../kernels/device/device.ts';
import { useDevice } from '../../kernels/device/choose.ts';

const all: readonly DeviceName[] = ['reference', 'cpu', 'wasm', 'gpu'];

const wanted = all.filter((name) => [undefined, '', 'auto', name].includes(process.env.AMBER_DEVICE));

/** Why a device that is wanted does not open here. */
export const absent = new Map<DeviceName, string>();

for (const name of wanted) await useDevice(name).catch((error: Error) => absent.set(name, error.message));

export const present: readonly DeviceName[] = wanted.filter((name) => !absent.has(name));

/** Laws that could not be checked, counted by reason. The runner reports them. */
export const skips = new Map<string, number>();

/** Notes that a law could not be checked, and why. */
export const skip = (why: string): void => {
  skips.set(why, (skips.get(why) ?? 0) + 1);
};
