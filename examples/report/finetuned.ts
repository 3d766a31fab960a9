/**
 * The page of a fine-tuned model: its results beside baselines, how they came about, what it confuses, and the errors that it
 * is surest of. Made from what the fine-tuning left in its folder, `predictions.jsonl` and `results.json`.
 */
import * as Plot from '@observablehq/plot';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../lib/node.ts';
import type { Decision } from './confusion.ts';
import { renderConfusion, renderErrors } from './confusion.ts';
import { count, duration, escape } from './format.ts';
import { drawPlot, renderFigure, renderPage } from './html.ts';

/** A line of predictions.jsonl. */
export interface PredictedRow {
  readonly where: string;
  readonly text?: string;
  readonly pair?: string;
  readonly words?: readonly string[];
  readonly gold?: string | number | readonly string[];
  readonly predicted: string | number | readonly string[];
  readonly probability?: number | readonly number[];
}

interface Epoch {
  readonly epoch: number;
  readonly loss: number;
  readonly score: number;
}

interface History {
  readonly seed: number;
  readonly epochs: readonly Epoch[];
}

/** results.json, as far as it is shown. */
export interface Results {
  readonly task: string;
  readonly labels?: readonly string[];
  readonly rows: { readonly train: number; readonly dev: number; readonly test?: number };
  readonly seconds: number;
  readonly settings: unknown;
  readonly results: readonly {
    readonly name: string;
    readonly split: string;
    readonly metric: string;
    readonly value: number;
    readonly low: number;
    readonly high: number;
    readonly deviation?: number;
  }[];
  readonly histories: { readonly trained: readonly History[]; readonly scratch: readonly History[] };
}

export interface FineTuned {
  readonly results?: Results;
  readonly predictions: readonly PredictedRow[];
}

/** Whether a folder is that of a fine-tuning. */
export const isFineTuned = (folder: string): boolean => existsSync(join(folder, 'predictions.jsonl'));

/** Numbers that are no JSON, such as the correlation with predictions that are all the same, are null in it. */
const restore = (_: string, value: unknown): unknown => (value === null ? NaN : value);

const thousandths = (value: number): string => (Number.isFinite(value) ? value.toFixed(3) : '–');

/** What a fine-tuning left. Throws a UserError where it is damaged. */
export const readFineTuned = (folder: string): FineTuned => {
  const parse = (path: string, text: string, revive?: typeof restore): unknown => {
    try {
      return JSON.parse(text, revive);
    } catch (cause) {
      throw new UserError(`${path} is no JSON: ${(cause as Error).message}; fine-tune again, or restore the file`, {
        cause,
      });
    }
  };
  const [rows, results] = ['predictions.jsonl', 'results.json'].map((name) => join(folder, name));
  const lines = readFileSync(rows, 'utf8').split('\n');
  return {
    predictions: lines.flatMap((line, i) => (line === '' ? [] : [parse(`${rows}:${i + 1}`, line) as PredictedRow])),
    ...(existsSync(results) && { results: parse(results, readFileSync(results, 'utf8'), restore) as Results }),
  };
};

/** The decisions among labels that rows with labels hold. */
export const decisionsOf = (rows: readonly PredictedRow[]): Decision[] =>
  rows.flatMap((row): Decision[] => {
    const { where, text = '', pair, words = [], gold, predicted, probability } = row;
    if (typeof gold === 'string')
      return [{ where, text, pair, gold, predicted: String(predicted), probability: Number(probability) }];
    if (!Array.isArray(gold)) return [];
    return words.map((word, i) => ({
      where,
      before: words.slice(0, i).join(' '),
      text: word,
      after: words.slice(i + 1).join(' '),
      gold: gold[i] as string,
      predicted: (predicted as readonly string[])[i],
      probability: (probability as readonly number[])[i],
    }));
  });

const NAMES: Record<string, string> = { trained: 'pre-trained', scratch: 'from scratch' };

const renderTable = ({ results, rows }: Results): string => {
  const sections = [...new Set(results.map(({ split }) => split))].map((split) => {
    const of = results.filter((one) => one.split === split);
    const metrics = [...new Set(of.map(({ metric }) => metric))];
    const cell = (name: string, metric: string) => {
      const found = of.find((one) => one.name === name && one.metric === metric);
      if (!found) return '<td>–</td>';
      const best = of.every((one) => one.metric !== metric || one.value <= found.value);
      const between = found.deviation === undefined ? '' : ` ± ${found.deviation.toFixed(3)}`;
      return `<td class="number${best ? ' better' : ''}">${thousandths(found.value)}${between} <small class="soft">${thousandths(found.low)}–${thousandths(found.high)}</small></td>`;
    };
    const lines = [...new Set(of.map(({ name }) => name))].map(
      (name) => `<tr><th scope="row">${escape(name)}</th>${metrics.map((metric) => cell(name, metric)).join('')}</tr>`,
    );
    const size = split === 'test' ? rows.test : rows.dev;
    return `<h3 class="above">${escape(split)}, ${count(size ?? 0)} rows</h3><div class="card scroll"><table><thead><tr><th scope="col"></th>${metrics.map((metric) => `<th scope="col">${escape(metric)}</th>`).join('')}</tr></thead><tbody>${lines.join('\n')}</tbody></table></div>`;
  });
  return `<section><h2>What it is worth</h2>
<p class="soft">Green is the best of a column, whoever it is; small figures are 95 % intervals over rows, ± is between seeds.</p>${sections.join('\n')}</section>`;
};

const renderCurves = ({ histories, results }: Results): string => {
  const metric = results[0]?.metric ?? 'score';
  const points = (['trained', 'scratch'] as const).flatMap((from) =>
    histories[from].flatMap(({ seed, epochs }) => epochs.map((epoch) => ({ ...epoch, from, line: `${from} ${seed}` }))),
  );
  if (points.length === 0) return '';
  const colour = (from: string) => (from === 'trained' ? 'var(--amber)' : 'var(--blue)');
  const draw = (field: 'loss' | 'score', title: string) =>
    drawPlot(`${title}, epoch by epoch`, {
      width: 520,
      height: 250,
      marginLeft: 52,
      x: { label: null, ticks: 5 },
      y: { label: null, nice: true, grid: true, ticks: 5 },
      marks: [
        Plot.lineY(points, {
          x: 'epoch',
          y: field,
          z: 'line',
          stroke: ({ from }: (typeof points)[number]) => colour(from),
          strokeWidth: 2,
        }),
        Plot.dot(points, { x: 'epoch', y: field, fill: ({ from }: (typeof points)[number]) => colour(from), r: 2.5 }),
      ],
    });
  const keys = [...new Set(points.map(({ from }) => from))].map(
    (from) => `<i class="heldout" style="color:${colour(from)}"></i>${NAMES[from]}`,
  );
  return `<section><h2>How it came about</h2><div class="charts">
${renderFigure(`${metric} on the dev rows`, 'After each epoch, a line for each seed. The best epoch was kept.', draw('score', metric), keys)}
${renderFigure('Training loss', 'The mean since the last evaluation. A loss that falls while the score does not is learning by heart.', draw('loss', 'Training loss'), keys)}
</div></section>`;
};

/** Values beside those that were to be approached, and the rows where they are farthest apart. */
const renderValues = (rows: readonly PredictedRow[]): string => {
  const points = rows.flatMap(({ gold, predicted, text = '' }) =>
    typeof gold === 'number' ? [{ gold, predicted: Number(predicted), text }] : [],
  );
  if (points.length === 0) return '';
  const farthest = [...points]
    .sort((a, b) => Math.abs(b.predicted - b.gold) - Math.abs(a.predicted - a.gold))
    .slice(0, 20);
  const picture = drawPlot('Predicted values over true ones', {
    width: 520,
    height: 420,
    x: { label: 'true', nice: true },
    y: { label: 'predicted', nice: true, grid: true },
    marks: [
      Plot.line(
        [...points.map(({ gold }) => gold)].sort((a, b) => a - b),
        { x: (x: number) => x, y: (x: number) => x, stroke: 'var(--mark)', strokeDasharray: '4 3' },
      ),
      Plot.dot(points, { x: 'gold', y: 'predicted', fill: 'var(--amber)', fillOpacity: 0.5, r: 2.5 }),
    ],
  });
  const lines = farthest.map(
    ({ gold, predicted, text }) =>
      `<tr><td class="errs">${escape(text.slice(0, 240))}</td><td class="number">${gold}</td><td class="number">${predicted.toFixed(3)}</td></tr>`,
  );
  return `<section><h2>Values</h2><div class="matrix">${renderFigure('Predicted over true', 'On the dashed line a prediction is right.', picture)}</div>
<h3 class="above">The largest errors</h3><div class="card scroll"><table class="near"><thead><tr><th scope="col">Text</th><th scope="col">True</th><th scope="col">Predicted</th></tr></thead><tbody>${lines.join('\n')}</tbody></table></div></section>`;
};

/** The page as HTML. */
export const renderFineTuned = ({ predictions, results }: FineTuned): string => {
  const decisions = decisionsOf(predictions);
  const title = results ? `fine-tuned: ${results.task}` : 'a fine-tuned model';
  const right = decisions.filter(({ gold, predicted }) => gold === predicted).length;
  const learned = results
    ? ` It learned from ${count(results.rows.train)} rows; all contenders together took ${duration(results.seconds)}.`
    : '';
  const lead =
    decisions.length > 0
      ? `Of ${count(decisions.length)} decisions, ${count(right)} are right (${((100 * right) / decisions.length).toFixed(1)} %).`
      : `${count(predictions.length)} predictions.`;
  return renderPage(
    `Amber: ${title}`,
    `<header><h1><span>Amber</span> · ${escape(title)}</h1><p class="lead">${lead}${learned}</p></header>
${results ? renderTable(results) : ''}
${results ? renderCurves(results) : ''}
${decisions.length > 0 ? renderConfusion(decisions, results?.labels ?? []) : renderValues(predictions)}
${renderErrors(decisions)}
${results ? `<details><summary>All settings</summary><pre>${escape(JSON.stringify(results.settings, null, 2))}</pre></details>` : ''}
<footer>Made of predictions.jsonl${results ? ' and results.json' : ''}.</footer>`,
  );
};
