/**
 * Where a model errs: the confusion matrix as a heat map, the confusions that are most frequent, and the errors that it is
 * surest of, which are often mistakes of the labels.
 */
import * as Plot from '@observablehq/plot';
import { count, escape, percent } from './format.ts';
import { drawPlot, renderFigure } from './html.ts';

/** One decision: of a text, or of one word in its sentence. */
export interface Decision {
  readonly where: string;
  /** What was judged; of a word, the words before and after it too. */
  readonly before?: string;
  readonly text: string;
  readonly after?: string;
  readonly pair?: string;
  readonly gold: string;
  readonly predicted: string;
  readonly probability: number;
}

interface Cell {
  readonly gold: string;
  readonly predicted: string;
  readonly times: number;
  /** Of the decisions with this gold label. */
  readonly share: number;
}

/** Classes beyond which the numbers, and beyond which the columns' names, no longer fit. */
const NUMBERED = 12;
const NAMED = 30;

const increase = (counts: Map<string, number>, name: string): void =>
  void counts.set(name, (counts.get(name) ?? 0) + 1);

/** How often each gold label was given each label, the pairs that occur. */
export const cellsOf = (decisions: readonly Pick<Decision, 'gold' | 'predicted'>[]): Cell[] => {
  const [totals, pairs] = [new Map<string, number>(), new Map<string, number>()];
  for (const { gold, predicted } of decisions) {
    increase(totals, gold);
    increase(pairs, JSON.stringify([gold, predicted]));
  }
  return [...pairs].map(([pair, times]) => {
    const [gold, predicted] = JSON.parse(pair) as [string, string];
    return { gold, predicted, times, share: times / totals.get(gold)! };
  });
};

const shortened = (text: string, most: number): string =>
  [...text].length > most ? `${[...text].slice(0, most - 1).join('')}…` : text;

const drawMatrix = (cells: readonly Cell[], labels: readonly string[]): string => {
  const n = labels.length;
  const side = n <= NUMBERED ? 560 / Math.max(4, n) : n <= NAMED ? 22 : 12;
  const longest = Math.min(24, Math.max(...labels.map((label) => [...label].length)));
  const font = n <= NAMED ? 12 : 9.5;
  const margin = 12 + 0.58 * font * longest;
  const name = (label: string) => shortened(label, 24);
  const wrong = cells.filter(({ gold, predicted }) => gold !== predicted).reduce((sum, { times }) => sum + times, 0);
  return drawPlot(`Confusion matrix of ${n} labels: ${count(wrong)} decisions are off the diagonal.`, {
    width: margin + n * side + 10,
    height: (n <= NAMED ? margin : 16) + n * side + 10,
    marginLeft: margin,
    marginTop: n <= NAMED ? margin : 16,
    marginRight: 10,
    marginBottom: 10,
    x: {
      domain: labels,
      axis: n <= NAMED ? 'top' : null,
      tickFormat: name,
      tickRotate: n <= 4 ? 0 : -60,
      tickSize: 0,
      label: null,
      padding: 0.04,
    },
    y: { domain: labels, tickFormat: name, tickSize: 0, label: null, padding: 0.04 },
    opacity: { type: 'sqrt', domain: [0, 1], range: [0, n <= NUMBERED ? 0.6 : 1] },
    style: { fontSize: `${font}px` },
    marks: [
      Plot.frame({ stroke: 'var(--line)' }),
      Plot.cell(cells, {
        x: 'predicted',
        y: 'gold',
        fill: ({ gold, predicted }: Cell) => (gold === predicted ? 'var(--blue)' : 'var(--edge)'),
        fillOpacity: 'share',
        title: ({ gold, predicted, times, share }: Cell) =>
          `${gold}, called ${predicted}: ${count(times)} (${percent(share)})`,
      }),
      ...(n <= NUMBERED
        ? [
            Plot.text(cells, {
              x: 'predicted',
              y: 'gold',
              text: ({ times }: Cell) => count(times),
              fill: 'var(--ink)',
              fontSize: 13,
            }),
          ]
        : []),
    ],
  });
};

const renderLargest = (cells: readonly Cell[]): string => {
  const largest = cells
    .filter(({ gold, predicted }) => gold !== predicted)
    .sort((a, b) => b.times - a.times || b.share - a.share)
    .slice(0, 12);
  if (largest.length === 0) return '<p>No decision is wrong.</p>';
  const rows = largest.map(
    ({ gold, predicted, times, share }) =>
      `<tr><td>${escape(gold)}</td><td>${escape(predicted)}</td><td class="number">${count(times)}</td><td class="number">${percent(share)}</td></tr>`,
  );
  return `<h3 class="above">The largest confusions</h3><div class="card scroll"><table class="near"><thead><tr><th scope="col">It is</th><th scope="col">The model says</th><th scope="col">How often</th><th scope="col">Of all that are</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
};

/** The matrix and its largest cells; `labels` in the order of the model's outputs. */
export const renderConfusion = (decisions: readonly Decision[], labels: readonly string[]): string => {
  const cells = cellsOf(decisions);
  const known = [...new Set([...labels, ...cells.flatMap(({ gold, predicted }) => [gold, predicted])])];
  const note =
    'Rows are the right labels, columns what the model says, in the same order; a row’s colours are its shares. Blue is right.';
  return `<section>
<h2>What it confuses</h2>
<div class="matrix">${renderFigure('Confusion matrix', note, drawMatrix(cells, known))}</div>
${renderLargest(cells)}
</section>`;
};

const MOST = 240;

const renderText = ({ before = '', text, after = '', pair }: Decision): string => {
  const shown =
    before === '' && after === ''
      ? escape(shortened(text, MOST))
      : `${escape(before.slice(-80))} <b>${escape(text)}</b> ${escape(shortened(after, 80))}`;
  return pair === undefined ? shown : `${shown}<br><span class="soft">${escape(shortened(pair, MOST))}</span>`;
};

/** The wrong decisions that the model was surest of. */
export const renderErrors = (decisions: readonly Decision[]): string => {
  const wrong = decisions
    .filter(({ gold, predicted }) => gold !== predicted)
    .sort((a, b) => b.probability - a.probability);
  if (wrong.length === 0) return '';
  const rows = wrong
    .slice(0, 20)
    .map(
      (one) =>
        `<tr><td class="errs">${renderText(one)}<br><small class="soft">${escape(one.where)}</small></td><td>${escape(one.gold)}</td><td>${escape(one.predicted)}</td><td class="number">${percent(one.probability)}</td></tr>`,
    );
  return `<section>
<h2>Its most confident errors</h2>
<p class="soft">Of ${count(wrong.length)} wrong decisions out of ${count(decisions.length)}, those of which the model was surest. Some are often mistakes of the labels.</p>
<div class="card scroll"><table class="near"><thead><tr><th scope="col">Text</th><th scope="col">It is</th><th scope="col">The model says</th><th scope="col">Probability</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>
</section>`;
};
