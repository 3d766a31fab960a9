/** Curves: how a number that was measured went with the steps, for one run or several. */
import * as Plot from '@observablehq/plot';
import type { MetricsRecord } from '../../lib/node.ts';
import { escape } from './format.ts';
import { drawPlot, renderFigure } from './html.ts';

export type Field = Exclude<keyof MetricsRecord, 'step' | 'split' | 'sample'>;

/** What was measured after a step, or read off somebody else's curve. */
export type Point = Pick<MetricsRecord, 'step'> & Partial<MetricsRecord>;

/** A line to be drawn: which number, on which text. */
export interface Series {
  readonly field: Field;
  readonly split: MetricsRecord['split'];
  readonly label: string;
  readonly colour: string;
  /** Where it comes from, if not from the run that is shown. */
  readonly records?: readonly Point[];
  /** Dashes: for a curve that somebody else published. */
  readonly dashed?: boolean;
}

/** A horizontal line to compare with. */
export interface Mark {
  readonly value: number;
  readonly label: string;
}

export interface Chart {
  readonly title: string;
  /** The sentence that says what to look for. */
  readonly note: string;
  readonly series: readonly Series[];
  readonly marks?: readonly Mark[];
  /** Two fields between which the true value lies with 95 % certainty. */
  readonly interval?: readonly [Field, Field];
  readonly percent?: boolean;
  readonly digits?: number;
}

const WIDTH = 520;
const HEIGHT = 250;

const valuesOf = (ofRun: readonly Point[], { field, split, records = ofRun }: Series) =>
  records
    .filter((record) => record.split === split && Number.isFinite(record[field]))
    .map((record) => ({ step: record.step, value: Number(record[field]) }));

const formatOf =
  ({ percent, digits = 2 }: Chart) =>
  (value: number): string =>
    percent
      ? `${(100 * value).toFixed(digits)} %`
      : value !== 0 && Math.abs(value) < 0.01
        ? value.toExponential(1)
        : value.toFixed(digits);

/** What a chart shows, for those who hear it. */
const describe = (chart: Chart, records: readonly Point[]): string => {
  const format = formatOf(chart);
  const lines = chart.series.flatMap((series) => {
    const values = valuesOf(records, series);
    if (values.length === 0) return [];
    return `${series.label} goes from ${format(values[0].value)} at step ${values[0].step} to ${format(values[values.length - 1].value)} at step ${values[values.length - 1].step}`;
  });
  const marks = (chart.marks ?? []).map(({ value, label }) => `${label}: ${format(value)}`);
  return `${chart.title}. ${[...lines, ...marks].join('; ')}.`;
};

/** The curves alone, as SVG. */
export const drawChart = (chart: Chart, records: readonly Point[]): string => {
  const { series, marks = [], interval } = chart;
  const lastStep = Math.max(1, ...[...records, ...series.flatMap(({ records = [] }) => records)].map(({ step }) => step));
  return drawPlot(describe(chart, records), {
    width: WIDTH,
    height: HEIGHT,
    marginLeft: 52,
    marginRight: 30,
    marginTop: 16,
    marginBottom: 34,
    x: { label: null, domain: [0, lastStep], ticks: 5, tickFormat: (step: number) => step.toLocaleString('en-US') },
    y: {
      label: null,
      nice: true,
      ticks: 5,
      percent: chart.percent,
      grid: true,
      ...(chart.percent && { tickFormat: (y: number) => `${y} %` }),
    },
    marks: [
      ...(interval
        ? [
            Plot.areaY(
              records.filter((record) => record.split === 'heldout'),
              { x: 'step', y1: interval[0], y2: interval[1], fill: series[0].colour, fillOpacity: 0.18 },
            ),
          ]
        : []),
      ...marks.flatMap(({ value, label }) => [
        Plot.ruleY([value], { stroke: 'var(--mark)', strokeDasharray: '4 3' }),
        Plot.text([value], {
          y: (y: number) => y,
          frameAnchor: 'right',
          textAnchor: 'end',
          text: () => label,
          dy: -7,
          fill: 'var(--mark)',
          stroke: 'var(--card)',
          strokeWidth: 4,
        }),
      ]),
      ...series.flatMap((one) => {
        const values = valuesOf(records, one);
        const heldOut = one.split === 'heldout';
        return [
          Plot.lineY(values, {
            x: 'step',
            y: 'value',
            stroke: one.colour,
            strokeWidth: heldOut ? 2 : 1.2,
            strokeOpacity: heldOut ? 1 : 0.55,
            ...(one.dashed && { strokeDasharray: '6 4' }),
          }),
          ...(heldOut && values.length <= 40
            ? [Plot.dot(values, { x: 'step', y: 'value', fill: one.colour, r: 2.2 })]
            : []),
        ];
      }),
    ],
  });
};

/** One chart with its title, its key and its note. Nothing where nothing was measured. */
export const renderChart = (chart: Chart, records: readonly Point[]): string => {
  const series = chart.series.filter((one) => valuesOf(records, one).length > 0);
  if (series.length === 0) return '';
  const keys = series.map(
    ({ label, colour, split, dashed }) => `<i class="${dashed ? 'dashed' : split}" style="color:${colour}"></i>${escape(label)}`,
  );
  if (chart.interval) keys.push(`<i class="band" style="color:${series[0].colour}"></i>95 % interval`);
  return renderFigure(chart.title, chart.note, drawChart({ ...chart, series }, records), keys);
};
