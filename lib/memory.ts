/**
 * Arenas: who frees what, and when. Every tensor is born into the innermost open arena. When a `scoped` function returns,
 * all that was born in it is freed, except the tensors of its result, which move to the arena outside. So user code frees
 * nothing and counts nothing. Outside every scope a tensor lives as long as the program. Freeing is safe at once, since
 * devices carry out commands in order.
 */
import type { Tensor } from './tensor.ts';
import { leaves } from './tree.ts';

type Arena = Set<Tensor>;

let current: Arena | undefined;

/** Enters a tensor into the innermost arena. */
export const born = (x: Tensor): void => {
  current?.add(x);
};

/** Forgets a tensor that was freed before its arena closed, or that its holder frees by himself. */
export const disown = (x: Tensor): void => {
  current?.delete(x);
};

const assertSynchronous = (result: unknown, name: string) => {
  if (result instanceof Promise) {
    throw new Error(
      `${name}: the function returned a promise, but its tensors are freed when it returns; read values (data, item) outside`,
    );
  }
};

/**
 * Runs `f` and frees every tensor made in it, except those in the tree that it returns. `f` must be synchronous (a
 * promise throws).
 */
export const scoped = <T>(f: () => T, name = 'scoped'): T => {
  const outside = current;
  const arena: Arena = new Set();
  current = arena;
  let kept: Set<Tensor> = new Set();
  try {
    const result = f();
    assertSynchronous(result, name);
    kept = new Set(leaves(result));
    return result;
  } finally {
    current = outside;
    for (const x of arena) {
      if (kept.has(x)) outside?.add(x);
      else x.free(`at the end of ${name}`);
    }
  }
};

/** Frees those of the given tensors that are not kept. */
export const consume = (given: readonly Tensor[], kept: ReadonlySet<Tensor>, when: string): void => {
  for (const x of given) {
    if (kept.has(x)) continue;
    disown(x);
    x.free(when);
  }
};

/**
 * A step that consumes its arguments: `scoped`, and when it returns, the tensors of its arguments that are not part of
 * its result are freed too. What the previous call returned besides its new state (its metrics) is freed at the next
 * call. So a loop that keeps only the newest state holds a constant number of buffers. The device gets the step as a
 * whole, when the caller next awaits.
 */
export const donating = <Arguments extends unknown[], Result>(
  step: (...donated: Arguments) => Result,
): ((...donated: Arguments) => Result) => {
  let returned: Tensor[] = [];
  return (...donated) => {
    const given = leaves(donated);
    consume(returned, new Set(given), 'at the next call of the donating step that returned it');
    returned = [];
    const result = scoped(() => step(...donated), 'a donating step');
    returned = leaves(result);
    consume(given, new Set(returned), 'by the donating step that it was given to');
    returned[0]?.buffer.queue.flush();
    return result;
  };
};
