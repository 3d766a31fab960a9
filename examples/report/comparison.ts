/** Several runs laid over each other: their curves in the same frames, their results and their differences side by side. */
import type { Chart, Field, Mark, Series } from './charts.ts';
import { renderChart } from './charts.ts';
import { count, duration, escape, nats, percent, settingsByPath } from './format.ts';
import { renderPage } from './html.ts';
import type { Report } from './page.ts';

export interface NamedReport {
  readonly name: string;
  readonly report: Report;
}

/** As many runs as there are colours that the eye keeps apart. */
const COLOURS = ['var(--amber)', 'var(--blue)', 'var(--good)', 'var(--ink)'];
export const MOST = COLOURS.length;

const curve = (runs: readonly NamedReport[], field: Field): Series[] =>
  runs.map(({ name, report: { records } }, i) => ({ field, split: 'heldout', label: name, colour: COLOURS[i], records }));

/** A baseline is drawn where it is the same for all. */
const shared = (runs: readonly NamedReport[], valueOf: (report: Report) => number, label: string): Mark[] => {
  const [value, ...others] = runs.map(({ report }) => valueOf(report));
  return others.every((other) => other === value) ? [{ value, label }] : [];
};

const chartsOf = (runs: readonly NamedReport[]): Chart[] => [
  {
    title: 'Generator: loss on hidden words',
    note: 'Nats, on held-out text. Lower is better, but runs compare only if they share text and vocabulary.',
    series: curve(runs, 'mlmMaskedLoss'),
    marks: shared(runs, ({ baselines }) => baselines.unigramLoss, 'unigram: word frequencies alone'),
  },
  {
    title: 'Discriminator: area under the ROC curve',
    note: 'On held-out text. A better generator makes the same discriminator look worse: read it with the curve before.',
    series: curve(runs, 'rtdAuc'),
    marks: [{ value: 0.5, label: 'by chance' }],
  },
  { title: 'Discriminator: loss', note: 'Nats a word.', series: curve(runs, 'rtdLoss'), marks: [{ value: Math.LN2, label: 'ln 2: a coin' }] },
  { title: 'Generator: samples that are right', note: 'The better it samples, the harder the discriminator’s task.', series: curve(runs, 'sampledAccuracy'), percent: true, digits: 1 },
  { title: 'Both: the combined loss', note: 'What is minimised. Runs with another λ do not compare.', series: curve(runs, 'loss') },
  { title: 'Learning rate', note: 'Warm-up, then down to zero.', series: curve(runs, 'learningRate') },
];

const ROWS: [name: string, value: (report: Report) => string][] = [
  ['Steps', ({ timing }) => count(timing.steps)],
  ['Tokens seen', ({ timing }) => count(timing.tokens)],
  ['Parameters', ({ timing }) => (timing.parameters === undefined ? '–' : count(timing.parameters))],
  ['Time', ({ timing }) => duration(timing.seconds)],
  ['Loss on hidden words', ({ evaluation }) => `${nats(evaluation.mlmMaskedLoss)} nats`],
  ['… by word frequencies alone', ({ baselines }) => `${nats(baselines.unigramLoss)} nats`],
  ['Area under the ROC curve', ({ evaluation: { rtdAuc } }) => `${nats(rtdAuc.value)} [${nats(rtdAuc.low)}–${nats(rtdAuc.high)}]`],
  ['Loss of the discriminator', ({ evaluation }) => `${nats(evaluation.rtdLoss)} nats`],
  ['Words replaced', ({ evaluation }) => percent(evaluation.replacedRate)],
  ['Samples that are right', ({ evaluation }) => percent(evaluation.sampledAccuracy)],
  ['Computed on', ({ device }) => device],
];

const renderRows = (runs: readonly NamedReport[], rows: readonly (readonly [string, readonly string[]])[]): string =>
  `<div class="card scroll"><table><thead><tr><td></td>${runs.map(({ name }, i) => `<th scope="col" style="color:${COLOURS[i]}">${escape(name)}</th>`).join('')}</tr></thead>
<tbody>${rows.map(([name, cells]) => `<tr><th scope="row">${escape(name)}</th>${cells.map((cell) => `<td>${escape(cell)}</td>`).join('')}</tr>`).join('\n')}</tbody></table></div>`;

const renderDifferences = (runs: readonly NamedReport[]): string => {
  const all = runs.map(({ report }) => new Map(settingsByPath(report.config).map(([path, value]) => [path, String(value)])));
  const paths = [...new Set(all.flatMap((one) => [...one.keys()]))];
  const rows = paths.map((path) => [path, all.map((one) => one.get(path) ?? '–')] as const);
  const differing = rows.filter(([, cells]) => new Set(cells).size > 1);
  return differing.length === 0 ? '<p>All settings are the same.</p>' : renderRows(runs, differing);
};

/** The page as HTML, of two to `MOST` runs. */
export const renderComparison = (runs: readonly NamedReport[]): string =>
  renderPage(
    `Amber: ${runs.map(({ name }) => name).join(' beside ')}`,
    `<header><h1><span>Amber</span> · ${runs.length} runs laid over each other</h1></header>
<section>
<h2>How they came about</h2>
<div class="charts">
${chartsOf(runs)
  .map((chart) => renderChart(chart, []))
  .join('\n')}
</div>
</section>
<section><h2>What they are worth</h2>
<p class="soft">On held-out text, after the last step of each.</p>
${renderRows(runs, ROWS.map(([name, value]) => [name, runs.map(({ report }) => value(report))] as const))}
</section>
<section><h2>In what they differ</h2>${renderDifferences(runs)}</section>`,
  );
