/**
 * Builds the examples that ELECTRA is pre-trained on: `[CLS] A [SEP] B [SEP]`, where A and B are neighbouring stretches
 * of one document, cut between sentences where that is possible. One example in ten has A alone, and one in twenty is
 * shorter than it could be, so that the model meets both (Devlin et al. 2019; Clark et al. 2020).
 *
 * There are two ways to pack a document:
 *
 *  - `carry`, the default: each example is filled to its last place with the text that comes next. A ends at the
 *    sentence end just before or just after its half, by a coin. What does not fit opens the next example, so every
 *    token of the corpus is in exactly one example.
 *  - `google`: as build_pretraining_dataset.py of google-research/electra does it. Sentences are collected until they
 *    fill an example, shared out between A and B, and the surplus is discarded.
 */
import { permutation, uniformAt, type HostKey } from './order.ts';
import type { SpecialIds } from './wordpiece.ts';

/** A document is its sentences; a sentence is its token ids. */
export type Document = Iterable<ArrayLike<number>>;

/** `count` rows of `seq` tokens. Row i has `lengths[i]` tokens, then padding; its segment B begins at `splits[i]`. */
export interface Examples {
  readonly count: number;
  readonly seq: number;
  readonly tokens: Int32Array;
  readonly lengths: Uint16Array;
  /** Equal to the row's length where there is no segment B. */
  readonly splits: Uint16Array;
}

export interface ExampleOptions {
  /** Tokens in a row, the special ones included. */
  seq: number;
  special: Pick<SpecialIds, 'pad' | 'cls' | 'sep'>;
  key: HostKey;
  packing?: 'carry' | 'google';
}

type Draw = () => number;
type Emit = (a: ArrayLike<number>, b: ArrayLike<number>) => void;

const SINGLE_SEGMENT = 0.1;
const SHORTER = 0.05;
const SHORTEST = 5;

const drawTarget = (seq: number, draw: Draw): number =>
  draw() < SHORTER ? SHORTEST + Math.floor(draw() * (seq - SHORTEST + 1)) : seq;

/** Where A stops among the sentence ends inside an example: just before or just after the half. */
const chooseSplit = (ends: readonly number[], half: number, draw: Draw): number | undefined => {
  const before = ends.findLast((end) => end <= half);
  const after = ends.find((end) => end > half);
  if (before === undefined || after === undefined) return before ?? after;
  return draw() < 0.5 ? before : after;
};

const packCarry = (documents: Iterable<Document>, seq: number, draw: Draw, emit: Emit): void => {
  for (const document of documents) {
    const text: number[] = [];
    const ends: number[] = [];
    for (const sentence of document) {
      for (let i = 0; i < sentence.length; i++) text.push(sentence[i]);
      ends.push(text.length);
    }
    let from = 0;
    let next = 0; // ends[next] is the first sentence end that may lie inside the example
    while (from < text.length) {
      const target = drawTarget(seq, draw);
      const alone = draw() < SINGLE_SEGMENT;
      const to = Math.min(text.length, from + target - 3);
      while (ends[next] <= from) next++;
      const inside: number[] = [];
      for (let i = next; ends[i] < to; i++) inside.push(ends[i]);
      const split = alone ? undefined : chooseSplit(inside, (from + to) / 2, draw);
      if (split === undefined) {
        const end = Math.min(text.length, from + target - 2);
        emit(text.slice(from, end), []);
        from = end;
      } else {
        emit(text.slice(from, split), text.slice(split, to));
        from = to;
      }
    }
  }
};

const packGoogle = (documents: Iterable<Document>, seq: number, draw: Draw, emit: Emit): void => {
  let target = seq;
  let collected: ArrayLike<number>[] = [];
  let length = 0;
  const finish = (): void => {
    const most = draw() < SINGLE_SEGMENT ? Infinity : Math.floor((target - 3) / 2);
    const a: number[] = [];
    const b: number[] = [];
    for (const sentence of collected) {
      const fits = a.length === 0 || a.length + sentence.length < most;
      const inA = fits || (b.length === 0 && a.length < most && draw() < 0.5);
      for (let i = 0; i < sentence.length; i++) (inA ? a : b).push(sentence[i]);
    }
    const segmentA = a.slice(0, seq - 2);
    emit(segmentA, b.slice(0, Math.max(0, seq - segmentA.length - 3)));
    collected = [];
    length = 0;
    target = drawTarget(seq, draw);
  };
  for (const document of documents) {
    for (const sentence of document) {
      collected.push(sentence);
      length += sentence.length;
      if (length >= target) finish();
    }
    if (length > 0) finish();
  }
};

/** The examples of a corpus. The same documents, options and key give the same examples. */
export const buildExamples = (documents: Iterable<Document>, options: ExampleOptions): Examples => {
  const { seq, special, key, packing = 'carry' } = options;
  if (!Number.isInteger(seq) || seq < SHORTEST || seq > 65535) {
    throw new RangeError(`buildExamples: expected seq from ${SHORTEST} to 65535, got ${seq}`);
  }
  const tokens: number[] = [];
  const lengths: number[] = [];
  const splits: number[] = [];
  const emit: Emit = (a, b) => {
    const start = tokens.length;
    tokens.push(special.cls);
    for (let i = 0; i < a.length; i++) tokens.push(a[i]);
    tokens.push(special.sep);
    splits.push(tokens.length - start);
    for (let i = 0; i < b.length; i++) tokens.push(b[i]);
    if (b.length > 0) tokens.push(special.sep);
    lengths.push(tokens.length - start);
    while (tokens.length < start + seq) tokens.push(special.pad);
  };
  let drawn = 0;
  const draw = (): number => uniformAt(key, drawn++);
  (packing === 'google' ? packGoogle : packCarry)(documents, seq, draw, emit);
  return {
    count: lengths.length,
    seq,
    tokens: Int32Array.from(tokens),
    lengths: Uint16Array.from(lengths),
    splits: Uint16Array.from(splits),
  };
};

/** Sets `fraction` of the documents aside, at least one, by a shuffle of `key`. Both parts keep the order they had. */
export const holdOut = <T>(documents: readonly T[], fraction: number, key: HostKey): { train: T[]; heldOut: T[] } => {
  if (!(fraction > 0 && fraction < 1)) {
    throw new RangeError(`holdOut: expected a fraction between 0 and 1, both excluded, got ${fraction}`);
  }
  const n = documents.length;
  if (n < 2) {
    throw new Error(
      `holdOut: expected two documents or more, one to set aside, got ${n}: cut the text into parts first`,
    );
  }
  const aside = Math.min(n - 1, Math.max(1, Math.round(fraction * n)));
  const place = permutation(n, key);
  return {
    train: documents.filter((_, i) => place[i] >= aside),
    heldOut: documents.filter((_, i) => place[i] < aside),
  };
};
