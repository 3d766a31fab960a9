/**
 * How threads carry out a list together. A list is a row of records in memory, each one launch of a kernel, cut into
 * chunks of items. A thread takes chunks by atomic counters, first of its own share, which is the same part of every
 * record, so that what it reads is mostly what it has written; then of the others'. It goes on to the next record when all
 * chunks of this one are done, whoever did them. So nobody waits for a thread that is late, only for a chunk that is
 * unfinished; and since chunks never depend on the number of threads, neither do results.
 */

/** A list: where the next one lies (0: not there yet), and where its records end. */
const NEXT: usize = 0;
const END: usize = 4;
const FIRST_RECORD: usize = 16;

/** A record: five words, one a thread that counts the chunks taken of its share, then the arguments of its kernel. */
const KERNEL: usize = 0;
const BYTES: usize = 4;
const ITEMS: usize = 8;
const GRAIN: usize = 12;
const DONE: usize = 16;
const TAKEN: usize = 20;

/** Looks at an unfinished record before the thread sleeps for a moment: longer than a chunk takes, for waking takes as long. */
const PATIENCE = 200_000;
const MOMENT: i64 = 50_000;

/** A word that is not 0 when some thread has failed; all others then stop. */
let failed: usize = 0;
/** Where this thread says which list it is at. */
let place: usize = 0;
/** Which thread this is, of how many. */
let thread: u32 = 0, threads: u32 = 1;
/** Memory of this thread alone. */
export let scratch: usize = 0;
/** Whether the thread may sleep; the main thread of a page may not. */
let sleeps: bool = false;

// @ts-ignore: decorator
@external('env', 'now')
declare function now(): f64;

/** Tells this instance which thread it is. */
export function enter(failedAt: usize, placeAt: usize, scratchAt: usize, number: u32, count: u32, maySleep: bool): void {
  failed = failedAt;
  place = placeAt;
  scratch = scratchAt;
  thread = number;
  threads = count;
  sleeps = maySleep;
}

/** The first chunk of a thread's share. */
// @ts-ignore: decorator
@inline
function share(owner: u32, chunks: u32): u32 {
  return ((owner as u64) * chunks / threads) as u32;
}

const enum Outcome { done, later, failed }

/** Takes part in one record, and waits until it is done or the deadline has passed. */
function join(record: usize, deadline: f64): Outcome {
  const items = load<u32>(record, ITEMS);
  const grain = load<u32>(record, GRAIN);
  const chunks = (items + grain - 1) / grain;
  if (atomic.load<u32>(record, DONE) >= chunks) return Outcome.done;
  for (let i: u32 = 0; i < threads; i++) {
    const owner = (thread + i) % threads;
    const last = share(owner + 1, chunks);
    while (true) {
      const chunk = share(owner, chunks) + atomic.add<u32>(record + TAKEN + (owner << 2), 1);
      if (chunk >= last) break;
      const from = chunk * grain;
      call_indirect(load<u32>(record, KERNEL), record + TAKEN + (threads << 2), from, min(from + grain, items));
      atomic.add<u32>(record, 1, DONE);
    }
  }
  let looks = 0;
  while (true) {
    const done = atomic.load<u32>(record, DONE);
    if (done >= chunks) return Outcome.done;
    if (atomic.load<u32>(failed) != 0) return Outcome.failed;
    if (++looks <= PATIENCE) continue;
    if (now() > deadline) return Outcome.later;
    if (sleeps) atomic.wait<i32>(record + DONE, done, MOMENT);
  }
}

/** Works on a list from a record on, at most until `deadline`. Returns the record to go on with, 0 after a failure. */
export function work(list: usize, from: usize, deadline: f64): usize {
  atomic.store<u32>(place, list);
  const end = list + load<u32>(list, END);
  let record = from == 0 ? list + FIRST_RECORD : from;
  while (record < end) {
    const outcome = join(record, deadline);
    if (outcome == Outcome.failed) return 0;
    if (outcome == Outcome.later) break;
    record += load<u32>(record, BYTES);
    if (now() > deadline) break;
  }
  return record;
}

/** A worker's life: list after list, asleep where there is none, until a thread fails. */
export function serve(list: usize): void {
  while (work(list, 0, Infinity) != 0) {
    let looks = 0;
    while (atomic.load<u32>(list, NEXT) == 0) {
      if (atomic.load<u32>(failed) != 0) return;
      if (++looks > PATIENCE) atomic.wait<i32>(list + NEXT, 0, -1);
    }
    list = atomic.load<u32>(list, NEXT);
  }
}
