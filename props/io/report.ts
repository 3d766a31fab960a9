/** Laws of the report: it needs nothing from elsewhere, shows every word as it is, and does not break when little is there. */
import { stripVTControlCharacters } from 'node:util';
import { Chalk } from 'chalk';
import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { paintLegend, paintSample, renderReport } from '../../examples/report.ts';
import type { Report, Word } from '../../examples/report.ts';
import type { MetricsRecord } from '../../lib/io/metrics.ts';

const text = fc.oneof(
  fc.constantFrom('<script>alert(1)</script>', '&amp;', '"', '</style>', '##ing', '##'),
  fc.string({ unit: 'grapheme-ascii', minLength: 1 }).map((word) => word.replace(/\s/g, '_')),
);
const words: fc.Arbitrary<Word[]> = fc.array(
  fc
    .record({
      text,
      original: text,
      hidden: fc.boolean(),
      replaced: fc.boolean(),
      probability: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map((word) => ({ ...word, replaced: word.hidden && word.replaced })),
  { minLength: 1, maxLength: 12 },
);

const number = fc.option(fc.integer({ min: -9999, max: 9999 }).map((n) => n / 1000));
const records = fc.array(
  fc.record<MetricsRecord>({
    step: fc.nat(1000),
    split: fc.constantFrom('train', 'heldout'),
    loss: number,
    mlmLoss: number,
    mlmMaskedLoss: number,
    mlmAccuracy: number,
    sampledAccuracy: number,
    rtdLoss: number,
    rtdAuc: number,
    rtdAucLow: number,
    rtdAucHigh: number,
    rtdAccuracy: number,
    rtdPrecision: number,
    rtdRecall: number,
    learningRate: number,
    tokensPerSecond: number,
  }),
  { maxLength: 6 },
);

const reportOf = (parts: Partial<Report>): Report => ({
  config: { vocabSize: 1000 },
  records: [],
  samples: [],
  baselines: { unigramLoss: 5 },
  evaluation: {
    loss: 20,
    mlmLoss: 4.5,
    mlmMaskedLoss: 4.9,
    mlmAccuracy: 0.1,
    sampledAccuracy: 0.05,
    rtdLoss: 0.3,
    rtdAuc: { value: 0.6, low: 0.58, high: 0.62 },
    rtdAccuracy: 0.9,
    rtdPrecision: NaN,
    rtdRecall: 0,
    replacedRate: 0.1,
    tokens: 1000,
    maskedTokens: 150,
  },
  device: 'reference',
  timing: { seconds: 10, steps: 100, tokens: 1e5 },
  ...parts,
});

const bare = (word: string): string => (word.length > 2 ? word.replace(/^##/, '') : word);

test('a report needs no network, no script and no other file, whatever was measured', () => {
  fc.assert(
    fc.property(records, words, (records, words) => {
      const page = renderReport(reportOf({ records, samples: [{ step: 1, words }] }));
      const { document } = parseHTML(page);
      assert.is(document.querySelectorAll('script, link, img, iframe, object').length, 0);
      assert.not.match(page.replaceAll('http://www.w3.org/', ''), /https?:|url\(|@import/);
      assert.not.match(page, /NaN|undefined/);
    }),
    { numRuns: 15 },
  );
});

test('every word of a sample is on the page as it is, whatever signs it is made of', () => {
  fc.assert(
    fc.property(words, (words) => {
      const { document } = parseHTML(renderReport(reportOf({ samples: [{ step: 1, words }] })));
      const shown = [...document.querySelectorAll('.sample:not(.legend) .word')];
      assert.is(shown.length, words.length);
      words.forEach((word, i) => {
        assert.ok(shown[i].textContent.startsWith(bare(word.text)));
        assert.is(shown[i].querySelector('rt')?.textContent, word.replaced ? bare(word.original ?? '') : undefined);
      });
    }),
    { numRuns: 30 },
  );
});

test('every curve says in words what it shows', () => {
  const measured = { split: 'heldout', rtdAuc: 0.5, rtdAucLow: 0.4, rtdAucHigh: 0.6 };
  const two = [0, 10].map((step) => ({ ...measured, step })) as MetricsRecord[];
  const { document } = parseHTML(renderReport(reportOf({ records: two })));
  assert.match(
    document.querySelector('svg')?.getAttribute('aria-label') ?? '',
    /held-out text goes from 0\.50 at step 0 to 0\.50 at step 10/,
  );
});

test('a run that learned nothing is not praised', () => {
  const { evaluation } = reportOf({});
  const poor = { ...evaluation, mlmMaskedLoss: 5.2, rtdAuc: { value: 0.51, low: 0.49, high: 0.53 } };
  const page = renderReport(reportOf({ evaluation: poor }));
  assert.match(page, /does not yet guess hidden words better/);
  assert.match(page, /does not yet tell replaced words/);
});

test('in the terminal no line is wider than asked, no word is lost, and colours do not change the text', () => {
  const plain = new Chalk({ level: 0 });
  fc.assert(
    fc.property(words, fc.integer({ min: 60, max: 120 }), (words, columns) => {
      const painted = paintSample(words, columns, plain);
      assert.not.match(painted, /\x1b/);
      assert.ok(painted.split('\n').every((line) => line.length <= columns));
      for (const word of words) assert.ok(painted.includes(bare(word.text)));
      const coloured = stripVTControlCharacters(paintSample(words, 10_000, new Chalk({ level: 3 })));
      const unmarked = words.map((word) => ({ ...word, probability: 0 }));
      assert.is(coloured, paintSample(unmarked, 10_000, plain));
    }),
  );
  assert.match(paintLegend(plain), /replaced.*guessed right.*suspected/);
});

test.run();
