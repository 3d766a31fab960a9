/** Laws of splitting and evaluating: shares, what stays together, and that measured values are those of the metrics. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { evaluateTask, labelsOf, metrics, questions, requireLabels, splitRows, table, tags } from '../../lib/index.ts';
import type { Guess, QuestionRow, Row, TaggedRow, TextRow } from '../../lib/index.ts';
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

/** One run of guesses. */
const run = <P>(...predicted: P[]) => [predicted.map((one) => ({ predicted: one }))];

test('measured values are those computed by hand, inside their intervals, the deciding metric first', () => {
  const row = (label: string | number): TextRow => ({ where: 'f:1', text: '', label });
  const of = <T extends { name: string; value: number; low: number; high: number }>(measured: readonly T[]) => {
    for (const { value, low, high } of measured) assert.ok(low <= value + 1e-12 && value <= high + 1e-12);
    return measured.map(({ name, value }) => [name, Number(value.toFixed(10))]);
  };
  // Of class a: 2 predicted, 1 of 2 found, F1 1/2; of class b: 2 predicted, 1 of 2 found, F1 1/2.
  assert.equal(
    of(evaluateTask(table({ text: 0, label: 1 }), run('a', 'b', 'a', 'b'), [row('a'), row('a'), row('b'), row('b')])),
    [
      ['accuracy', 0.5],
      ['macro F1', 0.5],
    ],
  );
  const values = evaluateTask(table({ text: 0, label: 1, regression: true }), run(1, 2, 4), [row(1), row(2), row(3)]);
  near(values[0].value, 1);
  near(values[1].value, 3 / Math.sqrt(2 * (14 / 3))); // Σ(x − x̄)(y − ȳ) = 3, Σ(x − x̄)² = 14/3, Σ(y − ȳ)² = 2
  // An I at the start of a sentence begins a span of its own: one of three spans is right, five of five tags but one.
  const tagged = ['B-x I-x', 'I-x O O'].map((tags) => ({ where: '', words: tags.split(' '), tags: tags.split(' ') }));
  assert.equal(of(evaluateTask(tags({ word: 0, tag: 1, spans: true }), run(['B-x', 'I-x'], ['O', 'O', 'O']), tagged)), [
    ['span F1', Number((2 / 3).toFixed(10))],
    ['accuracy', 0.8],
  ]);
  const asked = [['the big cat'], []].map((answers): QuestionRow => ({
    where: '',
    id: '',
    question: '',
    context: '',
    answers: answers.map((text) => ({ text, start: 0 })),
  }));
  assert.equal(of(evaluateTask(questions({}), run('big dog', ''), asked)), [
    ['F1', 0.75],
    ['exact match', 0.5],
  ]);
});

test('of several runs the mean is measured, each being right or wrong about the same rows', () => {
  const rows = ['a', 'b', 'a', 'b'].map((label): TextRow => ({ where: '', text: '', label }));
  const all = [run('a', 'b', 'a', 'b'), run('a', 'a', 'a', 'a')].flat();
  const [{ value, low, high, runs }] = evaluateTask(table({ text: 0, label: 1 }), all, rows);
  assert.equal([value, runs], [0.75, [1, 0.5]]);
  // Rows drawn again hold 0 to 4 of the class a: the second run is right about as many.
  assert.ok(low >= 0.5 && high <= 1 && low < value && value < high);
});

test('AUC is the published value from probabilities, the same from either class, and one half where nothing is told apart', () => {
  // The example of scikit-learn's roc_auc_score: 0.75, three of four pairs being in the right order.
  const rows = ['ham', 'ham', 'spam', 'spam'].map((label): TextRow => ({ where: '', text: '', label }));
  const guesses = [0.1, 0.4, 0.35, 0.8].map((p) => ({ predicted: 'ham', probabilities: [1 - p, p] }));
  const auc = (positive: string, run: readonly Guess<TextRow>[], labels?: string[]) =>
    evaluateTask({ metrics: [metrics.auc(positive)], ...(labels && { labels }) }, [run], rows)[0];
  const { name, value, low, high } = auc('spam', guesses, ['ham', 'spam']);
  assert.equal([name, value], ['AUC', 0.75]);
  assert.ok(low <= value && value <= high);
  assert.is(auc('ham', guesses, ['ham', 'spam']).value, 0.75);
  const turned = guesses.map(({ probabilities, ...rest }) => ({
    ...rest,
    probabilities: [...probabilities].reverse(),
  }));
  assert.is(auc('spam', turned, ['spam', 'ham']).value, 0.75);
  const same = guesses.map((guess) => ({ ...guess, probabilities: [0.5, 0.5] }));
  assert.is(auc('spam', same, ['ham', 'spam']).value, 0.5);
  // A task that names its metrics has it beside those of predictions.
  const task = table({ text: 0, label: 1, labels: ['ham', 'spam'], metrics: [metrics.accuracy, metrics.auc('spam')] });
  assert.equal(
    evaluateTask(task, [guesses], rows).map(({ value }) => value),
    [0.5, 0.75],
  );
  refuses(() => auc('eggs', guesses, ['ham', 'spam']), /^AUC: there is no class 'eggs'; there are ham, spam$/);
  refuses(() => auc('spam', guesses), /^AUC: there is no class 'spam'; there are no labels$/);
  assert.throws(
    () => metrics.auc('spam').of(['ham'], ['ham']),
    /AUC: expected probabilities of 'spam', got the class 'ham'/,
  );
});

test('rows without labels, and predictions too few, are refused', () => {
  const task = table({ text: 0, label: 1 });
  refuses(() => evaluateTask(task, run('a'), [{ where: 'f:7', text: '' }]), /^f:7: there is no label/);
  assert.throws(
    () => evaluateTask(task, [[]], [{ where: 'f:7', text: '', label: 'a' }]),
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
