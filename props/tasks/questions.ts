/** Laws of reading questions: answers lie at their code points, whatever stands before them, and a wrong place is refused. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { questions } from '../../lib/index.ts';
import { refuses } from './refuses.ts';

const test = suite('questions');

/** A small file in SQuAD's JSON. */
const squad = (context: string, qas: readonly unknown[]): string =>
  JSON.stringify({ version: '1.1', data: [{ title: 'T', paragraphs: [{ context, qas }] }] });

const answering = questions({});

const pieces = fc.string({ unit: fc.constantFrom('a', ' ', 'é', '漢', '🙂', '\n', '"'), maxLength: 12 });

test('an answer is where its code points are counted to, whatever characters stand before it', () => {
  fc.assert(
    fc.property(pieces, pieces, pieces, fc.constantFrom('', '\uFEFF'), (before, answer, after, mark) => {
      const text = `x${answer}`;
      const start = Array.from(before).length;
      const [row] = answering.read(
        mark +
          squad(before + text + after, [{ id: 'q', question: 'Which?', answers: [{ text, answer_start: start }] }]),
        'a.json',
      );
      assert.equal(row.answers, [{ text, start }]);
      assert.is(
        Array.from(row.context)
          .slice(start, start + Array.from(text).length)
          .join(''),
        text,
      );
    }),
  );
});

test('impossible questions have no answers, whatever was plausible, and need SQuAD 2.0', () => {
  const impossible = squad('Some text.', [
    {
      id: 'q',
      question: 'Who?',
      is_impossible: true,
      answers: [],
      plausible_answers: [{ text: 'Some', answer_start: 0 }],
    },
  ]);
  assert.equal(questions({ unanswerable: true }).read(impossible, 'a.json')[0].answers, []);
  refuses(
    () => answering.read(impossible, 'a.json'),
    /^a\.json: data\[0\]\.paragraphs\[0\]\.qas\[0\] \(q\): the question has no answer; .* SQuAD 2\.0/,
  );
});

test('questions to be predicted need no answers', () => {
  const file = squad('Some text.', [{ id: 'q', question: 'Who?' }]);
  assert.is(answering.read(file, 'a.json', { unlabelled: true })[0].answers, undefined);
  refuses(() => answering.read(file, 'a.json'), /\(q\): expected a list 'answers'/);
});

test('what is wrong in a file of questions is told with its place', () => {
  const at = (text: string, answer_start: unknown) =>
    squad('Tokyo 🙂 is big', [{ id: 'q', question: 'Where?', answers: [{ text, answer_start }] }]);
  for (const [file, message] of [
    [
      at('is', 9),
      /^a\.json: data\[0\]\.paragraphs\[0\]\.qas\[0\] \(q\): the answer 'is' is not at character 9 of its context, where 's ' is/,
    ],
    [at('is', -1), /is not at character -1/],
    [at('', 3), /the answer '' is not at character 3/],
    [at('Tokyo', '0'), /expected a whole number 'answer_start', got "0"/],
    ['{"data": [{"paragraphs": [{"qas": []}]}]}', /^a\.json: data\[0\]\.paragraphs\[0\]: expected a string 'context'/],
    ['{"rows": []}', /^a\.json: expected a list 'data'/],
    ['{"data": [null]}', /^a\.json: data\[0\]: expected a list 'paragraphs'/],
    ['{"data": []}', /^a\.json: there are no rows/],
    ['{"data": [', /^a\.json: expected JSON in SQuAD's form/],
    ['', /^a\.json: expected JSON/],
  ] as const)
    refuses(() => answering.read(file, 'a.json'), message);
});

test.run();
