/** Moving values without changing them: copies, windows, other orders of axes. */
import { at } from './lanes';

/** What `write` and `read` do within a list. Arguments: from, to. Items are floats. */
export function copy(p: usize, from: u32, to: u32): void {
  memory.copy(at(load<usize>(p, 4), from), at(load<usize>(p), from), (to - from) << 2);
}

// @ts-ignore: decorator
@inline
function copyFloats(y: usize, x: usize, count: u32): void {
  if (count >= 64) {
    memory.copy(y, x, count << 2);
    return;
  }
  const end = y + (count << 2);
  for (; y + 16 <= end; x += 16, y += 16) v128.store(y, v128.load(x));
  for (; y < end; x += 4, y += 4) store<f32>(y, load<f32>(x));
}

/**
 * y[i₀ … i₄] = x[Σ iₖ·strideₖ]. Arguments: x, y, the sizes of axes 1 to 4, the strides of axes 0 to 4 in elements. Items are
 * rows along the last axis.
 */
export function strided(p: usize, from: u32, to: u32): void {
  const x = load<usize>(p), y = load<usize>(p, 4);
  const size1 = load<u32>(p, 8), size2 = load<u32>(p, 12), size3 = load<u32>(p, 16), size4 = load<u32>(p, 20);
  const stride0 = load<u32>(p, 24), stride1 = load<u32>(p, 28), stride2 = load<u32>(p, 32), stride3 = load<u32>(p, 36);
  const stride4 = load<u32>(p, 40);
  for (let row = from; row < to; row++) {
    const i3 = row % size3;
    const rest = row / size3;
    const i2 = rest % size2;
    const i1 = (rest / size2) % size1;
    const i0 = rest / size2 / size1;
    const source = at(x, i0 * stride0 + i1 * stride1 + i2 * stride2 + i3 * stride3);
    const target = at(y, row * size4);
    if (stride4 == 1) {
      copyFloats(target, source, size4);
    } else if (stride4 == 0) {
      const value = load<f32>(source);
      for (let c: u32 = 0; c < size4; c++) store<f32>(at(target, c), value);
    } else {
      for (let c: u32 = 0; c < size4; c++) store<f32>(at(target, c), load<f32>(at(source, c * stride4)));
    }
  }
}

/** Zeros, the block, zeros. Arguments: x, y, floats a block, floats of a result block, floats before. Items are blocks. */
export function pad(p: usize, from: u32, to: u32): void {
  const block = load<u32>(p, 8), size = load<u32>(p, 12), before = load<u32>(p, 16);
  for (let item = from; item < to; item++) {
    const y = at(load<usize>(p, 4), item * size);
    memory.fill(y, 0, before << 2);
    memory.copy(at(y, before), at(load<usize>(p), item * block), block << 2);
    memory.fill(at(y, before + block), 0, (size - before - block) << 2);
  }
}

/** A block of a, then a block of b. Arguments: a, b, y, floats of either block. Items are pairs of blocks. */
export function concat(p: usize, from: u32, to: u32): void {
  const first = load<u32>(p, 12), second = load<u32>(p, 16);
  for (let item = from; item < to; item++) {
    const y = at(load<usize>(p, 8), item * (first + second));
    memory.copy(y, at(load<usize>(p), item * first), first << 2);
    memory.copy(at(y, first), at(load<usize>(p, 4), item * second), second << 2);
  }
}

/** Floats of a block. */
const BLOCK: u32 = 64;

/**
 * Arrays one after another, each from a whole block on, with zeros up to the next. Arguments: y, the number of arrays, and of
 * each: its address, its floats, the block with which it begins. Items are blocks.
 */
export function pack(p: usize, from: u32, to: u32): void {
  const y = load<usize>(p);
  let array = p + 8;
  const last = array + (load<u32>(p, 4) - 1) * 12;
  for (let block = from; block < to; ) {
    while (array < last && load<u32>(array, 20) <= block) array += 12;
    const end = array < last ? min(to, load<u32>(array, 20)) : to;
    const first = load<u32>(array, 8), floats = load<u32>(array, 4);
    const start = min((block - first) * BLOCK, floats), stop = min((end - first) * BLOCK, floats);
    const target = at(y, block * BLOCK);
    memory.copy(target, at(load<usize>(array), start), (stop - start) << 2);
    memory.fill(at(target, stop - start), 0, ((end - block) * BLOCK - (stop - start)) << 2);
    block = end;
  }
}
