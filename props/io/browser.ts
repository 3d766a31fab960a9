/**
 * Laws of the report in a browser, where Chromium is installed (as `chromium`, `chromium-browser` or `google-chrome`, or
 * what CHROMIUM names): in light and dark, on wide and narrow screens, nothing hangs over the edge, every picture has its
 * room, and every text stands out from its ground as WCAG 2.1 asks (criterion 1.4.3: a contrast of 4.5); and it prints.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderComparison } from '../../examples/report/comparison.ts';
import type { FineTuned } from '../../examples/report/finetuned.ts';
import { renderFineTuned } from '../../examples/report/finetuned.ts';
import { renderReport } from '../../examples/report/page.ts';
import type { Report } from '../../examples/report/page.ts';
import type { Word } from '../../examples/report/sample.ts';
import { configs } from '../../lib/electra/config.ts';
import type { MetricsRecord } from '../../lib/io/metrics.ts';
import { skip } from '../laws/present.ts';

const test = suite('browser');

const names = process.env.CHROMIUM ? [process.env.CHROMIUM] : ['chromium', 'chromium-browser', 'google-chrome'];
const chromium = names.find((name) => spawnSync(name, ['--version']).status === 0);

let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'amber-browser-'));
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

const browse = (page: string, ...flags: string[]): string => {
  const file = join(folder, 'page.html');
  writeFileSync(file, page);
  const quiet = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
  const profile = `--user-data-dir=${join(folder, 'profile')}`;
  const run = spawnSync(chromium!, [...quiet, profile, ...flags, pathToFileURL(file).href], {
    encoding: 'utf8',
    maxBuffer: 1e8,
    timeout: 60_000,
  });
  assert.is(run.status, 0, run.stderr);
  return run.stdout;
};

/** A run of made-up numbers with everything that a report shows. */
const report = (): Report => {
  const word = (i: number, step: number): Word => ({
    text: i % 5 === 1 ? '##ing' : 'government',
    ...(i % 6 === 2 && {
      original: 'attention',
      guesses: [
        ['attention', step / 200],
        ['the', 0.1],
        ['of', 0.05],
      ] as const,
    }),
    hidden: i % 6 === 2,
    replaced: i % 6 === 2 && step < 80,
    probability: (i % 6 === 2 ? step : 100 - step) / 120,
  });
  const records = [0, 50, 100].flatMap((step) =>
    (['train', 'heldout'] as const).map((split) => {
      const value = 6 - step / 50;
      const losses = { loss: value, mlmLoss: value, mlmMaskedLoss: value, rtdLoss: value / 10, learningRate: 1e-3 };
      const auc = { rtdAuc: 0.5 + step / 400, rtdAucLow: 0.45 + step / 400, rtdAucHigh: 0.55 + step / 400 };
      const sample = Array.from({ length: 24 }, (_, i) => word(i, step));
      return {
        step,
        split,
        ...losses,
        ...auc,
        mlmAccuracy: 0.2,
        sampledAccuracy: 0.1,
        ...(split === 'heldout' && { sample }),
      } as MetricsRecord;
    }),
  );
  const tokens = Array.from({ length: 24 }, () => 'government');
  const weights = tokens.map((_, query) => tokens.map((_, key) => 0.5 ** (Math.abs(query - key) + 1)));
  return {
    config: configs.tiny,
    records,
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
      rtdPrecision: 0.4,
      rtdRecall: 0.1,
      replacedRate: 0.1,
      tokens: 1000,
      maskedTokens: 150,
    },
    device: 'reference',
    timing: { seconds: 10, steps: 100, tokens: 1e5, parameters: 2e5 },
    attention: { tokens, of: 8, heads: [1, 2].map((head) => ({ layer: 1, head, entropy: 1, weights })) },
    neighbourhoods: Array.from({ length: 3 }, () => ({
      word: 'government',
      near: tokens.slice(0, 6).map((text) => [text, 0.5] as const),
    })),
  };
};

interface Look {
  readonly overhang: number;
  readonly pictures: number[];
  readonly faint: string[];
  readonly ground: number;
}

/** Runs in the page: how far it hangs over, how wide its pictures are, which texts are too faint, how light its ground is. */
const look = () => {
  const parse = (colour: string): number[] => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (colour: number[]): number => {
    const [r, g, b] = colour.map((x) => (x / 255 <= 0.04045 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  /** What is behind an element: the colours from the page up, each laid over what is below it. */
  const groundOf = (element: Element): number[] => {
    const below = element.parentElement ? groundOf(element.parentElement) : [255, 255, 255];
    const [r, g, b, alpha = 1] = parse(getComputedStyle(element).backgroundColor);
    return [r, g, b].map((x, i) => alpha * x + (1 - alpha) * below[i]);
  };
  const contrast = (element: Element): number => {
    const style = getComputedStyle(element);
    const colour = parse(element.closest('svg') ? style.fill : style.color);
    // What a word replaced stands above the word's own colour, on the card.
    const place = element.tagName === 'RT' ? element.closest('.words')! : element;
    const [a, b] = [luminance(colour), luminance(groundOf(place))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const texts = [...document.querySelectorAll('main *')].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent!.trim() !== ''),
  );
  const faint = texts.filter((element) => element.tagName !== 'style' && contrast(element) < 4.5);
  const seen = {
    overhang: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    pictures: [...document.querySelectorAll('svg')].map((svg) => svg.getBoundingClientRect().width),
    faint: faint.map(
      (element) => `${element.tagName} “${element.textContent!.trim().slice(0, 30)}” ${contrast(element).toFixed(2)}`,
    ),
    ground: luminance(groundOf(document.body)),
  };
  document.body.innerHTML = `<pre>${JSON.stringify(seen)}</pre>`;
};

const see = (page: string, width: number, dark: boolean): Look => {
  // esbuild names nested functions with a helper of its own, which the page needs too.
  const script = `<script>const __name = (f) => f; (${look})();</script></body>`;
  const scheme = `--blink-settings=preferredColorScheme=${dark ? 0 : 1}`;
  const dom = browse(
    page.replace('</body>', () => script),
    '--dump-dom',
    `--window-size=${width},900`,
    scheme,
  );
  return JSON.parse(
    dom
      .match(/<pre>(\{.*\})<\/pre>/)![1]
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&'),
  ) as Look;
};

/** A fine-tuned model of made-up numbers, with `n` classes. */
const finetuned = (n: number): FineTuned => {
  const labels = Array.from({ length: n }, (_, i) => `the ${i}th of the labels`);
  const epochs = [1, 2, 3].map((epoch) => ({ epoch, loss: 1 / epoch, score: 0.5 + epoch / 10 }));
  return {
    predictions: Array.from({ length: 5 * n }, (_, i) => ({
      where: `dev.csv:${i + 2}`,
      text: 'I would like to know why a payment by card was declined. '.repeat(1 + (i % 3)),
      gold: labels[i % n],
      predicted: labels[i % 7 === 0 ? (i * i) % n : i % n],
      probability: 1 / (1 + (i % 9)),
    })),
    results: {
      task: 'payments',
      labels,
      rows: { train: 1000, dev: 5 * n },
      seconds: 300,
      settings: { epochs: 3 },
      results: ['accuracy', 'macro F1'].flatMap((metric) =>
        ['pre-trained', 'bag of words'].map((name) => ({
          name,
          split: 'dev',
          metric,
          value: 0.8,
          low: 0.78,
          high: 0.82,
        })),
      ),
      histories: { trained: [{ seed: 0, epochs }], scratch: [{ seed: 0, epochs }] },
    },
  };
};

const one = report();
const pages: [string, string][] = [
  ['a report', renderReport(one)],
  ['the page of a fine-tuned model with two classes', renderFineTuned(finetuned(2))],
  ['the page of a fine-tuned model with 77 classes', renderFineTuned(finetuned(77))],
  [
    'a comparison',
    renderComparison([
      { name: 'runs/1', report: one },
      { name: 'runs/2', report: { ...one, device: 'wasm' } },
    ]),
  ],
];

for (const [name, page] of pages) {
  test(`${name} fits wide and narrow screens, in light and dark, and every text on it can be read`, () => {
    if (chromium === undefined) return skip('Chromium is not installed, so no page was looked at');
    for (const [width, dark] of [
      [1160, false],
      [1160, true],
      [500, false],
    ] as const) {
      const { overhang, pictures, faint, ground } = see(page, width, dark);
      assert.is(overhang, 0, `${width} wide`);
      assert.ok(pictures.length >= 3 && pictures.every((picture) => picture > 200), `pictures ${pictures} wide`);
      assert.equal(faint, []);
      assert.is(ground < 0.1, dark);
    }
  });
}

test('a report prints on a few sheets', () => {
  if (chromium === undefined) return skip('Chromium is not installed, so no page was looked at');
  const pdf = join(folder, 'report.pdf');
  browse(renderReport(one), `--print-to-pdf=${pdf}`);
  const sheets = readFileSync(pdf, 'latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0;
  assert.ok(sheets >= 3 && sheets <= 10, `${sheets} sheets`);
});

test.run();
