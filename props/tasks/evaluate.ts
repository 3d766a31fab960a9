/** Laws of splitting and evaluating: shares, what stays together, and that measured values are those of the metrics. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { evaluateTask, labelsOf, questions, requireLabels, splitRows, table, tags } from '../../lib/index.ts';
import type { QuestionRow, Row, TaggedRow, TextRow } from '../../lib/index.ts';
import { near } from '../metrics/near.ts';
import { refuses } from './refuses.ts';

const test = suite('evaluate');

const keys = fc.tuple(fc.nat(), fc.nat());
const labelled = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 60 })
  .map((labels) => labels.map((label, i): TextRow => ({ where: `f:${i}`, text: `t${i}`, label })));
const parts = fc.constantFrom(0.1, 0.25, 0.5, 0.9);

test('a split is every row once, in its order, of the size asked for, each class with its share, and follows from the key', () => {
  fc.assert(
    fc.property(keys, labelled, parts, (key, rows, part) => {
      const { train, dev } = splitRows(key, rows, part);
      const place = new Map(rows.map((row, i) => [row, i]));
      assert.equal(
        [...train, ...dev].sort((a, b) => place.get(a)! - place.get(b)!),
        rows,
      );
      for (const side of [train, dev])
        assert.equal(
          side,
          [...side].sort((a, b) => place.get(a)! - place.get(b)!),
        );
      assert.is(dev.length, Math.round(rows.length * part));
      for (const label of ['a', 'b', 'c']) {
        const count = (side: TextRow[]) => side.filter((row) => row.label === label).length;
        assert.ok(Math.abs(count(dev) - part * count(rows)) <= 1 + 1e-9);
      }
      assert.equal(splitRows(key, rows, part), { train, dev });
    }),
  );
  const many = Array.from({ length: 50 }, (_, i): TextRow => ({ where: '', text: String(i), label: 'a' }));
  assert.not.equal(splitRows([1, 1], many, 0.5), splitRows([1, 2], many, 0.5));
  assert.throws(() => splitRows([0, 0], many, 1), /expected a part between 0 and 1, got 1/);
});

test('no text of the dev rows is a text of the training rows, be it a text, a pair, a list of words or what questions are about', () => {
  const word = fc.constantFrom('x', 'y', 'z', 'w');
  const kinds: readonly [make: (word: string, i: number) => Row, textOf: (row: Row) => string][] = [
    [(text, i): TextRow => ({ where: '', text, label: i % 3 }), (row) => (row as TextRow).text],
    [
      (text, i): TextRow => ({ where: '', text, pair: i % 2 === 0 ? 'x' : undefined, label: `${i % 3}` }),
      (row) => `${(row as TextRow).text} ${(row as TextRow).pair}`,
    ],
    [(word): TaggedRow => ({ where: '', words: [word, 'a'], tags: ['A', 'B'] }), (row) => (row as TaggedRow).words[0]],
    [
      (context, i): QuestionRow => ({ where: '', id: `${i}`, question: `${i}?`, context, answers: [] }),
      (row) => (row as QuestionRow).context,
    ],
  ];
  for (const [make, textOf] of kinds) {
    fc.assert(
      fc.property(keys, fc.array(word, { minLength: 1, maxLength: 30 }), parts, (key, words, part) => {
        const rows = words.map(make);
        const { train, dev } = splitRows(key, rows, part);
        assert.is(train.length + dev.length, rows.length);
        const [learnt, held] = [train, dev].map((side) => new Set(side.map(textOf)));
        assert.ok([...held].every((text) => !learnt.has(text)));
        assert.is(held.size, Math.round(part * new Set(rows.map(textOf)).size));
      }),
    );
  }
});

test('measured values are those computed by hand, inside their intervals, the deciding metric first', () => {
  const row = (label: string | number): TextRow => ({ where: 'f:1', text: '', label });
  const of = <T extends { name: string; value: number; low: number; high: number }>(measured: readonly T[]) => {
    for (const { value, low, high } of measured) assert.ok(low <= value + 1e-12 && value <= high + 1e-12);
    return measured.map(({ name, value }) => [name, Number(value.toFixed(10))]);
  };
  // Of class a: 2 predicted, 1 of 2 found, F1 1/2; of class b: 2 predicted, 1 of 2 found, F1 1/2.
  assert.equal(
    of(evaluateTask(table({ text: 0, label: 1 }), ['a', 'b', 'a', 'b'], [row('a'), row('a'), row('b'), row('b')])),
    [
      ['accuracy', 0.5],
      ['macro F1', 0.5],
    ],
  );
  const values = evaluateTask(table({ text: 0, label: 1, regression: true }), [1, 2, 4], [row(1), row(2), row(3)]);
  near(values[0].value, 1);
  near(values[1].value, 3 / Math.sqrt(2 * (14 / 3))); // Σ(x − x̄)(y − ȳ) = 3, Σ(x − x̄)² = 14/3, Σ(y − ȳ)² = 2
  // An I at the start of a sentence begins a span of its own: one of three spans is right, five of five tags but one.
  const tagged = ['B-x I-x', 'I-x O O'].map((tags) => ({ where: '', words: tags.split(' '), tags: tags.split(' ') }));
  assert.equal(
    of(
      evaluateTask(
        tags({ word: 0, tag: 1, spans: true }),
        [
          ['B-x', 'I-x'],
          ['O', 'O', 'O'],
        ],
        tagged,
      ),
    ),
    [
      ['span F1', Number((2 / 3).toFixed(10))],
      ['accuracy', 0.8],
    ],
  );
  const asked = [['the big cat'], []].map((answers): QuestionRow => ({
    where: '',
    id: '',
    question: '',
    context: '',
    answers: answers.map((text) => ({ text, start: 0 })),
  }));
  assert.equal(of(evaluateTask(questions({}), ['big dog', ''], asked)), [
    ['F1', 0.75],
    ['exact match', 0.5],
  ]);
});

test('rows without labels, and predictions too few, are refused', () => {
  const task = table({ text: 0, label: 1 });
  refuses(() => evaluateTask(task, ['a'], [{ where: 'f:7', text: '' }]), /^f:7: there is no label/);
  assert.throws(
    () => evaluateTask(task, [], [{ where: 'f:7', text: '', label: 'a' }]),
    /expected a prediction for each of 1; got 0/,
  );
});

test('labels are those of the training rows, sorted, or the declared ones, and another is refused at its line', () => {
  fc.assert(
    fc.property(labelled, (rows) => {
      const labels = labelsOf({}, rows);
      assert.equal(
        labels,
        ['a', 'b', 'c'].filter((label) => rows.some((row) => row.label === label)),
      );
      requireLabels(labels, rows);
      refuses(
        () => requireLabels(labels, [...rows, { where: 'dev.csv:9', text: '', label: 'd' }]),
        /^dev\.csv:9: the label 'd' is none of the/,
      );
    }),
  );
  assert.equal(labelsOf({ labels: ['b', 'a'] }, []), ['b', 'a']);
  const words = [{ where: 'f:1', words: ['x', 'y'], tags: ['O', 'B-a'] }];
  assert.equal(labelsOf({}, words), ['B-a', 'O']);
  refuses(() => requireLabels(['O'], words), /^f:1: the label 'B-a' is none of the 1 that are known, O;/);
});

test.run();
