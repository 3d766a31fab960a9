/**
 * pickle, Python's way to write values, is a program for a small machine: a stack, a memory (memo), and instructions of
 * one byte that push numbers, texts and containers, call a function (REDUCE) or ask the reader for something that lies
 * elsewhere (BINPERSID). A pickle can name any function of Python, which makes reading one in Python as dangerous as
 * running it. Here a name is looked up in a list of the reader's own functions and nowhere else, and only the instructions
 * exist that `torch.save` uses: nothing that a file says is ever executed.
 *
 * Dicts become Maps, lists and tuples arrays, None null. Source: CPython's Lib/pickle.py and Lib/pickletools.py, protocol 2.
 */

/** What a pickle may use. */
export interface Allowed {
  /** What `module.name` stands for: a function of a list of arguments that may be called, or a value. A name that is not here is refused. */
  readonly names: ReadonlyMap<string, unknown>;
  /** What a persistent id stands for. */
  readonly persistent?: (id: unknown) => unknown;
}

const MARK = Symbol('mark');

const fail = (what: string): never => {
  throw new Error(`not a pickle that torch wrote: ${what}`);
};

/** Signed little-endian whole number; a bigint where a number would not be exact. */
const readLong = (bytes: Uint8Array): number | bigint => {
  const raw = bytes.reduceRight((n, byte) => (n << 8n) | BigInt(byte), 0n);
  const value = BigInt.asIntN(8 * bytes.length, raw);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
};

/**
 * Runs the pickle that begins at byte `from`; gives its value and the place of the first byte after it.
 *
 * Throws on an instruction or a name that is not allowed, and on a program that makes no sense.
 */
export const readPickle = (bytes: Uint8Array, from: number, { names, persistent }: Allowed): { value: unknown; end: number } => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const memo = new Map<number, unknown>();
  const stack: unknown[] = [];
  let at = from;

  /** The place of the next `length` bytes, which are passed. */
  const skip = (length: number): number => {
    if (length < 0 || at + length > bytes.length) fail(`it ends at byte ${bytes.length}, in the middle of an instruction`);
    at += length;
    return at - length;
  };
  const text = (length: number): string => {
    const start = skip(length);
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString();
  };
  const line = (): string => {
    const end = bytes.indexOf(10, at);
    if (end < 0) fail('a name has no end');
    const found = text(end - at);
    skip(1);
    return found;
  };
  const pop = (): unknown => (stack.length === 0 || stack.at(-1) === MARK ? fail(`nothing is left on the stack at byte ${at}`) : stack.pop());
  const popMany = (count: number): unknown[] => Array.from({ length: count }, pop).reverse();
  const popToMark = (): unknown[] => {
    const mark = stack.lastIndexOf(MARK);
    if (mark < 0) fail(`a mark is missing at byte ${at}`);
    const items = stack.splice(mark + 1);
    stack.pop();
    return items;
  };
  /** The container on the stack that the next instruction fills. */
  const open = (): unknown => (stack.length === 0 ? fail(`there is nothing to fill at byte ${at}`) : stack.at(-1));
  const setItems = (items: unknown[]): void => {
    const dict = open();
    if (!(dict instanceof Map) || items.length % 2 === 1) return fail(`there is no dict to fill at byte ${at}`);
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  };
  const append = (items: unknown[]): void => {
    const list = open();
    if (!Array.isArray(list)) return fail(`there is no list to fill at byte ${at}`);
    for (const item of items) list.push(item);
  };
  const remember = (place: number): void => void memo.set(place, open());
  const recall = (place: number): void => {
    if (!memo.has(place)) fail(`it uses value ${place} before it is there`);
    stack.push(memo.get(place));
  };
  const global = (): void => {
    const name = `${line()}.${line()}`;
    if (!names.has(name)) fail(`it names ${JSON.stringify(name)}, which no file of weights needs and which is therefore not used`);
    stack.push(names.get(name));
  };
  const call = (): void => {
    const args = pop();
    const called = pop();
    if (typeof called !== 'function' || !Array.isArray(args)) return fail(`it calls what is no function at byte ${at}`);
    stack.push((called as (args: unknown[]) => unknown)(args));
  };
  const ask = (): void => {
    if (persistent === undefined) return fail('it asks for something outside of it');
    stack.push(persistent(pop()));
  };

  const instructions: Record<string, () => unknown> = {
    '\x80': () => view.getUint8(skip(1)) === 2 || fail('its protocol is not 2; save it with the default pickle_protocol'),
    N: () => stack.push(null),
    '\x88': () => stack.push(true),
    '\x89': () => stack.push(false),
    K: () => stack.push(view.getUint8(skip(1))),
    M: () => stack.push(view.getUint16(skip(2), true)),
    J: () => stack.push(view.getInt32(skip(4), true)),
    G: () => stack.push(view.getFloat64(skip(8))),
    '\x8a': () => {
      const length = view.getUint8(skip(1));
      const start = skip(length);
      stack.push(readLong(bytes.subarray(start, start + length)));
    },
    X: () => stack.push(text(view.getUint32(skip(4), true))),
    ')': () => stack.push([]),
    ']': () => stack.push([]),
    '}': () => stack.push(new Map()),
    '(': () => stack.push(MARK),
    t: () => stack.push(popToMark()),
    '\x85': () => stack.push(popMany(1)),
    '\x86': () => stack.push(popMany(2)),
    '\x87': () => stack.push(popMany(3)),
    a: () => append(popMany(1)),
    e: () => append(popToMark()),
    s: () => setItems(popMany(2)),
    u: () => setItems(popToMark()),
    q: () => remember(view.getUint8(skip(1))),
    r: () => remember(view.getUint32(skip(4), true)),
    h: () => recall(view.getUint8(skip(1))),
    j: () => recall(view.getUint32(skip(4), true)),
    c: global,
    R: call,
    Q: ask,
    // BUILD gives an object attributes: torch writes the versions of a model's parts so, which nobody needs here.
    b: () => pop() === MARK || open() instanceof Map || fail(`it builds something unknown at byte ${at}`),
  };

  for (;;) {
    const code = String.fromCharCode(view.getUint8(skip(1)));
    if (code === '.') return { value: pop(), end: at };
    const instruction = Object.hasOwn(instructions, code) ? instructions[code] : undefined;
    if (instruction === undefined) return fail(`instruction ${JSON.stringify(code)} at byte ${at - 1} is not one that torch uses`);
    instruction();
  }
};
