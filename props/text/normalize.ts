import { test } from 'uvu';
import * as assert from 'uvu/assert';
import fc from 'fast-check';
import { wordSplitter } from '../../lib/text/normalize.ts';

const anyText = fc.string({ unit: 'binary' });
const uncased = wordSplitter({ lowerCase: true });
const cased = wordSplitter({ lowerCase: false });
const read = (text: string, split = uncased): string[] => split(text).map((word) => word.text);

test('words end at spaces, and punctuation stands alone', () => {
  assert.equal(read('Well,\tthat’s  it!'), ['well', ',', 'that', '’', 's', 'it', '!']);
  assert.equal(read('a$b ^c`', cased), ['a', '$', 'b', '^', 'c', '`']);
});

test('every CJK ideograph stands alone, beyond U+FFFF too, and kana and hangul do not', () => {
  assert.equal(read('東京タワー𠮷野', cased), ['東', '京', 'タワー', '𠮷', '野']);
  assert.equal(read('한국어', cased), ['한국어']);
});

test('accents go with lower-casing unless one says otherwise', () => {
  assert.equal(read('Crème ÉTÉ'), ['creme', 'ete']);
  assert.equal(read('Crème ÉTÉ', cased), ['Crème', 'ÉTÉ']);
  assert.equal(read('Crème ÉTÉ', wordSplitter({ lowerCase: true, stripAccents: false })), ['crème', 'été']);
  assert.equal(read('Crème ÉTÉ', wordSplitter({ lowerCase: false, stripAccents: true })), ['Creme', 'ETE']);
});

test('control characters vanish without ending a word', () => {
  assert.equal(read('so\u00ADft\u200B \u0000x\uFFFD\uFEFFy'), ['soft', 'xy']);
  assert.equal(read('half \uD83D pair'), ['half', 'pair']);
});

test('in any text, every character of a word points at the code point that becomes it', () => {
  fc.assert(
    fc.property(anyText, fc.boolean(), (text, lowerCase) => {
      const split = lowerCase ? uncased : cased;
      const points = Array.from(text);
      let last = -1;
      for (const word of split(text)) {
        assert.ok(word.text.length > 0);
        assert.is(word.at.length, word.text.length);
        word.at.forEach((at, i) => {
          assert.ok(at >= last);
          last = at;
          const alone = split(points[at]).map((part) => part.text);
          assert.ok(alone.join('').includes(word.text[i]));
        });
      }
    }),
  );
});

test('normalising twice is normalising once', () => {
  fc.assert(fc.property(anyText, (text) => assert.equal(read(read(text).join(' ')), read(text))));
});

test.run();
