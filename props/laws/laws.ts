/**
 * The generic laws: what must hold for any operation on any device, checked from its declaration alone. Write x for its
 * arguments, y = f(x) for the definition in double precision (`reference`), J for its Jacobian ∂y/∂x.
 *
 *   shape      the shape rule says what the definition fills
 *   kernel     the device computes what the definition says; whole numbers and random bits exactly
 *   gradient   ⟨u, J·v⟩, by differences of the definition, is ⟨Jᵀ·u, v⟩, by the vjp; of each argument by itself
 *   shapes     each gradient has its argument's shape
 *   linear     the vjp is linear in the cotangent
 *   second     the vjp's own gradient obeys the gradient law
 *   memory     a scoped call leaves one buffer more; a scoped gradient, one for each argument
 *   edges      all of it with an empty axis, and with one element
 */
import type { Op } from '../../lib/op.ts';
import type { Case, Sample } from './draw.ts';
import { domainsOf, namesOf, sampleOf } from './draw.ts';
import type { Law } from './samples.ts';
import { assertGradient, assertSecond, gradient, linear, second, shapes } from './slopes.ts';
import { assertKernel, assertMemory, kernel, memory, shape } from './values.ts';

/** Every domain with each of its sizes 0 in turn, and with all sizes 1. */
const extremes = (op: Op): Case[] =>
  domainsOf(op).flatMap((domain, which) => {
    const names = namesOf(domain);
    const all = (size: number) => Object.fromEntries(names.map((name) => [name, size]));
    const base = { domain: which, seed: 1, ties: false };
    return [{ ...base, sizes: all(1) }, ...names.map((name) => ({ ...base, sizes: { ...all(2), [name]: 0 } }))];
  });

/** A sample, unless the shape rule refuses these sizes in words. */
const accepted = (op: Op, chosen: Case): Sample | undefined => {
  try {
    return sampleOf(op, chosen);
  } catch (error) {
    if (Object.values(chosen.sizes).includes(0) && (error as Error).message.includes(': ')) return undefined;
    throw error;
  }
};

/** The samples of an operation with an empty axis or with one element, by their sizes. */
export const edgesOf = (op: Op): { chosen: Case; sample: Sample }[] =>
  extremes(op).flatMap((chosen) => {
    const sample = accepted(op, chosen);
    return sample === undefined ? [] : [{ chosen, sample }];
  });

const edges: Law = async (op, device) => {
  for (const { chosen, sample } of edgesOf(op)) {
    const check = async () => {
      await assertKernel(op, sample, device);
      await assertMemory(op, sample, device);
      if (op.vjp === undefined) return;
      await assertGradient(op, sample, device);
      await assertSecond(op, sample, device);
    };
    await check().catch((cause: Error) => {
      throw new Error(`with sizes ${JSON.stringify(chosen.sizes)}: ${cause.message}`, { cause });
    });
  }
};

/** The laws by name, and whether they are of gradients: operations without a vjp are exempt from those. */
export const laws: Record<string, { law: Law; ofGradients: boolean }> = {
  shape: { law: shape, ofGradients: false },
  kernel: { law: kernel, ofGradients: false },
  gradient: { law: gradient, ofGradients: true },
  shapes: { law: shapes, ofGradients: true },
  linear: { law: linear, ofGradients: true },
  second: { law: second, ofGradients: true },
  memory: { law: memory, ofGradients: false },
  edges: { law: edges, ofGradients: false },
};
