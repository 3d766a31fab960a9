/**
 * A stream of items through something that is faster with many at once: a window of items is taken from the stream, started
 * as a whole, and while it is computed the next one is read and started too. Results come in the order of the items. What
 * is held at any time is two windows, however long the stream is, and a stream that pauses does not hold back what it has
 * already given.
 */

export interface Windowing {
  /** Items of a window, at most. */
  readonly size: number;
  /** Milliseconds after which a window that is not full, but not empty either, is started as it is. */
  readonly patience: number;
}

/** What is read from a stream in one go, and how the stream ended if it did. */
interface Window<Item> {
  readonly items: Item[];
  readonly ended?: { readonly error?: unknown };
}

type Source<Item> = Iterable<Item> | AsyncIterable<Item>;

/** A function that reads the next window. A failing stream ends; what came before the failure is not lost. */
const windowsOf = <Item>(source: AsyncIterator<Item> | Iterator<Item>, { size, patience }: Windowing) => {
  let next: Promise<IteratorResult<Item>> | undefined;
  return async (): Promise<Window<Item>> => {
    const items: Item[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    let paused: Promise<undefined> | undefined;
    try {
      while (items.length < size) {
        next ??= Promise.resolve(source.next());
        const taken = await (paused ? Promise.race([next, paused]) : next);
        if (taken === undefined) break;
        next = undefined;
        if (taken.done) return { items, ended: {} };
        items.push(taken.value);
        paused ??= new Promise((resolve) => (timer = setTimeout(resolve, patience, undefined)));
      }
      return { items };
    } catch (error) {
      return { items, ended: { error } };
    } finally {
      clearTimeout(timer);
    }
  };
};

/**
 * The results of `start`, which is given the items of a window and promises a result for each, in order. It should start all
 * work at once and await only what comes out, so that the next window is read meanwhile.
 *
 * Throws what the stream or `start` throws, after the results of all items before.
 */
export async function* inWindows<Item, Result>(
  items: Source<Item>,
  start: (items: readonly Item[]) => Promise<readonly Result[]>,
  windowing: Windowing = { size: 1024, patience: 50 },
): AsyncGenerator<Result, void> {
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const read = windowsOf(source, windowing);
  let ahead = read();
  let computing: Promise<readonly Result[]> | undefined;
  let ended: Window<Item>['ended'];
  try {
    while (!ended) {
      // Whichever is first: while one window is computed the next may be read, but if it is late nobody waits for it.
      const window = await (computing ? Promise.race([ahead, computing.then(() => undefined)]) : ahead);
      const before = computing;
      computing = undefined;
      if (window) {
        ({ ended } = window);
        if (window.items.length > 0) {
          computing = start(window.items);
          computing.catch(() => undefined);
        }
        if (!ended) ahead = read();
      }
      if (before) yield* await before;
    }
    if (computing) yield* await computing;
    if ('error' in ended) throw ended.error;
  } finally {
    if (!ended) await source.return?.();
  }
}
