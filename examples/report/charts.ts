/**
 * The curves of a report: static SVG, drawn by Observable Plot on linkedom, a DOM without a browser. Colours are CSS
 * variables of the page, so one drawing serves light and dark.
 */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { MetricsRecord } from '../../lib/node.ts';
import { escape } from './format.ts';

type Field = Exclude<keyof MetricsRecord, 'step' | 'split'>;

/** A line to be drawn: which number, on which text. */
export interface Series {
  readonly field: Field;
  readonly split: MetricsRecord['split'];
  readonly label: string;
  readonly colour: string;
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

const valuesOf = (records: readonly MetricsRecord[], { field, split }: Series) =>
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
const describe = (chart: Chart, records: readonly MetricsRecord[]): string => {
  const format = formatOf(chart);
  const lines = chart.series.flatMap((series) => {
    const values = valuesOf(records, series);
    if (values.length === 0) return [];
    return `${series.label} goes from ${format(values[0].value)} at step ${values[0].step} to ${format(values[values.length - 1].value)} at step ${values[values.length - 1].step}`;
  });
  const marks = (chart.marks ?? []).map(({ value, label }) => `${label}: ${format(value)}`);
  return `${chart.title}. ${[...lines, ...marks].join('; ')}.`;
};

const draw = (chart: Chart, records: readonly MetricsRecord[]): string => {
  const { document } = parseHTML('<html><body></body></html>');
  const { series, marks = [], interval } = chart;
  const lastStep = Math.max(1, ...records.map(({ step }) => step));
  const svg = Plot.plot({
    document: document as unknown as Document,
    width: WIDTH,
    height: HEIGHT,
    marginLeft: 52,
    marginRight: 24,
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
          }),
          ...(heldOut && values.length <= 40
            ? [Plot.dot(values, { x: 'step', y: 'value', fill: one.colour, r: 2.2 })]
            : []),
        ];
      }),
    ],
  });
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', describe(chart, records));
  return svg.outerHTML;
};

/** One chart with its title, its key and its note. Nothing where nothing was measured. */
export const renderChart = (chart: Chart, records: readonly MetricsRecord[]): string => {
  const series = chart.series.filter((one) => valuesOf(records, one).length > 0);
  if (series.length === 0) return '';
  const keys = series.map(
    ({ label, colour, split }) => `<li><i class="${split}" style="background:${colour}"></i>${escape(label)}</li>`,
  );
  if (chart.interval) keys.push(`<li><i class="band" style="background:${series[0].colour}"></i>95 % interval</li>`);
  return `<figure>
<figcaption><h3>${escape(chart.title)}</h3><p>${escape(chart.note)}</p><ul class="keys">${keys.join('')}</ul></figcaption>
${draw({ ...chart, series }, records)}
</figure>`;
};
