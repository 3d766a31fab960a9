/**
 * Tensor: an immutable value with a shape now and a buffer eventually. Operations are called synchronously and return
 * tensors whose shape is known at once; the device may still be computing. Reading is the only asynchronous act:
 * `await x.data()`, `await x.item()`. A tensor belongs to the device it was made on.
 */
import type { Held, Queue } from '../kernels/device/queue.ts';
import { currentQueue } from '../kernels/device/choose.ts';
import { born } from './memory.ts';
import { leaf } from './tree.ts';
import type { DType, Shape, Spec } from './shape.ts';
import { show, sizeOf } from './shape.ts';

let count = 0;

/** From here on not every integer is a float32, which is how devices store ids. */
const EXACT = 2 ** 24;

export class Tensor implements Spec {
  readonly [leaf] = true;
  /** Identifies the value: equal for two tensors that share one, as the tape's own copies do. */
  readonly id: number;
  readonly shape: Shape;
  readonly dtype: DType;
  #buffer: Held | undefined;
  #freed: string | undefined;

  /** Takes over one hold on `buffer`. Use `tensor`, `zeros` and their kin to make tensors. */
  constructor(buffer: Held | undefined, { shape, dtype }: Spec, id = ++count) {
    this.id = id;
    this.shape = shape;
    this.dtype = dtype;
    this.#buffer = buffer;
    if (buffer === undefined) this.#freed = 'because no gradient needs its values (see `keeps` in its operation)';
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** The buffer. Throws when the tensor has been freed, saying when. */
  get buffer(): Held {
    if (this.#buffer === undefined) {
      throw new Error(
        `this tensor of shape ${show(this.shape)} was freed ${this.#freed}; return it from the scope, or read it before`,
      );
    }
    return this.#buffer;
  }

  /** Gives up the buffer; `when` completes the sentence "it was freed …". For arenas and tapes, not for user code. */
  free(when: string): void {
    if (this.#buffer === undefined) return;
    const buffer = this.#buffer;
    this.#buffer = undefined;
    this.#freed = when;
    buffer.queue.release(buffer);
  }

  /** A copy of the values, row by row: `Int32Array` for i32, `Float32Array` (on `reference`, `Float64Array`) for f32. */
  async data(): Promise<Float32Array | Float64Array | Int32Array> {
    const values = await this.buffer.queue.read(this.buffer);
    return this.dtype === 'i32' ? Int32Array.from(values) : values;
  }

  /** The value of a tensor with one element. Throws when there are more. */
  async item(): Promise<number> {
    if (this.size !== 1) throw new Error(`item: expected a tensor with one element, got shape ${show(this.shape)}; use data()`);
    return (await this.data())[0];
  }

  toString(): string {
    return `Tensor(${this.dtype} ${show(this.shape)})`;
  }
}

/** A tensor of the innermost arena that owns one hold on `buffer`. */
export const wrap = (buffer: Held, spec: Spec): Tensor => {
  const x = new Tensor(buffer, spec);
  born(x);
  return x;
};

/** A second hold on the same value, outside every arena: its maker frees it. */
export const share = (x: Tensor): Tensor => {
  x.buffer.queue.retain(x.buffer);
  return new Tensor(x.buffer, x, x.id);
};

/** Where the values of a view lie: in this buffer, from an element on. */
export interface Place {
  readonly buffer: Held;
  readonly offset?: number;
}

/** Another value on the same buffer, under a shape of the same size or, of a part of it, a smaller one. */
export const view = ({ buffer, offset = 0 }: Place, spec: Spec): Tensor => {
  const size = sizeOf(spec.shape);
  if (size !== buffer.size) return wrap(buffer.queue.part(buffer, offset, size), spec);
  buffer.queue.retain(buffer);
  return wrap(buffer, spec);
};

/** The one device on which all the tensors live. Throws when they are on different ones. */
export const queueOf = (inputs: readonly Tensor[], name: string): Queue => {
  const queue = inputs.length > 0 ? inputs[0].buffer.queue : currentQueue();
  for (const x of inputs) {
    if (x.buffer.queue !== queue) {
      const names = [queue, x.buffer.queue].map((q) => q.device?.name ?? 'not opened yet');
      throw new Error(`${name}: tensors of two devices (${names.join(' and ')}); make them after one useDevice, or read and remake`);
    }
  }
  return queue;
};

/**
 * A tensor from numbers, row by row. Without `shape` it has one axis. Integers of dtype i32 must be below 2^24 in size.
 *
 * Throws when the shape does not hold that many numbers.
 */
export const tensor = (data: ArrayLike<number>, shape: Shape = [data.length], dtype: DType = 'f32'): Tensor => {
  if (!shape.every((n) => Number.isInteger(n) && n >= 0)) throw new Error(`tensor: ${show(shape)} is not a shape; sizes are whole numbers`);
  if (sizeOf(shape) !== data.length) {
    throw new Error(`tensor: shape ${show(shape)} holds ${sizeOf(shape)} numbers, but ${data.length} were given`);
  }
  if (dtype === 'i32') {
    for (let i = 0; i < data.length; i++) {
      if (!Number.isInteger(data[i]) || Math.abs(data[i]) >= EXACT) {
        throw new Error(`tensor: element ${i} is ${data[i]}; an i32 must be a whole number between -2^24 and 2^24`);
      }
    }
  }
  const copy = ArrayBuffer.isView(data) ? (data as Float64Array).slice() : Float64Array.from(data);
  return wrap(currentQueue().write(copy), { shape: [...shape], dtype });
};

/** Number of buffers alive on the current device: constant over the steps of a training loop that leaks nothing. */
export const live = (): number => currentQueue().live;

/** Number of operations launched so far on the current device: what fusing makes fewer. */
export const launches = (): number => currentQueue().launches;
