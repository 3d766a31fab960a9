/**
 * The tuned replacements of the `gpu` device, by the name of the operation: which shaders compute it, with which arguments.
 * What has no entry runs by its gpu.js definition.
 */
import type { Replacement } from './dispatch.ts';
import { of } from './dispatch.ts';
import { dropout, uniform } from './random.ts';

export const replacements: Readonly<Record<string, Replacement>> = {
  uniform,
  dropout: of(dropout),
};
