/** Laws of tagged spans: they are those of conlleval, they can be written as tags again, and what F1 counts. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TaggedSpan } from '../../lib/metrics/entities.ts';
import { entityF1, taggedSpans } from '../../lib/metrics/entities.ts';
import { near } from './near.ts';

const test = suite('entities');

const tag = fc.constantFrom(
  'O',
  ...['B', 'I', 'E', 'S'].flatMap((place) => ['PER', 'LOC'].map((kind) => `${place}-${kind}`)),
);
const sentence = fc.array(tag, { maxLength: 12 });

/** endOfChunk and startOfChunk of conlleval.pl (CoNLL-2000), which decide from two neighbouring tags. */
const conlleval = (tags: readonly string[]): TaggedSpan[] => {
  const spans: TaggedSpan[] = [];
  const parts = [...tags, 'O'].map((tag) => [tag[0], tag.slice(2)] as const);
  let [before, was, start] = ['O', '', 0];
  parts.forEach(([place, kind], i) => {
    const ends =
      (['B', 'I'].includes(before) && ['B', 'S', 'O'].includes(place)) ||
      ['E', 'S'].includes(before) ||
      (before !== 'O' && was !== kind);
    const starts =
      ['B', 'S'].includes(place) ||
      (['E', 'S', 'O'].includes(before) && ['E', 'I'].includes(place)) ||
      (place !== 'O' && was !== kind);
    if (ends) spans.push({ kind: was, start, end: i });
    if (starts) start = i;
    [before, was] = [place, kind];
  });
  return spans;
};

test('spans are read as conlleval reads them, whatever the tags', () => {
  fc.assert(fc.property(sentence, (tags) => assert.equal(taggedSpans(tags), conlleval(tags))));
});

test('spans written as BIO, or as BIOES, are read back', () => {
  const spans = fc.array(
    fc.record({ gap: fc.nat(2), length: fc.integer({ min: 1, max: 3 }), kind: fc.constantFrom('PER', 'LOC') }),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(spans, fc.boolean(), (drawn, ends) => {
      const tags: string[] = [];
      const written = drawn.map(({ gap, length, kind }) => {
        tags.push(...Array<string>(gap).fill('O'));
        const start = tags.length;
        const places: string[] = Array.from({ length }, (_, i) => (i === 0 ? 'B' : 'I'));
        if (ends) places[length - 1] = length === 1 ? 'S' : 'E';
        tags.push(...places.map((place) => `${place}-${kind}`));
        return { kind, start, end: tags.length };
      });
      assert.equal(taggedSpans(tags), written);
    }),
  );
});

test("the example of seqeval's documentation: one of two spans begins too early, so F1 is 0.5", () => {
  const gold = [
    ['O', 'O', 'O', 'B-MISC', 'I-MISC', 'I-MISC', 'O'],
    ['B-PER', 'I-PER', 'O'],
  ];
  const predicted = [
    ['O', 'O', 'B-MISC', 'I-MISC', 'I-MISC', 'I-MISC', 'O'],
    ['B-PER', 'I-PER', 'O'],
  ];
  assert.equal(entityF1(predicted, gold), { precision: 0.5, recall: 0.5, f1: 0.5 });
});

test('a span counts only with its kind and both ends, and all sentences count together', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(sentence, sentence), { maxLength: 5 }), (drawn) => {
      const pairs = drawn.map(([a, b]) => [a.slice(0, b.length), b.slice(0, a.length)] as const);
      const [predicted, gold] = [pairs.map(([p]) => p), pairs.map(([, g]) => g)];
      const found = predicted.flatMap(taggedSpans).length;
      const there = gold.flatMap(taggedSpans).length;
      const both = predicted.flatMap((tags, i) =>
        taggedSpans(tags).filter((a) =>
          taggedSpans(gold[i]).some((b) => a.kind === b.kind && a.start === b.start && a.end === b.end),
        ),
      ).length;
      const { precision, recall, f1 } = entityF1(predicted, gold);
      near(precision, found === 0 ? 0 : both / found);
      near(recall, there === 0 ? 0 : both / there);
      near(f1, found + there === 0 ? 0 : (2 * both) / (found + there));
    }),
  );
});

test('tags of no known form, and missing tags, are refused', () => {
  assert.throws(() => taggedSpans(['O', 'PER']), /expected O, B-kind, I-kind, E-kind or S-kind, got 'PER' at token 1/);
  assert.throws(() => taggedSpans(['B-']), /got 'B-' at token 0/);
  assert.throws(() => entityF1([['O']], [['O', 'O']]), /sentence 0: expected a prediction for each of 2; got 1/);
});

test.run();
