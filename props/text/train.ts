import { test } from 'uvu';
import * as assert from 'uvu/assert';
import fc from 'fast-check';
import { permutation } from '../../lib/text/order.ts';
import { trainWordPiece } from '../../lib/text/train.ts';
import { SPECIAL_TOKENS, WordPiece } from '../../lib/text/wordpiece.ts';

const letters = fc
  .string({ unit: fc.constantFrom(...'abcdE é.中'), minLength: 1 })
  .filter((text) => text.trim() !== '');
const lines = fc.array(letters, { minLength: 1, maxLength: 20 });

test('the most frequent pair is merged first, ties go to older pieces, and rare pairs are left alone', () => {
  const learn = (line: string, minFrequency: number): string[] =>
    trainWordPiece([line], { size: 100, lowerCase: true, minFrequency }).slice(SPECIAL_TOKENS.length);
  // u·g comes five times, then h·ug four times; all other pairs are rarer.
  assert.equal(learn('hug hug hug hugs pug pun', 2), ['##g', '##n', '##s', '##u', 'h', 'p', '##ug', 'hug']);
  assert.equal(learn('ab cd', 1), ['##b', '##d', 'a', 'c', 'ab', 'cd']);
  assert.equal(learn('ab cd', 2), ['##b', '##d', 'a', 'c']);
});

test('a vocabulary begins with the special tokens, has no token twice and no more than its size', () => {
  fc.assert(
    fc.property(lines, fc.integer({ min: 6, max: 60 }), (lines, size) => {
      const vocab = trainWordPiece(lines, { size, lowerCase: true });
      assert.equal(vocab.slice(0, 5), [...SPECIAL_TOKENS]);
      assert.is(new Set(vocab).size, vocab.length);
      assert.ok(vocab.length <= size);
    }),
  );
});

test('a vocabulary with room for the alphabet reads its own text without [UNK]', () => {
  fc.assert(
    fc.property(lines, fc.boolean(), (lines, lowerCase) => {
      const tokenizer = new WordPiece(trainWordPiece(lines, { size: 100, lowerCase }), { lowerCase });
      for (const line of lines) assert.not.ok(tokenizer.ids(line).includes(tokenizer.special.unk));
    }),
  );
});

test('the same text gives the same vocabulary, whatever the order of its lines', () => {
  fc.assert(
    fc.property(lines, fc.nat(), (lines, seed) => {
      const options = { size: 50, lowerCase: false, minFrequency: 1 };
      const shuffled = permutation(lines.length, [seed, 0]).map((i) => lines[i]);
      assert.equal(trainWordPiece(shuffled, options), trainWordPiece(lines, options));
    }),
  );
});

test('incremental counts give the merges of counting everything anew', () => {
  const naive = (lines: string[], size: number): string[] => {
    const words = lines.flatMap((line) => line.split(' ').filter((word) => word !== ''));
    let cut = words.map((word) => Array.from(word, (char, i) => (i === 0 ? char : `##${char}`)));
    const vocab: string[] = [...SPECIAL_TOKENS, ...[...new Set(cut.flat())].sort()];
    while (vocab.length < size) {
      const counts = new Map<string, number>();
      for (const word of cut) {
        for (let i = 0; i + 1 < word.length; i++) {
          const pair = `${word[i]} ${word[i + 1]}`;
          counts.set(pair, (counts.get(pair) ?? 0) + 1);
        }
      }
      const rank = (pair: string): number[] => pair.split(' ').map((token) => vocab.indexOf(token));
      const [best] = [...counts].sort(([a, m], [b, n]) => n - m || rank(a)[0] - rank(b)[0] || rank(a)[1] - rank(b)[1]);
      if (!best) break;
      const [left, right] = best[0].split(' ');
      const merged = left + right.slice(2);
      if (!vocab.includes(merged)) vocab.push(merged);
      cut = cut.map((word) => {
        const out: string[] = [];
        for (const piece of word) {
          if (piece === right && out.at(-1) === left) out[out.length - 1] = merged;
          else out.push(piece);
        }
        return out;
      });
    }
    return vocab;
  };
  const words = fc.array(fc.string({ unit: fc.constantFrom(...'ab c'), minLength: 1, maxLength: 12 }), {
    minLength: 1,
  });
  fc.assert(
    fc.property(
      words.filter((lines) => lines.join('').trim() !== ''),
      (lines) => {
        assert.equal(trainWordPiece(lines, { size: 40, lowerCase: false, minFrequency: 1 }), naive(lines, 40));
      },
    ),
  );
});

test('a small vocabulary keeps the most frequent characters', () => {
  assert.equal(trainWordPiece(['b b b a a c'], { size: 7, lowerCase: true }), [...SPECIAL_TOKENS, 'a', 'b']);
  assert.equal(trainWordPiece(['b b b a a c'], { size: 9, lowerCase: true, alphabet: 1 }), [...SPECIAL_TOKENS, 'b']);
});

test('no text, or no room for any, is a clear error', () => {
  assert.throws(() => trainWordPiece([], { size: 100, lowerCase: true }), /got none: is the corpus empty/);
  assert.throws(() => trainWordPiece([' \n'], { size: 100, lowerCase: true }), /got none: is the corpus empty/);
  assert.throws(() => trainWordPiece(['a'], { size: 5, lowerCase: true }), /a size of 6 or more.*got 5/);
  assert.throws(() => trainWordPiece(['a'], { size: 7.5, lowerCase: true }), /got 7.5/);
});

test.run();
