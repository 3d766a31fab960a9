/**
 * The memory of the `wasm` device: one shared linear memory for all tensors. Sizes are rounded up to classes (four for each
 * doubling), and a freed block serves the next request of its class. There are two pools. Tensors are freed in the order
 * of the list, before their last use has happened; what the main thread writes at once, such as the lists themselves, must
 * never get such a block.
 */

const PAGE = 65536;
const GROWTH = 256;
/** One page less than 4 GiB, so that an address past the last byte is still a 32-bit number. */
const MOST_PAGES = 65535;
/** Blocks begin at multiples of a cache line, and whole vectors may be read and written past their last element. */
const ALIGN = 64;

export interface Pool {
  /** The address of a block for n floats. Throws when the memory is full. */
  allocate(n: number): number;
  release(address: number, n: number): void;
}

export interface Memory {
  /** Blocks whose order of use is the order of the lists. */
  readonly tensors: Pool;
  /** Blocks that are free from the moment of their release. */
  readonly staging: Pool;
  /** From this address on, nothing was ever used: no list that waits can mean it. */
  readonly unused: number;
  floats(address: number, n: number): Float32Array;
  words(address: number, n: number): Uint32Array;
  integers(address: number, n: number): Int32Array;
}

/** The size in bytes of the class that holds n floats: a multiple of a quarter of a power of two. */
const classOf = (n: number): number => {
  const bytes = Math.max(n * 4, ALIGN);
  const step = Math.max(2 ** (Math.floor(Math.log2(bytes)) - 2), ALIGN);
  return Math.ceil(bytes / step) * step;
};

const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;

/** Memory whose blocks begin at `base`. */
export const openMemory = (pages: WebAssembly.Memory, base: number): Memory => {
  let top = base;
  let used = 0;

  /** The next bytes that were never used; undefined when there is no room. */
  const extend = (bytes: number): number | undefined => {
    // A cache line stays free at the end of the memory: kernels may read that far past a block.
    const missing = Math.ceil((top + bytes + ALIGN - pages.buffer.byteLength) / PAGE);
    if (missing > 0) {
      const room = MOST_PAGES - pages.buffer.byteLength / PAGE;
      if (missing > room) return undefined;
      try {
        pages.grow(Math.min(Math.max(missing, GROWTH), room));
      } catch {
        return undefined;
      }
    }
    top += bytes;
    return top - bytes;
  };

  const openPool = (): Pool => {
    const free = new Map<number, number[]>();

    const keep = (address: number, bytes: number) => {
      const blocks = free.get(bytes);
      if (blocks === undefined) free.set(bytes, [address]);
      else blocks.push(address);
    };

    /** Cuts the smallest block of a larger class, for when nothing else is left; the rest becomes blocks of its own. */
    const cut = (bytes: number): number | undefined => {
      const larger = [...free].filter(([size, blocks]) => size > bytes && blocks.length > 0).map(([size]) => size);
      if (larger.length === 0) return undefined;
      const size = Math.min(...larger);
      const address = free.get(size)!.pop()!;
      for (let at = bytes; at < size; ) {
        const step = 2 ** Math.floor(Math.log2(size - at));
        keep(address + at, step);
        at += step;
      }
      return address;
    };

    return {
      allocate(n) {
        const bytes = classOf(n);
        const address = free.get(bytes)?.pop() ?? extend(bytes) ?? cut(bytes);
        if (address === undefined) {
          throw new Error(
            `wasm: no room for a tensor of ${megabytes(bytes)}: ${megabytes(used)} of the memory, which has 4096 MB at most, ` +
              'are in use, and no free piece is large enough; take smaller batches or shorter sequences',
          );
        }
        used += bytes;
        return address;
      },
      release(address, n) {
        const bytes = classOf(n);
        used -= bytes;
        keep(address, bytes);
      },
    };
  };

  return {
    tensors: openPool(),
    staging: openPool(),
    get unused() {
      return top;
    },
    floats: (address, n) => new Float32Array(pages.buffer, address, n),
    words: (address, n) => new Uint32Array(pages.buffer, address, n),
    integers: (address, n) => new Int32Array(pages.buffer, address, n),
  };
};
