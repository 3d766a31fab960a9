/** Laws of encoding rows: what is kept of long ones, that no word is lost, and that padding is as short as it can be. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { alike, batchesOf, batchOf, encodeTexts, encodeWords, truncatedLengths } from '../../lib/tasks/encode.ts';
import { WordPiece } from '../../lib/text/wordpiece.ts';
import { small } from '../electra/small.ts';

const letters = [...'abcdefgh'];
const tokenizer = new WordPiece(
  ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...letters, ...letters.map((letter) => `##${letter}`)],
  { lowerCase: true },
);
const { cls, sep, unk } = tokenizer.special;

const word = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 6 });
const text = fc.array(word, { maxLength: 12 }).map((words) => words.join(' '));
const length = fc.integer({ min: 3, max: 24 });

test('a pair is cut as published: one token at a time from the longer, from the second where both are as long', () => {
  fc.assert(
    fc.property(fc.nat({ max: 60 }), fc.nat({ max: 60 }), fc.nat({ max: 60 }), (a, b, room) => {
      let [x, y] = [a, b];
      while (x + y > room) x > y ? x-- : y--;
      assert.equal(truncatedLengths(a, b, room), [x, y]);
    }),
  );
});

test('a text that fits is what the tokenizer makes of it; any other is the beginning of that', () => {
  fc.assert(
    fc.property(text, fc.option(text, { nil: undefined }), length, (text, pair, length) => {
      const whole = tokenizer.encode(text, pair);
      const [{ ids, types }] = encodeTexts(tokenizer, [{ text, pair }], length);
      assert.is(ids.length, Math.min(whole.ids.length, length));
      assert.is(types.length, ids.length);
      if (whole.ids.length <= length) assert.equal([ids, types], [whole.ids, whole.typeIds]);
      else if (pair === undefined) assert.equal(ids, [...whole.ids.slice(0, length - 1), sep]);
      else assert.equal(ids.filter((id) => id === sep).length, 2);
      assert.equal([ids[0], ids.at(-1)], [cls, sep]);
    }),
  );
});

test('every word has its first piece in exactly one window, in order, however long the list is', () => {
  const words = fc.array(fc.oneof(word, fc.constantFrom('', '\u0000', '?')), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(words, { maxLength: 4 }), length, (lists, length) => {
      const windows = encodeWords(
        tokenizer,
        lists.map((words) => ({ words })),
        length,
      );
      lists.forEach((words, row) => {
        const of = windows.filter((window) => window.row === row);
        const firsts = of.flatMap(({ ids, at }) => at.map((place) => ids[place]));
        assert.equal(
          firsts,
          words.map((word) => tokenizer.ids(word)[0] ?? unk),
        );
        let next = 0;
        for (const { word, at, ids } of of) {
          assert.is(word, next);
          next += at.length;
          assert.ok(ids.length <= length);
        }
      });
    }),
  );
});

test('a batch is as long as its longest sequence, up to a multiple of eight and the positions there are', async () => {
  const lengths = fc.array(fc.integer({ min: 2, max: 20 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(lengths, async (lengths) => {
      const examples = lengths.map((n) => ({
        ids: Array.from({ length: n }, (_, i) => 5 + i),
        types: Array.from({ length: n }, () => 1),
      }));
      const { tokens, types, attend } = batchOf(examples, { special: { ...small.special, pad: 99 }, maxPositions: 20 });
      const longest = Math.max(...lengths);
      const t = longest > 16 ? 20 : longest > 8 ? 16 : 8;
      assert.equal(tokens.shape, [lengths.length, t]);
      const [ids, of, seen] = await Promise.all([tokens, types, attend].map(async (x) => Array.from(await x.data())));
      const expected = (f: (i: number) => number, rest: number) =>
        lengths.flatMap((n) => Array.from({ length: t }, (_, i) => (i < n ? f(i) : rest)));
      assert.equal([ids, of, seen], [expected((i) => 5 + i, 99), expected(() => 1, 0), expected(() => 1, 0)]);
    }),
    { numRuns: 20 },
  );
});

test('parts of like length hold every example once, none more than twice as long as another in its part', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 2, max: 200 }), { maxLength: 40 }), (lengths) => {
      const examples = lengths.map((n, row) => ({ row, ids: Array.from({ length: n }, () => 5) }));
      const parts = alike(examples);
      assert.equal(parts.flat().map(({ row }) => row).sort((a, b) => a - b), examples.map(({ row }) => row));
      for (const part of parts) {
        const all = part.map(({ ids }) => Math.max(8, ids.length));
        assert.ok(Math.max(...all) <= 2 * Math.min(...all));
      }
    }),
  );
});

test('batches by length hold every example once, and with their padding as many tokens as are allowed, or one example', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 2, max: 30 }), { maxLength: 40 }),
      fc.integer({ min: 1, max: 100 }),
      (lengths, most) => {
        const examples = lengths.map((n, row) => ({ row, ids: Array.from({ length: n }, () => 5) }));
        const batches = batchesOf(examples, most);
        assert.equal(
          batches
            .flat()
            .map(({ row }) => row)
            .sort((a, b) => a - b),
          examples.map(({ row }) => row),
        );
        const all = batches.flat().map(({ ids }) => ids.length);
        assert.equal(
          all,
          [...all].sort((a, b) => a - b),
        );
        batches.forEach((batch, i) => {
          assert.ok(batch.length === 1 || batch.length * batch.at(-1)!.ids.length <= most);
          // There was no room for the next one.
          if (i + 1 < batches.length) assert.ok((batch.length + 1) * batches[i + 1][0].ids.length > most);
        });
      },
    ),
  );
});

test.run();
