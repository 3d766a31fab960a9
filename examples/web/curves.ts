/** The curves of the page: what the report draws at the end (examples/report/curves.ts), as far as a page can follow it live. */
import { renderChart } from '../report/charts.ts';
import type { Chart } from '../report/charts.ts';
import { spread } from '../report/sample.ts';
import type { Point } from './messages.ts';

const AMBER = 'var(--amber)';
const BLUE = 'var(--blue)';

/** Points of a line that are drawn, at most. */
const DRAWN = 240;

const charts = (unigramLoss: number): Chart[] => [
  {
    title: 'Generator: loss',
    note: 'Nats. It uses context only where the strong line is under the unigram line.',
    series: [
      { field: 'mlmMaskedLoss', split: 'heldout', label: 'hidden words, held-out text', colour: AMBER },
      { field: 'mlmLoss', split: 'train', label: 'all chosen words, each step', colour: BLUE },
    ],
    marks: [{ value: unigramLoss, label: 'unigram: word frequencies alone' }],
  },
  {
    title: 'Discriminator: loss',
    note: 'Nats a word. It falls at once to what the share of replaced words alone gives; the rest is learned.',
    series: [
      { field: 'rtdLoss', split: 'heldout', label: 'held-out text', colour: AMBER },
      { field: 'rtdLoss', split: 'train', label: 'each step', colour: BLUE },
    ],
    marks: [{ value: Math.LN2, label: 'ln 2: a coin' }],
  },
  {
    title: 'Discriminator: area under the ROC curve',
    note: 'How often a replaced word looks more suspicious than an untouched one.',
    series: [{ field: 'rtdAuc', split: 'heldout', label: 'held-out text', colour: AMBER }],
    interval: ['rtdAucLow', 'rtdAucHigh'],
    marks: [{ value: 0.5, label: 'by chance' }],
  },
];

/** All curves as HTML. */
export const renderCurves = (points: readonly Point[], unigramLoss: number): string => {
  const of = (split: Point['split']) => spread(points.filter((point) => point.split === split), DRAWN);
  const drawn = [...of('train'), ...of('heldout')];
  return charts(unigramLoss).map((chart) => renderChart(chart, drawn)).join('\n');
};
