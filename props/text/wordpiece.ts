import { test } from 'uvu';
import * as assert from 'uvu/assert';
import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import { wordSplitter } from '../../lib/text/normalize.ts';
import { SPECIAL_TOKENS, WordPiece } from '../../lib/text/wordpiece.ts';

const SHARED = new URL('../../../shared/', import.meta.url);
const LETTERS = [...'abcdeé中文,.!?'];
const vocab = [...SPECIAL_TOKENS, ...LETTERS, ...LETTERS.map((c) => `##${c}`), 'ab', '##cd', 'abc', '##dea'];
const tokenizer = new WordPiece(vocab, { lowerCase: false });

/** Text of the alphabet alone, of special tokens, and of anything. */
const known = fc.string({ unit: fc.constantFrom(...LETTERS, ' ') });
const anyText = fc
  .array(fc.oneof(known, fc.string({ unit: 'binary' }), fc.constantFrom(...SPECIAL_TOKENS)), { maxLength: 5 })
  .map((parts) => parts.join(''));

const GOLDEN = new URL('golden/wordpiece.jsonl', SHARED);
const golden = existsSync(GOLDEN) ? test : test.skip;
if (golden === test.skip) console.log(`  skipped: WordPiece against golden files, as ${GOLDEN.pathname} is not there`);

golden('encoding equals the published tokenizers on every golden line', () => {
  const readVocab = (name: string): string[] =>
    readFileSync(new URL(`data/vocab/bert-base-${name}-vocab.txt`, SHARED), 'utf8')
      .trimEnd()
      .split('\n');
  const tokenizers = new Map(
    ['uncased', 'cased', 'chinese'].map((name) => [
      name,
      new WordPiece(readVocab(name), { lowerCase: name !== 'cased' }),
    ]),
  );
  const lines = readFileSync(GOLDEN, 'utf8').trim().split('\n');
  assert.ok(lines.length > 100);
  for (const line of lines) {
    const { model, src, text, pair, ids, tokens, offsets, type_ids: typeIds } = JSON.parse(line);
    const encoding = tokenizers.get(model)!.encode(text, pair);
    const expected = { ids, typeIds: typeIds ?? encoding.typeIds, tokens, offsets };
    assert.equal(encoding, expected, `${model} ${src} ${JSON.stringify(text)}`);
  }
});

test('joining the pieces of a word gives the normalised word', () => {
  const split = wordSplitter({ lowerCase: false });
  fc.assert(
    fc.property(known, (text) => {
      const { tokens } = tokenizer.encode(text);
      const joined = tokens.slice(1, -1).reduce((words, token) => {
        return token.startsWith('##') ? words + token.slice(2) : `${words} ${token}`;
      }, '');
      assert.is(
        joined.trim(),
        split(text)
          .map((word) => word.text)
          .join(' '),
      );
    }),
  );
});

test('each piece is the longest that the vocabulary has at its place', () => {
  assert.equal(tokenizer.encode('abcdea abd').tokens, ['[CLS]', 'abc', '##dea', 'ab', '##d', '[SEP]']);
});

test('decoding what was encoded gives the text again, up to spaces', () => {
  const bare = (text: string): string => text.replaceAll(' ', '');
  fc.assert(fc.property(known, (text) => assert.is(bare(tokenizer.decode(tokenizer.encode(text).ids)), bare(text))));
  assert.is(tokenizer.decode(tokenizer.encode('abcde, a!').ids), 'abcde, a!');
  assert.is(tokenizer.decode(tokenizer.encode('a [MASK].').ids, { keepSpecial: true }), '[CLS] a [MASK]. [SEP]');
});

test('in any text, offsets point at the text that a token came from', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const points = Array.from(text);
      const { ids, tokens, offsets } = tokenizer.encode(text);
      let last = 0;
      for (let i = 1; i + 1 < ids.length; i++) {
        const [start, end] = offsets[i];
        assert.ok(last <= start && start < end && end <= points.length);
        last = start;
        const source = points.slice(start, end).join('');
        if (ids[i] !== tokenizer.special.unk) assert.equal(tokenizer.vocab[ids[i]], tokens[i]);
        if (tokens[i].startsWith('[')) continue;
        assert.is(source.replace(/[\p{C}\uFFFD]/gu, ''), tokens[i].replace(/^##/, ''));
      }
    }),
  );
});

test('a pair is [CLS] A [SEP] B [SEP], with type 1 for B and its [SEP]', () => {
  fc.assert(
    fc.property(anyText, anyText, (a, b) => {
      const { cls, sep } = tokenizer.special;
      const [idsA, idsB] = [tokenizer.ids(a), tokenizer.ids(b)];
      const { ids, typeIds, tokens, offsets } = tokenizer.encode(a, b);
      assert.equal(ids, [cls, ...idsA, sep, ...idsB, sep]);
      assert.equal(typeIds, [...idsA.map(() => 0), 0, 0, ...idsB.map(() => 1), 1]);
      assert.ok(tokens.length === ids.length && offsets.length === ids.length);
      assert.equal(tokenizer.encode(a).ids, [cls, ...idsA, sep]);
    }),
  );
});

test('a word with an unknown character, or a longer one than allowed, is [UNK] as a whole', () => {
  assert.equal(tokenizer.encode('abz ab').tokens, ['[CLS]', '[UNK]', 'ab', '[SEP]']);
  assert.equal(tokenizer.encode(`${'a'.repeat(101)} a`).offsets, [[0, 0], [0, 101], [102, 103], [0, 0]]); // prettier-ignore
  const google = new WordPiece(vocab, { lowerCase: false, maxCharsPerWord: 200 });
  assert.is(google.ids('a'.repeat(200)).length, 200);
  assert.equal(google.ids('a'.repeat(201)), [google.special.unk]);
});

test('a special token in a text is itself, or, as an option and as published, text like any other', () => {
  assert.equal(tokenizer.ids('a [MASK] b'), [...tokenizer.ids('a'), tokenizer.special.mask, ...tokenizer.ids('b')]);
  const google = new WordPiece(vocab, { lowerCase: false, splitSpecialTokens: true });
  const { unk } = google.special;
  assert.not.ok(google.ids('a [MASK] b').includes(google.special.mask));
  assert.equal(google.ids('[MASK]'), [unk, unk, unk]);
});

test('special ids are looked up by name, wherever the vocabulary has them', () => {
  const { special } = new WordPiece(['x', ...SPECIAL_TOKENS.toReversed()], { lowerCase: true });
  assert.equal(special, { mask: 1, sep: 2, cls: 3, unk: 4, pad: 5 });
  assert.is(tokenizer.id('ab'), vocab.indexOf('ab'));
  assert.is(tokenizer.id('nowhere'), tokenizer.special.unk);
});

test('a broken vocabulary or a foreign id is a clear error', () => {
  const options = { lowerCase: true };
  assert.throws(() => new WordPiece(['a', 'b'], options), /lack \[PAD\] \[UNK\] \[CLS\] \[SEP\] \[MASK\]/);
  assert.throws(() => new WordPiece([...SPECIAL_TOKENS, 'a', 'a'], options), /"a" is both token 5 and token 6/);
  assert.throws(() => tokenizer.decode([vocab.length]), /expected ids from 0 to/);
  assert.throws(() => tokenizer.decode([-1]), /expected ids from 0 to/);
});

test.run();
