/**
 * A training run as one page that needs nothing else: no script, no network, no other file. It shows what the model
 * learned (held-out sentences, coloured), how it came about (curves) and what it is worth (a table against baselines),
 * and explains how to read each.
 */
import type { Evaluation } from '../lib/index.ts';
import type { MetricsRecord } from '../lib/node.ts';
import { renderChart } from './report/charts.ts';
import type { Chart } from './report/charts.ts';
import { count, duration, entropyOf, escape } from './report/format.ts';
import type { PaintedSample } from './report/sample.ts';
import { style } from './report/style.ts';
import { renderTable } from './report/table.ts';
import { renderSamples } from './report/words.ts';

export type { PaintedSample, Word } from './report/sample.ts';
export { paintLegend, paintSample } from './report/terminal.ts';

export interface Report {
  /** Plain data: the run's configuration and whatever else was chosen for it. `vocabSize` marks ln V in a curve. */
  readonly config: { readonly vocabSize: number };
  readonly records: readonly MetricsRecord[];
  readonly samples: readonly PaintedSample[];
  readonly baselines: {
    /** Cross-entropy, in nats, of guessing hidden words by their frequency alone. */
    readonly unigramLoss: number;
  };
  /** On held-out text, at the end. */
  readonly evaluation: Evaluation;
  /** What computed, in words. */
  readonly device: string;
  readonly timing: {
    readonly seconds: number;
    readonly steps: number;
    readonly tokens: number;
    readonly parameters?: number;
  };
}

const chartsOf = ({ config, baselines, evaluation }: Report): Chart[] => {
  const amber = 'var(--amber)';
  const blue = 'var(--blue)';
  return [
    {
      title: 'Generator: loss on hidden words',
      note: 'Nats. It uses context only where the strong line is under the unigram line.',
      series: [
        { field: 'mlmMaskedLoss', split: 'heldout', label: 'hidden words', colour: amber },
        { field: 'mlmLoss', split: 'heldout', label: 'all chosen words, the visible ones too', colour: blue },
        { field: 'mlmMaskedLoss', split: 'train', label: 'hidden words, training text', colour: amber },
      ],
      marks: [
        { value: Math.log(config.vocabSize), label: 'ln V: every word alike' },
        { value: baselines.unigramLoss, label: 'unigram: word frequencies alone' },
      ],
    },
    {
      title: 'Discriminator: area under the ROC curve',
      note: 'How often a replaced word looks more suspicious than an untouched one.',
      series: [
        { field: 'rtdAuc', split: 'heldout', label: 'held-out text', colour: amber },
        { field: 'rtdAuc', split: 'train', label: 'training text', colour: amber },
      ],
      interval: ['rtdAucLow', 'rtdAucHigh'],
      marks: [{ value: 0.5, label: 'by chance' }],
    },
    {
      title: 'Discriminator: loss',
      note: 'Nats a word. It falls at once to what the share of replaced words alone gives; the rest is learned.',
      series: [
        { field: 'rtdLoss', split: 'heldout', label: 'held-out text', colour: amber },
        { field: 'rtdLoss', split: 'train', label: 'training text', colour: amber },
      ],
      marks: [
        { value: Math.LN2, label: 'ln 2: a coin' },
        { value: entropyOf(evaluation.replacedRate), label: 'share of replaced words alone' },
      ],
    },
    {
      title: 'Generator: right guesses',
      note: 'The better it samples, the harder the discriminator’s task.',
      series: [
        { field: 'mlmAccuracy', split: 'heldout', label: 'its first guess is right', colour: amber },
        { field: 'sampledAccuracy', split: 'heldout', label: 'its sample is right', colour: blue },
      ],
      percent: true,
      digits: 1,
    },
    {
      title: 'Both: the combined loss',
      note: 'What is minimised: the generator’s loss plus λ times the discriminator’s.',
      series: [
        { field: 'loss', split: 'heldout', label: 'held-out text', colour: amber },
        { field: 'loss', split: 'train', label: 'training text', colour: amber },
      ],
    },
    {
      title: 'Learning rate',
      note: 'Warm-up, then down to zero.',
      series: [{ field: 'learningRate', split: 'heldout', label: 'learning rate', colour: blue }],
    },
  ];
};

const GUIDE: [string, string][] = [
  [
    'The game',
    'ELECTRA trains two networks. Some words of a text are hidden; the generator guesses them, and samples of its guesses are put in their place. The discriminator then says of every word whether it is the original. It learns from all words, not only from the hidden ones; that is why ELECTRA learns fast. Afterwards the discriminator is the model to keep.',
  ],
  [
    'Nats',
    'The unit of loss: a loss of x nats is the uncertainty of a choice among eˣ equally likely words. Lower is better.',
  ],
  [
    'Unigram',
    'One who knows how frequent each word is, and nothing else. What is under this line was learned from context.',
  ],
  [
    'Early on',
    'The first thing learned is which words are frequent, down to the unigram line. The discriminator’s curve may jump up meanwhile: bad guesses are easy to see through, and as the generator improves, the task gets harder. So read the two together.',
  ],
];

const renderGuide = (): string =>
  `<section><h2>How to read this</h2><dl>${GUIDE.map(([name, text]) => `<dt>${name}</dt><dd>${text}</dd>`).join('')}</dl></section>`;

/** The result in two sentences, no better than it is. */
const summaryOf = ({ baselines, evaluation: { mlmMaskedLoss, rtdAuc }, timing }: Report): string => {
  const gain = baselines.unigramLoss - mlmMaskedLoss;
  const generator =
    gain > 0
      ? `the generator guesses hidden words ${gain.toFixed(2)} nats better than word frequencies alone would`
      : 'the generator does not yet guess hidden words better than word frequencies alone would';
  const discriminator =
    rtdAuc.low > 0.5
      ? `Shown a replaced word and an untouched one, the discriminator suspects the right one ${(100 * rtdAuc.value).toFixed(0)} times in 100.`
      : 'The discriminator does not yet tell replaced words from untouched ones better than chance.';
  return `After ${count(timing.steps)} steps, ${generator}. ${discriminator}`;
};

const renderTiles = ({ baselines, evaluation, timing }: Report): string => {
  const tiles: [string, string][] = [
    [(baselines.unigramLoss - evaluation.mlmMaskedLoss).toFixed(2).replace('-', '−'), 'nats gained from context'],
    [evaluation.rtdAuc.value.toFixed(2), 'area under the ROC curve'],
    [`${(timing.tokens / 1e6).toFixed(timing.tokens < 1e7 ? 1 : 0)} M`, 'tokens seen'],
    [duration(timing.seconds), `of training, ${count(timing.tokens / timing.seconds)} tokens a second`],
  ];
  if (timing.parameters !== undefined) tiles.push([`${(timing.parameters / 1e6).toFixed(1)} M`, 'parameters']);
  return `<ul class="tiles">${tiles.map(([value, label]) => `<li><b>${value}</b><span>${label}</span></li>`).join('')}</ul>`;
};

/** The page as HTML. */
export const renderReport = (report: Report): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Amber: an ELECTRA after ${count(report.timing.steps)} steps</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<h1><span>Amber</span> · an ELECTRA after ${count(report.timing.steps)} steps</h1>
<p class="lead">${summaryOf(report)}</p>
${renderTiles(report)}
</header>
${renderSamples(report.samples)}
<section>
<h2>How it came about</h2>
<p class="soft">Strong lines are held-out text, faint ones the training text; the steps run to the right.</p>
<div class="charts">
${chartsOf(report)
  .map((chart) => renderChart(chart, report.records))
  .join('\n')}
</div>
</section>
${renderTable(report.evaluation, report.baselines.unigramLoss)}
${renderGuide()}
<details><summary>All settings of this run</summary><pre>${escape(JSON.stringify(report.config, null, 2))}</pre></details>
<footer>Computed on ${escape(report.device)}.</footer>
</main>
</body>
</html>
`;
