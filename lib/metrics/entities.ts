/**
 * How tagged spans are judged: a name or chunk counts as found when its kind, its first and its last token are all right
 * (Tjong Kim Sang & De Meulder 2003). Tags are `O` outside and `B-kind`, `I-kind` inside, or with `E-kind` at ends and
 * `S-kind` for spans of one token. Spans are read as conlleval and seqeval read them: whatever cannot go on a span begins
 * one, so an `I` after `O` or after another kind does.
 */
import type { F1 } from './classification.ts';
import { f1Of, requirePairs } from './classification.ts';

export interface TaggedSpan {
  readonly kind: string;
  /** Index of the first token. */
  readonly start: number;
  /** Index behind the last token. */
  readonly end: number;
}

/** What a tag of spans looks like. */
export const SPAN_TAG = /^(O|[BIES]-.+)$/;

/**
 * The spans of one sentence's tags, in order.
 *
 * Throws on a tag that is none of O, B-kind, I-kind, E-kind, S-kind.
 */
export const taggedSpans = (tags: readonly string[]): TaggedSpan[] => {
  const spans: TaggedSpan[] = [];
  let open: { kind: string; start: number } | undefined;
  const close = (end: number) => {
    if (open) spans.push({ ...open, end });
    open = undefined;
  };
  tags.forEach((tag, i) => {
    if (!SPAN_TAG.test(tag)) throw new Error(`taggedSpans: expected O, B-kind, I-kind, E-kind or S-kind, got '${tag}' at token ${i}`);
    const [place, kind] = [tag[0], tag.slice(2)];
    if (!('IE'.includes(place) && open?.kind === kind)) {
      close(i);
      if (place !== 'O') open = { kind, start: i };
    }
    if ('ES'.includes(place)) close(i + 1);
  });
  close(tags.length);
  return spans;
};

/**
 * Precision, recall and F1 of the spans of all sentences together: predicted and gold tags, a list for each sentence.
 *
 * Throws when sentences are missing, or tags in one.
 */
export const entityF1 = (predicted: readonly (readonly string[])[], gold: readonly (readonly string[])[]): F1 => {
  requirePairs('entityF1', predicted, gold);
  const counts = { both: 0, predicted: 0, gold: 0 };
  gold.forEach((tags, i) => {
    requirePairs(`entityF1, sentence ${i}`, predicted[i], tags);
    const name = ({ kind, start, end }: TaggedSpan) => `${start} ${end} ${kind}`;
    const right = new Set(taggedSpans(tags).map(name));
    const found = taggedSpans(predicted[i]).map(name);
    counts.gold += right.size;
    counts.predicted += found.length;
    counts.both += found.filter((span) => right.has(span)).length;
  });
  return f1Of(counts.both, counts.predicted, counts.gold);
};
