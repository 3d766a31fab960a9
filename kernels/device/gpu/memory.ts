/**
 * The memory of the `gpu` device: storage buffers in size classes (four for each doubling), used again and again. What a
 * list both makes and frees comes from one pool, what outlives it from another, and each takes its lowest free block. So
 * equal lists use equal blocks: those of the first pool are all free between two lists, and the state of a training loop,
 * made anew before the old one is freed, moves between the same two sets of blocks.
 */

/** WebGPU's usage flags, which are globals only where WebGPU is: storage 128, copy from 4, copy to 8. */
const STORAGE = 128 | 4 | 8;
const ALIGN = 256;
/** A block that no list has used for so many lists is given back. */
const IDLE = 256;

/** A storage buffer. */
export interface Block {
  readonly id: number;
  readonly buffer: GPUBuffer;
  readonly passing: boolean;
  /** The list that used it last. */
  used: number;
}

export interface Memory {
  /** A block for n floats; `passing` if the list that asks for it frees it. Throws when no buffer may be so large. */
  allocate(n: number, passing: boolean): Block;
  release(block: Block): void;
  /** Begins a list: gives back what none has used for long. */
  begin(): void;
  /** Resolves when the buffers made since it was last asked are there; undefined when none were made. Rejects when there was no room. */
  making(): Promise<unknown> | undefined;
  /** Gives back all blocks that are free. */
  trim(): void;
  close(): void;
}

/** The size in bytes of the class that holds n floats: a multiple of a quarter of a power of two. */
const classOf = (n: number): number => {
  const bytes = Math.max(n * 4, ALIGN);
  const step = Math.max(2 ** (Math.floor(Math.log2(bytes)) - 2), ALIGN);
  return Math.ceil(bytes / step) * step;
};

const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;

/** `destroyed` is told of every block that is given back. */
export const openMemory = (device: GPUDevice, destroyed: (block: Block) => void): Memory => {
  const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
  const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
  const blocks = new Set<Block>();
  /** The free blocks by class, for both pools: the lowest last. */
  const free = { passing: new Map<number, Block[]>(), kept: new Map<number, Block[]>() };
  let count = 0;
  let lists = 0;
  let made: Promise<void>[] = [];

  const poolOf = (passing: boolean) => (passing ? free.passing : free.kept);
  const sizeFor = (n: number) => Math.min(classOf(n), most);

  const create = (n: number, passing: boolean): Block => {
    const exact = Math.ceil((n * 4) / ALIGN) * ALIGN;
    if (exact > most) {
      throw new Error(
        `gpu: a tensor of ${megabytes(n * 4)} was asked for, but this adapter binds buffers of ${megabytes(most)} at most; ` +
          'take smaller batches or shorter sequences, or compute on wasm',
      );
    }
    device.pushErrorScope('out-of-memory');
    const buffer = device.createBuffer({ size: sizeFor(n), usage: STORAGE });
    const block: Block = { id: ++count, buffer, passing, used: lists };
    blocks.add(block);
    made.push(
      device.popErrorScope().then((error) => {
        if (error === null) return;
        const held = [...blocks].reduce((sum, other) => sum + other.buffer.size, 0);
        destroy(block);
        throw new Error(
          `gpu: no room for a tensor of ${megabytes(n * 4)}: ${megabytes(held)} were asked for in all; take smaller batches or ` +
            'shorter sequences, or compute on wasm',
          { cause: error },
        );
      }),
    );
    return block;
  };

  const destroy = (block: Block): void => {
    blocks.delete(block);
    destroyed(block);
    block.buffer.destroy();
  };

  /** Gives back the free blocks for which `when` holds. */
  const sweep = (when: (block: Block) => boolean): void => {
    for (const pool of [free.passing, free.kept]) {
      for (const [size, waiting] of pool) {
        waiting.filter(when).forEach(destroy);
        pool.set(
          size,
          waiting.filter((block) => !when(block)),
        );
      }
    }
  };

  return {
    allocate(n, passing) {
      const block = poolOf(passing).get(sizeFor(n))?.pop() ?? create(n, passing);
      block.used = lists;
      return block;
    },
    release(block) {
      if (!blocks.has(block)) return;
      const pool = poolOf(block.passing);
      const size = block.buffer.size;
      const waiting = pool.get(size) ?? [];
      pool.set(size, waiting);
      let at = waiting.length;
      while (at > 0 && waiting[at - 1].id < block.id) at--;
      waiting.splice(at, 0, block);
    },
    begin() {
      lists++;
      if (lists % IDLE === 0) sweep((block) => block.used <= lists - IDLE);
    },
    making() {
      if (made.length === 0) return undefined;
      const all = Promise.all(made);
      made = [];
      return all;
    },
    trim: () => sweep(() => true),
    close: () => blocks.forEach(destroy),
  };
};
