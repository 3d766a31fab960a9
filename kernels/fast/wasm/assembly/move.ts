/** Moving values without changing them. */

/** Copies bytes: what `write` and `read` do within a list. Arguments: from, to. Items are floats. */
export function copy(p: usize, from: u32, to: u32): void {
  const x = load<usize>(p), y = load<usize>(p, 4);
  memory.copy(y + (from << 2), x + (from << 2), (to - from) << 2);
}
