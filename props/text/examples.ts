import { test } from 'uvu';
import * as assert from 'uvu/assert';
import fc from 'fast-check';
import { buildExamples, holdOut, type ExampleOptions, type Examples } from '../../lib/text/examples.ts';

const special = { pad: 0, cls: 2, sep: 3 };
const sentence = fc.array(fc.integer({ min: 5, max: 99 }), { maxLength: 30 });
const documents = fc.array(fc.array(sentence, { maxLength: 8 }), { maxLength: 5 });
const seq = fc.integer({ min: 5, max: 40 });
const key = fc.tuple(fc.nat(), fc.nat());
const packing = fc.constantFrom<'carry' | 'google'>('carry', 'google');

type Row = { a: number[]; b: number[] };

/** The segments of every row, after checking that the row is `[CLS] A [SEP] (B [SEP])` and padding. */
const rowsOf = ({ count, seq, tokens, lengths, splits }: Examples): Row[] => {
  assert.is(tokens.length, count * seq);
  return Array.from({ length: count }, (_, i) => {
    const row = Array.from(tokens.subarray(i * seq, (i + 1) * seq));
    const [length, split] = [lengths[i], splits[i]];
    assert.ok(split <= length && length <= seq);
    assert.ok(row.slice(length).every((token) => token === special.pad));
    const a = row.slice(1, split - 1);
    const b = row.slice(split, Math.max(split, length - 1));
    const built = [special.cls, ...a, special.sep, ...b, ...(split < length ? [special.sep] : [])];
    assert.equal(row.slice(0, length), built);
    assert.ok(a.length > 0 && [...a, ...b].every((token) => token >= 5));
    assert.ok(split === length || b.length > 0);
    return { a, b };
  });
};

test('every example is [CLS] A [SEP] or [CLS] A [SEP] B [SEP], then padding, within its length', () => {
  fc.assert(
    fc.property(documents, seq, key, packing, (documents, seq, key, packing) => {
      rowsOf(buildExamples(documents, { seq, special, key, packing }));
    }),
  );
});

test('carried text: the examples together are the corpus, token by token', () => {
  fc.assert(
    fc.property(documents, seq, key, (documents, seq, key) => {
      const rows = rowsOf(buildExamples(documents, { seq, special, key }));
      assert.equal(
        rows.flatMap(({ a, b }) => [...a, ...b]),
        documents.flat(2),
      );
    }),
  );
});

test('no example holds tokens of two documents', () => {
  fc.assert(
    fc.property(documents, seq, key, packing, (documents, seq, key, packing) => {
      const numbered = documents.map((document, i) => document.map((sentence) => sentence.map(() => 5 + i)));
      for (const { a, b } of rowsOf(buildExamples(numbered, { seq, special, key, packing }))) {
        assert.is(new Set([...a, ...b]).size, 1);
      }
    }),
  );
});

test('segment B begins where a sentence begins', () => {
  fc.assert(
    fc.property(documents, seq, key, (documents, seq, key) => {
      const opened = documents.map((document) => document.map((sentence) => [5, ...sentence.map(() => 6)]));
      for (const { b } of rowsOf(buildExamples(opened, { seq, special, key }))) assert.ok(b.length === 0 || b[0] === 5);
    }),
  );
});

const SHORT_SENTENCES = [Array.from({ length: 40_000 }, () => [7, 8, 9])];
const share = (rows: Row[], holds: (row: Row) => boolean): number => rows.filter(holds).length / rows.length;

for (const packing of ['carry', 'google'] as const) {
  test(`one example in ten is a single segment, one in twenty is shorter (${packing})`, () => {
    const rows = rowsOf(buildExamples(SHORT_SENTENCES, { seq: 32, special, key: [1, 2], packing }));
    const single = share(rows, ({ b }) => b.length === 0);
    const shorter = share(rows, ({ a, b }) => a.length + b.length < (b.length === 0 ? 30 : 29) - 3);
    assert.ok(single > 0.08 && single < 0.14, `single ${single}`);
    assert.ok(shorter > 0.03 && shorter < 0.06, `shorter ${shorter}`);
  });
}

test('published packing discards what does not fit', () => {
  const document = [Array.from({ length: 100 }, () => 9)];
  const [row, ...more] = rowsOf(buildExamples([document], { seq: 20, special, key: [0, 0], packing: 'google' }));
  assert.is(row.a.length, 18);
  assert.is(more.length, 0);
});

test('the same key gives the same examples, another key gives others', () => {
  const build = (key: ExampleOptions['key']) => buildExamples(SHORT_SENTENCES, { seq: 32, special, key });
  assert.equal(build([1, 2]), build([1, 2]));
  assert.not.equal(build([1, 2]).splits, build([1, 3]).splits);
});

test('holding out parts the documents: none lost, none twice, order kept, neither part empty', () => {
  const fraction = fc.double({ min: 0.001, max: 0.999, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 50 }), fraction, key, (n, fraction, key) => {
      const all = Array.from({ length: n }, (_, i) => i);
      const { train, heldOut } = holdOut(all, fraction, key);
      const ascending = (a: number, b: number): number => a - b;
      assert.equal([...train, ...heldOut].sort(ascending), all);
      assert.equal(train, train.toSorted(ascending));
      assert.ok(train.length > 0 && heldOut.length > 0);
      assert.ok(Math.abs(heldOut.length - fraction * n) <= 1);
      assert.equal(holdOut(all, fraction, key), { train, heldOut });
    }),
  );
});

test('a length with no room, a fraction that is none, a single document: clear errors', () => {
  assert.throws(() => buildExamples([], { seq: 4, special, key: [0, 0] }), /expected seq from 5 to 65535, got 4/);
  assert.throws(() => holdOut([1, 2], 0, [0, 0]), /fraction between 0 and 1/);
  assert.throws(() => holdOut([1], 0.1, [0, 0]), /two documents or more.*got 1/);
});

test.run();
