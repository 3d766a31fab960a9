import { test } from 'uvu';
import * as assert from 'uvu/assert';
import fc from 'fast-check';
import { sentences } from '../../lib/text/sentences.ts';

const cut = (text: string, ...expected: string[]): void => assert.equal(sentences(text), expected);

test('a sentence ends at its mark and the quotes and brackets behind it', () => {
  cut('One. Two! "Three?" Four… (Five.) Six', 'One.', 'Two!', '"Three?"', 'Four…', '(Five.)', 'Six');
});

test('numbers, titles, initials and abbreviations do not end a sentence', () => {
  cut('It cost $3.50. See a.b/c.', 'It cost $3.50.', 'See a.b/c.');
  cut('Mr. and Mrs. J. P. Morgan met Gen. Lee. They left.', 'Mr. and Mrs. J. P. Morgan met Gen. Lee.', 'They left.');
  cut('The U.S. Army came on Sept. 3. No. 5 fell.', 'The U.S. Army came on Sept. 3.', 'No. 5 fell.');
  cut('He said no. Then he left.', 'He said no.', 'Then he left.');
  cut('1. Of peace. 2. Of war.', '1. Of peace.', '2. Of war.');
});

test('a lower-case word goes on with the sentence', () => {
  cut('“Is it so?” he asked. “Yes.”', '“Is it so?” he asked.', '“Yes.”');
});

test('full stops of other scripts end a sentence without a space', () => {
  cut('你好。我很好！「はい。」आप कैसे हैं। हाँ', '你好。', '我很好！', '「はい。」', 'आप कैसे हैं।', 'हाँ');
});

test('a blank line ends a sentence, a single line break does not', () => {
  cut('Chapter One\n\nIt was\nlate.', 'Chapter One', 'It was\nlate.');
});

test('of any text, the sentences together are the whole', () => {
  const bare = (text: string): string => text.replace(/\s/g, '');
  const marks = fc.string({ unit: fc.constantFrom(...'aB .!?…”)。\n1') });
  fc.assert(
    fc.property(fc.oneof(marks, fc.string({ unit: 'binary' })), (text) => {
      const found = sentences(text);
      assert.is(bare(found.join('')), bare(text));
      assert.ok(found.every((sentence) => sentence !== '' && sentence === sentence.trim()));
    }),
  );
});

test('a long run of marks or of white space takes no long time', () => {
  const start = performance.now();
  for (const text of ['.'.repeat(1e5), '. '.repeat(1e5), ' '.repeat(1e5), '\n'.repeat(1e5), '."'.repeat(1e5)]) {
    sentences(text);
    sentences(`${text}\nA`);
  }
  assert.ok(performance.now() - start < 3000);
});

test.run();
