/** Laws of the report: it needs nothing from elsewhere, shows every word as it is, and does not break when little is there. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Chalk } from 'chalk';
import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseSentence } from '../../examples/pretrain/prepare.ts';
import { renderComparison } from '../../examples/report/comparison.ts';
import { readReport, writeReport } from '../../examples/report/folder.ts';
import { renderReport } from '../../examples/report/page.ts';
import type { Report } from '../../examples/report/page.ts';
import { publishedSmall } from '../../examples/report/reference.ts';
import type { Word } from '../../examples/report/sample.ts';
import { paintLegend, paintSample } from '../../examples/report/terminal.ts';
import { configs } from '../../lib/electra/config.ts';
import { UserError } from '../../lib/io/error.ts';
import { appendMetrics, readMetrics } from '../../lib/io/metrics.ts';
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
      guesses: fc.array(fc.tuple(text, fc.double({ min: 0, max: 1, noNaN: true })), { minLength: 1, maxLength: 3 }),
    })
    .map(({ guesses, ...word }) => ({
      ...word,
      replaced: word.hidden && word.replaced,
      ...(word.hidden && { guesses }),
    })),
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
  config: configs.tiny,
  records: [],
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

/** A record of held-out text that holds a sample. */
const seen = (step: number, sample: readonly Word[]): MetricsRecord =>
  ({ step, split: 'heldout', sample }) as MetricsRecord;

const attention = (tokens: readonly string[]) => {
  const weights = tokens.map((_, query) => tokens.map((_, key) => (query === key ? 1 : 0)));
  return { tokens, of: 4, heads: [{ layer: 2, head: 1, entropy: 0, weights }] };
};

const bare = (word: string): string => (word.length > 2 ? word.replace(/^##/, '') : word);

test('a report needs no network, no script and no other file, whatever was measured', () => {
  fc.assert(
    fc.property(records, words, (records, words) => {
      const page = renderReport(
        reportOf({
          records: [...records, seen(1, words), seen(2, words)],
          attention: attention(words.map(({ text }) => text)),
          neighbourhoods: words.map(({ text }) => ({ word: text, near: [[text, 0.5]] })),
        }),
      );
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
      const { document } = parseHTML(renderReport(reportOf({ records: [seen(1, words)] })));
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

test('every picture is an image with a description, and every table names its rows and columns', () => {
  fc.assert(
    fc.property(records, words, (records, words) => {
      const all = [...records, seen(5, words), seen(6, words)];
      const one = reportOf({ records: all, attention: attention(words.map(({ text }) => text)) });
      const pages = [
        renderReport(one),
        renderComparison([
          { name: 'a', report: one },
          { name: '<b>', report: one },
        ]),
      ];
      for (const { document } of pages.map((page) => parseHTML(page))) {
        for (const svg of document.querySelectorAll('svg')) {
          assert.is(svg.getAttribute('role'), 'img');
          assert.ok((svg.getAttribute('aria-label') ?? '').length > 20);
        }
        for (const table of document.querySelectorAll('table')) {
          assert.ok(table.querySelectorAll('thead th[scope=col]').length > 1);
          assert.ok([...table.querySelectorAll('tbody tr')].every((row) => row.querySelector('th[scope=row]')));
        }
        const levels = [...document.querySelectorAll('h1, h2, h3')].map(({ tagName }) => Number(tagName[1]));
        assert.is(levels.filter((level) => level === 1).length, 1);
        assert.ok(levels.every((level, i) => i === 0 || level <= levels[i - 1] + 1));
      }
    }),
    { numRuns: 8 },
  );
});

test('a sentence over time has a row for every gap, a column for every step, and the right guess marked', () => {
  const gap = (guesses: Word['guesses']): Word => ({
    text: 'b',
    original: 'a',
    hidden: true,
    replaced: true,
    probability: 0.7,
    guesses,
  });
  const plain: Word = { text: 'x', hidden: false, replaced: false, probability: 0.1 };
  const first = [
    gap([
      ['c', 0.3],
      ['a', 0.2],
    ]),
    plain,
  ];
  const last = [gap([['a', 0.9]]), plain];
  const { document } = parseHTML(renderReport(reportOf({ records: [seen(0, first), seen(10, last)] })));
  const rows = [...document.querySelectorAll('table.guesses tbody tr')];
  assert.equal(
    rows.map((row) =>
      [...row.querySelectorAll('td')].map((cell) =>
        cell.querySelector('.right')?.textContent.replace(/\D+/g, ' ').trim(),
      ),
    ),
    [['20', '90']],
  );
  const cells = document.querySelectorAll('.wide svg rect');
  assert.is(cells.length, 4 + 2, 'two tokens at two steps, two of them framed');
  assert.match(
    document.querySelector('.wide svg')?.getAttribute('aria-label') ?? '',
    /70 % for replaced tokens and 10 % for the others/,
  );
});

test('a run as large as the published one is drawn beside the published curve, as far as it went; others are not', () => {
  const dashed = (config: Report['config'], steps: number) => {
    const report = reportOf({ config, records: [], timing: { seconds: 1, steps, tokens: 1 } });
    return parseHTML(renderReport(report)).document.querySelectorAll('i.dashed').length;
  };
  assert.is(dashed(configs.small, 1_000_000), 4);
  assert.is(dashed(configs.small, 1000), 0);
  assert.is(dashed(configs.base, 1_000_000), 0);
});

test('the published curve adds up: its loss is the generator’s plus 50 times the discriminator’s, as well as a plot can be read', () => {
  for (const { step, loss, mlmLoss, rtdLoss } of publishedSmall) {
    assert.ok(Math.abs(loss! - (mlmLoss! + 50 * rtdLoss!)) < 0.03 * loss!, `step ${step}`);
  }
});

test('a page made again from its folder is the same page, and a folder without a finished run is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'amber-report-'));
  try {
    assert.throws(
      () => readReport(folder),
      (error: Error) => error instanceof UserError && /holds no finished run/.test(error.message),
    );
    fc.assert(
      fc.property(records, words, (records, words) => {
        const run = {
          folder,
          metrics: join(folder, 'metrics.jsonl'),
          findings: join(folder, 'report.json'),
          report: join(folder, 'report.html'),
        };
        rmSync(run.metrics, { force: true });
        for (const record of [...records, seen(9, words)]) appendMetrics(run.metrics, record);
        assert.equal(
          readMetrics(run.metrics).at(-1)?.sample,
          words.map((word) => JSON.parse(JSON.stringify(word))),
        );
        const { records: _, ...findings } = reportOf({});
        writeReport(run, findings);
        assert.is(readFileSync(run.report, 'utf8'), renderReport(readReport(folder)));
        assert.is(readFileSync(run.report, 'utf8'), renderReport(reportOf({ records: readMetrics(run.metrics) })));
      }),
      { numRuns: 5 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('two runs laid over each other share their frames, and what differs in their settings is listed', () => {
  const two = [0, 10].map((step) => ({ step, split: 'heldout', rtdAuc: 0.5 + step / 100 })) as MetricsRecord[];
  const one = { name: 'runs/1', report: reportOf({ records: two }) };
  const other = {
    name: 'runs/2',
    report: reportOf({ records: two, config: { ...configs.tiny, discriminatorWeight: 7 } }),
  };
  const { document } = parseHTML(renderComparison([one, other]));
  assert.match(
    document.querySelector('svg')?.getAttribute('aria-label') ?? '',
    /runs\/1 goes from 0\.50.*runs\/2 goes from 0\.50.*0\.60 at step 10/,
  );
  const last = [...document.querySelectorAll('table')].at(-1)!;
  assert.equal(
    [...last.querySelectorAll('tbody tr')].map((row) => [...row.children].map(({ textContent }) => textContent)),
    [['discriminatorWeight', '50', '7']],
  );
});

test('the sentence that is watched is a whole one without unknown words wherever one fits, and always fits in a row', () => {
  const unknown = 0;
  const sentence = fc.array(fc.nat(20), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(
      fc.array(sentence, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 8, max: 64 }),
      (sentences, seq) => {
        const watched = chooseSentence(sentences, seq, unknown);
        assert.ok(watched.length <= seq - 2);
        const whole = sentences.filter((ids) => ids.length <= Math.min(seq - 2, 40) && !ids.includes(unknown));
        if (whole.length > 0) assert.ok(whole.includes(watched as number[]));
        assert.equal(chooseSentence(sentences, seq, unknown), watched);
      },
    ),
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
