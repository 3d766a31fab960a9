/** Laws of windows: no token of a context is lost, and an answer is cut out of it as it was written. */
import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { QuestionRow } from '../../lib/tasks/task.ts';
import { mostContext, positionsIn, textOf, windower } from '../../lib/tasks/windows.ts';
import { SPECIAL_TOKENS, WordPiece } from '../../lib/text/wordpiece.ts';
import { skip } from '../laws/present.ts';

const letters = [...'abcdeéñ中文字한', '\u1112', '\u1161', '\u11ab', '🙂', 'i', 'ß', 'ς', '"', '.', ',', '-', '(', '_'];
const vocab = [...SPECIAL_TOKENS, ...letters, ...letters.map((c) => `##${c}`), 'ab', '##cd', 'abc', '##dea'];

/** A word holds one character at least that becomes a token; joiners, combining marks and surrogates are dropped. */
const character = fc.constantFrom(...letters, 'É', 'é', 'İ', 'Σ', '👩‍👩‍👧', '𠀀', '한', 'z');
const dropped = fc.constantFrom('\u0301', '\u0308', '\u200d', '\ufe0f', '\u00ad', '\u0007', '\ud800');
const word = fc
  .tuple(fc.array(fc.oneof(character, dropped), { maxLength: 4 }), character, fc.array(fc.oneof(character, dropped), { maxLength: 4 }))
  .map(([before, one, after]) => [...before, one, ...after].join(''));
const space = fc.array(fc.constantFrom(' ', ' ', '\n', '\t', '\u00a0', '\u3000', '\u2028'), { minLength: 1, maxLength: 3 }).map((s) => s.join(''));

/** A context of words, an answer from one word to another, and windows of any size. */
const cases = fc
  .record({
    words: fc.array(fc.tuple(space, word), { minLength: 1, maxLength: 25 }),
    ends: fc.tuple(fc.nat(), fc.nat()),
    question: fc.array(word, { maxLength: 6 }).map((w) => w.join(' ')),
    lowerCase: fc.boolean(),
    questionLength: fc.integer({ min: 1, max: 8 }),
    room: fc.integer({ min: 4, max: 30 }),
    stride: fc.integer({ min: 1, max: 20 }),
  })
  .map(({ words, ends, question, lowerCase, questionLength, room, stride }) => {
    const [i, j] = ends.map((end) => end % words.length).sort((a, b) => a - b);
    const [before, inside] = [words.slice(0, i), words.slice(i, j + 1)].map((part) => part.flat().join(''));
    const text = inside.slice(words[i][0].length);
    const start = [...(before + words[i][0])].length;
    const row: QuestionRow = { where: 'drawn', id: '1', question, context: words.flat().join(''), answers: [{ text, start }] };
    const tokenizer = new WordPiece(vocab, { lowerCase });
    return { row, tokenizer, windowing: { sequenceLength: questionLength + room, stride, questionLength } };
  })
  // A surrogate alone, dropped as it is, may find its other half in the next character; words then start elsewhere.
  .filter(({ row }) => [...row.context].slice(row.answers![0].start).join('').startsWith(row.answers![0].text));

test('every gold span that fits into a window is recovered from it exactly, and else the window trains [CLS]', () => {
  fc.assert(
    fc.property(cases, ({ row, tokenizer, windowing }) => {
      const windowed = windower(tokenizer, windowing)(row);
      const { windows, answer } = windowed;
      assert.ok(answer, 'every answer of whole words has tokens');
      for (const window of windows) {
        const [start, end] = positionsIn(window, answer);
        const fits = window.first <= answer.first && answer.last < window.first + window.count;
        assert.is(start > 0, fits);
        assert.is(end > 0, fits);
        if (!fits) continue;
        const span = { first: window.first + start - window.at, last: window.first + end - window.at };
        assert.is(textOf(windowed, span), row.answers![0].text);
        const ids = tokenizer.encode(row.context).ids.slice(1 + answer.first, 2 + answer.last);
        assert.equal(window.ids.slice(start, end + 1), ids);
      }
    }),
  );
});

test('an answer within words is covered by tokens, none of which could be left out', () => {
  fc.assert(
    fc.property(cases, fc.nat(), fc.nat(), ({ row, tokenizer, windowing }, a, b) => {
      const points = [...row.context];
      const [start, end] = [a % points.length, 1 + (b % points.length)].sort((x, y) => x - y);
      const text = points.slice(start, end).join('');
      const windowed = windower(tokenizer, windowing)({ ...row, answers: [{ text, start }] });
      const { answer, places } = windowed;
      const [from, to] = [points.slice(0, start).join('').length, points.slice(0, end).join('').length];
      const inside = places.flatMap(([left, right], i) => (left < to && right > from ? [i] : []));
      assert.equal(answer && [answer.first, answer.last], inside.length > 0 ? [inside[0], inside.at(-1)] : undefined);
      if (answer) assert.ok(textOf(windowed, answer).includes(text.trim()));
    }),
  );
});

test('rows are [CLS] question [SEP] window [SEP], hold every token of the context, and one window speaks for each', () => {
  fc.assert(
    fc.property(cases, ({ row, tokenizer, windowing }) => {
      const { windows } = windower(tokenizer, windowing)(row);
      const { cls, sep } = tokenizer.special;
      const context = tokenizer.encode(row.context).ids.slice(1, -1);
      const question = tokenizer.encode(row.question).ids.slice(1, -1).slice(0, windowing.questionLength);
      for (const { ids, types, first, count, at } of windows) {
        assert.equal(ids, [cls, ...question, sep, ...context.slice(first, first + count), sep]);
        assert.equal(types, ids.map((_, i) => Number(i >= question.length + 2)));
        assert.ok(ids.length <= windowing.sequenceLength);
        assert.is(ids[at], count > 0 ? context[first] : sep);
      }
      context.forEach((_, token) => {
        const scores = windows.map(({ first, count }) =>
          token < first || token >= first + count
            ? -1
            : Math.min(token - first, first + count - 1 - token) + count / 100,
        );
        const chosen = mostContext(windows, token);
        assert.ok(chosen >= 0, `token ${token} is in no window`);
        scores.forEach((score, i) => assert.ok(i < chosen ? score < scores[chosen] : score <= scores[chosen]));
      });
      assert.is(mostContext(windows, context.length), -1);
    }),
  );
});

test('contexts without tokens, questions without answers and answers that are elsewhere are windows that train [CLS]', () => {
  const cut = windower(new WordPiece(vocab, { lowerCase: true }), { sequenceLength: 12, questionLength: 4 });
  const row = { where: 'here', id: '1', question: 'a b', context: 'abc de' };
  const of = (changed: Partial<QuestionRow>) => cut({ ...row, ...changed });
  assert.equal(of({ context: ' \u200d ' }).windows.map(({ count, ids }) => [count, ids.length]), [[0, 5]]);
  assert.is(of({ context: '', answers: [{ text: '', start: 0 }] }).answer, undefined);
  assert.is(of({ answers: [] }).answer, undefined);
  assert.is(of({}).answer, undefined);
  assert.is(of({ answers: [{ text: 'de', start: 3 }] }).answer, undefined);
  assert.is(of({ answers: [{ text: 'de', start: 40 }] }).answer, undefined);
  assert.equal(of({ answers: [{ text: 'de', start: 4 }] }).answer, { first: 1, last: 2 });
  assert.equal(positionsIn(of({}).windows[0], undefined), [0, 0]);
});

test('windows without room for a token, or without a stride, are refused', () => {
  const tokenizer = new WordPiece(vocab, { lowerCase: true });
  assert.throws(() => windower(tokenizer, { sequenceLength: 67, questionLength: 64 }), /need 68 places, but sequenceLength is 67/);
  assert.throws(() => windower(tokenizer, { sequenceLength: 5 }), /need 6 places, but sequenceLength is 5/);
  assert.throws(() => windower(tokenizer, { sequenceLength: 68, stride: 0 }), /a stride of 1 token or more, got 0/);
});

const SHARED = new URL('../../../shared/data/', import.meta.url);
for (const [language, model] of [['en', 'uncased'], ['de', 'cased'], ['zh', 'chinese']]) {
  const data = new URL(`labelled/xquad/xquad.${language}.json`, SHARED);
  const words = new URL(`vocab/bert-base-${model}-vocab.txt`, SHARED);
  if (!existsSync(data) || !existsSync(words)) {
    skip('answers of XQuAD, which is not there');
    continue;
  }
  test(`no answer of XQuAD ${language} is misaligned`, () => {
    const tokenizer = new WordPiece(readFileSync(words, 'utf8').trimEnd().split('\n'), { lowerCase: model !== 'cased' });
    const cut = windower(tokenizer, { sequenceLength: 128, stride: 40 });
    let [count, partial] = [0, 0];
    for (const { paragraphs } of JSON.parse(readFileSync(data, 'utf8')).data) {
      for (const { context, qas } of paragraphs) {
        for (const { id, question, answers: [{ text, answer_start: start }] } of qas) {
          const windowed = cut({ where: id, id, question, context, answers: [{ text, start }] });
          const { answer, windows, places } = windowed;
          assert.ok(answer, `${id}: ${text}`);
          count++;
          const from = [...context].slice(0, start).join('').length;
          // An answer that starts or ends in the middle of a token cannot be cut exactly by any range of tokens.
          const whole = places[answer.first][0] >= from && places[answer.last][1] <= from + text.length;
          if (!whole) partial++;
          for (const window of windows) {
            const [first, last] = positionsIn(window, answer).map((p) => p - window.at + window.first);
            if (positionsIn(window, answer)[0] === 0) continue;
            const found = textOf(windowed, { first, last });
            if (whole) assert.is(found, text.trim(), id);
            else assert.ok(found.includes(text), `${id}: ${found}`);
          }
          assert.ok(windows.some((window) => positionsIn(window, answer)[0] > 0), `${id}: no window holds ${text}`);
        }
      }
    }
    assert.ok(count > 1000);
    console.log(`\n    ${count} answers, ${partial} of them start or end within a token`);
  });
}

test.run();
