/** Exercise 10: weights [b, t] for the discriminator's loss that are 1 at the chosen positions alone. */
import type { Masked, Tensor } from '../../lib/index.ts';
import { ones, replaceTokens, zeros } from '../../lib/index.ts';

export const chosenOnly = ({ tokens, at }: Masked): Tensor => replaceTokens(zeros(tokens.shape), at, ones(at.shape));
