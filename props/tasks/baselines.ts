/** Laws of the baselines: what they count is what was counted, and a bag of words learns what words tell and no more. */
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { accuracy, baselinesOf, binaryF1, splitRows, table } from '../../lib/index.ts';
import type { Baseline, Row, TaggedRow, TextRow } from '../../lib/index.ts';
import { readRows } from '../../lib/node.ts';
import { near } from '../metrics/near.ts';
import { skip } from '../laws/present.ts';

const test = suite('baselines');

const text = (text: string, label: string | number): TextRow => ({ where: '', text, label });
const predicted = async <R extends Row>(baselines: readonly Baseline<R>[], rows: readonly R[]) =>
  Object.fromEntries(
    await Promise.all(
      baselines.map(
        async ({ name, predict }) => [name, (await predict(rows)).map(({ predicted }) => predicted)] as const,
      ),
    ),
  );

test('the majority is the most frequent tag of all words, or of each word, and of once seen words for new ones', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.array(fc.tuple(fc.constantFrom('x', 'y', 'z'), fc.constantFrom('A', 'B', 'C')), {
          minLength: 1,
          maxLength: 5,
        }),
        { minLength: 1, maxLength: 8 },
      ),
      async (sentences) => {
        const rows = sentences.map((words): TaggedRow => ({
          where: '',
          words: words.map(([word]) => word),
          tags: words.map(([, tag]) => tag),
        }));
        const guesses = await predicted(await baselinesOf<TaggedRow>([0, 0], { task: 'tagging' }, rows), rows);
        const right = (name: string) =>
          accuracy(
            guesses[name].flat(),
            rows.flatMap(({ tags }) => tags ?? []),
          );
        const all = rows.flatMap(({ words, tags = [] }) => tags.map((tag, i) => ({ tag, word: words[i] })));
        const most = (pairs: typeof all) =>
          Math.max(...['A', 'B', 'C'].map((tag) => pairs.filter((pair) => pair.tag === tag).length));
        const perWord = ['x', 'y', 'z']
          .map((word) => all.filter((pair) => pair.word === word))
          .filter(({ length }) => length > 0);
        assert.is(right('most frequent tag'), most(all) / all.length);
        assert.is(
          right('most frequent tag of each word'),
          perWord.reduce((total, pairs) => total + most(pairs), 0) / all.length,
        );
      },
    ),
    { numRuns: 30 },
  );
  const train: TaggedRow[] = [{ where: '', words: ['a', 'a', 'a', 'b'], tags: ['X', 'X', 'X', 'Y'] }];
  const [, each] = await baselinesOf<TaggedRow>([0, 0], { task: 'tagging' }, train);
  assert.equal(await each.predict([{ where: '', words: ['a', 'new'] }]), [{ predicted: ['X', 'Y'] }]);
});

test('a bag of words finds the word or pair of words that decides, follows from its key, and sees no order beyond', async () => {
  const rows = Array.from({ length: 80 }, (_, i) =>
    text(`Word${i % 7} ${i % 2 === 0 ? 'not good' : 'good not'} word${i % 5}`, i % 2 === 0 ? 'bad' : 'fine'),
  );
  const train = () => baselinesOf<TextRow>([1, 2], { task: 'classification' }, rows);
  const unseen = [text('other NOT good', ''), text('other good not', ''), text('', '')];
  const guesses = await predicted(await train(), unseen);
  assert.equal(guesses['bag of words'].slice(0, 2), ['bad', 'fine']);
  assert.equal(guesses['most frequent class'], ['bad', 'bad', 'bad']);
  assert.equal(await predicted(await train(), unseen), guesses);
});

test('a bag of words learns values, and the mean of the training values stands beside it', async () => {
  const rows = Array.from({ length: 60 }, (_, i) => text(['low', 'middle', 'high'][i % 3], (i % 3) / 2));
  const guesses = await predicted(
    await baselinesOf<TextRow>([1, 2], { task: 'classification' }, rows),
    rows.slice(0, 3),
  );
  assert.equal(guesses['mean value'], [0.5, 0.5, 0.5]);
  guesses['bag of words'].forEach((value, i) =>
    assert.ok(Math.abs(Number(value) - i / 2) < 0.1, `${value}, not ${i / 2}`),
  );
});

test('of two texts a bag of words knows which said what, and one of 100,000 characters costs no more than its words', async () => {
  const rows = Array.from({ length: 60 }, (_, i): TextRow => ({
    where: '',
    text: i % 2 === 0 ? 'cat' : 'dog',
    pair: i % 2 === 0 ? 'dog' : 'cat',
    label: String(i % 2),
  }));
  const [, bag] = await baselinesOf<TextRow>([1, 2], { task: 'classification' }, [
    ...rows,
    text(Array.from({ length: 20_000 }, (_, i) => `w${i}`).join(' '), '0'),
  ]);
  assert.equal(
    (await bag.predict(rows.slice(0, 2))).map(({ predicted }) => predicted),
    ['0', '1'],
  );
});

test('baselines say how likely each class is, in the order of the labels, and predict the likeliest', async () => {
  const rows = Array.from({ length: 60 }, (_, i) => text(['good', 'bad', 'so so'][i % 3], ['yes', 'no', 'so'][i % 3]));
  for (const labels of [
    ['no', 'so', 'yes'],
    ['yes', 'other', 'no', 'so'],
  ]) {
    const [most, bag] = await baselinesOf<TextRow>([1, 2], { task: 'classification', labels }, [...rows, rows[0]]);
    const [share] = await most.predict(rows);
    near(share.probabilities![labels.indexOf('yes')], 21 / 61);
    near(share.probabilities![labels.indexOf('no')], 20 / 61);
    for (const { predicted, probabilities = [] } of [share, ...(await bag.predict(rows.slice(0, 3)))]) {
      near(
        probabilities.reduce((a, b) => a + b),
        1,
        1e-6,
      );
      assert.is(predicted, labels[probabilities.indexOf(Math.max(...probabilities))]);
    }
  }
});

test('there is an empty answer to stand beside answers only where questions have none', async () => {
  const asked = (answers: { text: string; start: number }[]): Row => ({
    where: '',
    id: '',
    question: '',
    context: '',
    answers,
  });
  assert.equal(await baselinesOf([0, 0], { task: 'answering' }, [asked([{ text: 'a', start: 0 }])]), []);
  const [none] = await baselinesOf([0, 0], { task: 'answering' }, [asked([])]);
  assert.equal(await none.predict([asked([])]), [{ predicted: '' }]);
});

const spam = new URL('../../../shared/data/labelled/sms-spam/SMSSpamCollection', import.meta.url).pathname;

test('a bag of words finds spam in SMS, none of which it has read, with an F1 of 0.93 or more', async () => {
  if (!existsSync(spam)) return skip('the SMS Spam Collection is not there');
  const { train, dev } = splitRows([1, 2], readRows(table({ text: 1, label: 0 }), spam), 0.2);
  const [, bag] = await baselinesOf<TextRow>([3, 4], { task: 'classification' }, train);
  const f1 = binaryF1(
    (await bag.predict(dev)).map(({ predicted }) => predicted),
    dev.map(({ label }) => label ?? ''),
    'spam',
  ).f1;
  assert.ok(f1 >= 0.93, `F1 ${f1}`);
});

test.run();
