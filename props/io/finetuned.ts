/** Laws of the page of a fine-tuned model: every decision is in its matrix, and whatever the rows hold, the page is whole. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cellsOf } from '../../examples/report/confusion.ts';
import type { PredictedRow, Results } from '../../examples/report/finetuned.ts';
import { decisionsOf, isFineTuned, readFineTuned, renderFineTuned } from '../../examples/report/finetuned.ts';
import { UserError } from '../../lib/io/error.ts';

const test = suite('fine-tuned report');

const text = fc.oneof(fc.constantFrom('<script>alert(1)</script>', '&amp;', '"', '</style>', '', '猫'), fc.string());
const label = fc.constantFrom('ham', 'spam', '<b>', 'a "b"', 'class & kind', '');
const probability = fc.double({ min: 0, max: 1, noNaN: true });
const place = { where: fc.nat(999).map((line) => `dev.csv:${line}`) };
const classes = fc.record<PredictedRow>({ ...place, text, gold: label, predicted: label, probability });
const values = fc.record<PredictedRow>({ ...place, text, gold: probability, predicted: probability });
const words = fc
  .array(fc.record({ word: text, gold: label, predicted: label, probability }), { maxLength: 5 })
  .map((all): PredictedRow => ({
    where: 'dev.conllu:1',
    words: all.map(({ word }) => word),
    gold: all.map(({ gold }) => gold),
    predicted: all.map(({ predicted }) => predicted),
    probability: all.map(({ probability }) => probability),
  }));
const rows = fc.oneof(fc.array(classes), fc.array(values), fc.array(words));

const results: Results = {
  task: 'mail <b>',
  labels: ['ham', 'spam'],
  rows: { train: 90, dev: 10 },
  seconds: 5,
  settings: { epochs: 2 },
  results: [
    { name: 'pre-trained', split: 'dev', metric: 'accuracy', value: 0.71234, low: 0.6, high: 0.8, deviation: 0.01 },
    { name: 'bag <of> words', split: 'dev', metric: 'accuracy', value: 0.8, low: 0.7, high: 0.9 },
  ],
  histories: {
    trained: [
      {
        seed: 0,
        epochs: [
          { epoch: 1, loss: 1, score: 0.5 },
          { epoch: 2, loss: 0.5, score: 0.71234 },
        ],
      },
    ],
    scratch: [],
  },
};

test('the cells of the matrix hold every decision once, and the shares of a row are one together', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ gold: label, predicted: label })), (decisions) => {
      const cells = cellsOf(decisions);
      assert.is(
        cells.reduce((sum, { times }) => sum + times, 0),
        decisions.length,
      );
      for (const { gold, predicted, times } of cells) {
        assert.is(times, decisions.filter((one) => one.gold === gold && one.predicted === predicted).length);
        const row = cells.filter((one) => one.gold === gold).reduce((sum, { share }) => sum + share, 0);
        assert.ok(Math.abs(row - 1) < 1e-9);
      }
    }),
  );
});

test('the page needs nothing from elsewhere, shows texts as they are, and lists errors with the surest first', () => {
  fc.assert(
    fc.property(rows, fc.boolean(), (predictions, measured) => {
      const page = renderFineTuned({ predictions, ...(measured && { results }) });
      assert.not.match(page.replaceAll('http://www.w3.org/', ''), /https?:|<script|NaN|undefined/);
      const { document } = parseHTML(page);
      const wrong = decisionsOf(predictions)
        .filter(({ gold, predicted }) => gold !== predicted)
        .sort((a, b) => b.probability - a.probability);
      const shown = [...document.querySelectorAll('section:last-of-type tr > td.errs')].map((cell) => cell.textContent);
      const isOfClasses = predictions.some(({ gold }) => typeof gold === 'string');
      if (isOfClasses && wrong.length > 0) {
        assert.is(shown.length, Math.min(20, wrong.length));
        if (wrong[0].text.length < 200) assert.ok(shown[0]!.startsWith(wrong[0].text));
      }
      if (measured) assert.match(page, /0\.712 ± 0\.010/);
    }),
    { numRuns: 30 },
  );
});

test('two labels or a hundred: every one has its row in the matrix', () => {
  for (const n of [2, 12, 13, 30, 31, 77, 100]) {
    const labels = Array.from({ length: n }, (_, i) => `label ${i}`);
    const predictions = labels.map((gold, i) => ({
      where: `dev.csv:${i}`,
      text: 'a',
      gold,
      predicted: labels[(i * i) % n],
      probability: 0.5,
    }));
    const page = renderFineTuned({ predictions, results: { ...results, labels } });
    for (const name of labels) assert.ok(page.includes(`>${name}</text>`), `${name} of ${n}`);
  }
});

test('what a folder holds is read back; a damaged line is named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'amber-finetuned-'));
  try {
    assert.not(isFineTuned(folder));
    const predictions: PredictedRow[] = [
      { where: 'dev.csv:2', text: 'a', gold: 'ham', predicted: 'spam', probability: 0.9 },
    ];
    const path = join(folder, 'predictions.jsonl');
    writeFileSync(path, predictions.map((row) => `${JSON.stringify(row)}\n`).join(''));
    assert.ok(isFineTuned(folder));
    assert.equal(readFineTuned(folder), { predictions });
    writeFileSync(join(folder, 'results.json'), JSON.stringify(results));
    assert.equal(readFineTuned(folder), { predictions, results });
    writeFileSync(path, `${JSON.stringify(predictions[0])}\n{"where`);
    assert.throws(
      () => readFineTuned(folder),
      (error: Error) => error instanceof UserError && /predictions\.jsonl:2 is no JSON/.test(error.message),
    );
    mkdirSync(join(folder, 'empty'));
    assert.not(isFineTuned(join(folder, 'empty')));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
