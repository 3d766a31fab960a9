/**
 * A training run as one page that needs nothing else: no script, no network, no other file. It shows what the model
 * learned (a held-out sentence, coloured), how it came about (one sentence over time, curves), what it is worth (a table
 * against baselines) and what it looks like inside (attention, neighbourhoods), and explains how to read each.
 */
import type { ElectraConfig, Evaluation } from '../../lib/index.ts';
import type { MetricsRecord } from '../../lib/node.ts';
import { renderChart } from './charts.ts';
import { chartsOf } from './curves.ts';
import { count, duration, escape } from './format.ts';
import { renderPage } from './html.ts';
import type { AttentionMaps, Neighbourhood } from './inside.ts';
import { renderAttention, renderNeighbourhoods } from './inside.ts';
import { renderOverTime } from './overtime.ts';
import { samplesOf } from './sample.ts';
import { renderTable } from './table.ts';
import { renderSamples } from './words.ts';

/** What is known of a run besides what was measured on the way. */
export interface Findings {
  readonly config: ElectraConfig;
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
  /** Where heads of the discriminator look in the watched sentence, at the end. */
  readonly attention?: AttentionMaps;
  readonly neighbourhoods?: readonly Neighbourhood[];
}

export interface Report extends Findings {
  readonly records: readonly MetricsRecord[];
}

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
export const renderReport = (report: Report): string => {
  const { records, config, evaluation, baselines, timing, attention, neighbourhoods } = report;
  const samples = samplesOf(records);
  const title = `an ELECTRA after ${count(timing.steps)} steps`;
  return renderPage(
    `Amber: ${title}`,
    `<header>
<h1><span>Amber</span> · ${title}</h1>
<p class="lead">${summaryOf(report)}</p>
${renderTiles(report)}
</header>
${renderSamples(samples)}
${renderOverTime(samples)}
<section>
<h2>How it came about</h2>
<p class="soft">Strong lines are held-out text, faint ones the training text; the steps run to the right.</p>
<div class="charts">
${chartsOf(report)
  .map((chart) => renderChart(chart, records))
  .join('\n')}
</div>
</section>
${renderTable(evaluation, baselines.unigramLoss)}
${attention ? renderAttention(attention) : ''}
${neighbourhoods ? renderNeighbourhoods(neighbourhoods) : ''}
${renderGuide()}
<details><summary>All settings of this run</summary><pre>${escape(JSON.stringify(config, null, 2))}</pre></details>
<footer>Computed on ${escape(report.device)}.</footer>`,
  );
};
