/**
 * Learning rates of their own for some parameters: each update is multiplied by the factor of its parameter's path. It
 * stands behind Adam, which ignores the scale of what it is given, and behind weight decay, which a slower parameter
 * feels less in the same proportion. A factor of 0 freezes a parameter.
 */
import { mapPacked, scalePacked } from './packed.ts';
import type { Transform } from './transform.ts';
import { stateless } from './transform.ts';

/** Multiplies the update of every parameter by the factor that its path has. */
export const scaleByPath = (factor: (path: string) => number): Transform =>
  stateless((gradients) => mapPacked(scalePacked(gradients, factor), gradients));
