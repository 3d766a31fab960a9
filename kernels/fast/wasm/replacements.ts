/** The tuned replacements of the `wasm` device, by the name of the operation. */
import type { Replacement } from './call.ts';
import { dense, matmul } from './matmul.ts';

export const replacements: Readonly<Record<string, Replacement>> = {
  matmul: matmul as Replacement,
  dense,
};
