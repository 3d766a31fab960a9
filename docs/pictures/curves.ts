/**
 * Draws the curves of the docs as SVG, the published one and that of a run of `npm start`:
 * `npx tsx docs/pictures/curves.ts runs/1`. What a run measured is kept in demo.json, so without one they are drawn again.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Field, Point } from '../../examples/report/charts.ts';
import { drawChart } from '../../examples/report/charts.ts';
import { readReport } from '../../examples/report/folder.ts';
import { publishedSmall } from '../../examples/report/reference.ts';
import { COLOURS } from './draw.ts';

const FIELDS = ['loss', 'mlmLoss', 'mlmMaskedLoss', 'rtdLoss', 'rtdAuc'] as const;
const file = (name: string) => new URL(name, import.meta.url);

/** What the docs keep of a run. */
export interface Demo {
  readonly unigramLoss: number;
  readonly points: readonly Point[];
}

export const demo = (): Demo => JSON.parse(readFileSync(file('demo.json'), 'utf8')) as Demo;

/** The AUC and the generator's loss side by side, in a picture of its own. */
const draw = (title: string, points: readonly Point[], field: Field, label: string, mark?: { value: number; label: string }): string => {
  const chart = (field: Field, title: string) => ({ title, note: '', series: [{ field, split: 'heldout' as const, label: title, colour: 'var(--amber)' }] });
  const panels = [
    drawChart({ ...chart('rtdAuc', 'Area under the ROC curve'), marks: [{ value: 0.5, label: 'by chance' }] }, points),
    drawChart({ ...chart(field, label), marks: mark ? [mark] : [] }, points),
  ];
  const heads = ['AUC of the discriminator', label].map((head, i) => `<text x="${30 + 530 * i}" y="28" class="head">${head}</text>`);
  const placed = panels.map((panel, i) => panel.replace('<svg', `<svg x="${10 + 530 * i}" y="40"`));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1080 310" width="1080" height="310" role="img" aria-labelledby="title">
<title id="title">${title}</title>
<style>${COLOURS} .head { font: 650 14px system-ui, sans-serif; fill: var(--ink); } svg svg { color: var(--soft); --plot-background: var(--page); }</style>
<rect width="1080" height="310" rx="14" fill="var(--page)"/>
${[...heads, ...placed].join('\n')}
</svg>
`;
};

export const curves = ({ unigramLoss, points }: Demo) => ({
  'published.svg': draw('ELECTRA-Small as published', publishedSmall, 'mlmLoss', 'Loss of the generator, nats'),
  'demo.svg': draw('A run of npm start', points, 'mlmMaskedLoss', 'Loss of the generator on hidden words, nats', { value: unigramLoss, label: 'unigram: word frequencies alone' }),
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  if (folder !== undefined && existsSync(folder)) {
    const { records, baselines } = readReport(folder);
    const kept = records.filter(({ split }) => split === 'heldout').map((record) => ({ step: record.step, split: record.split, ...Object.fromEntries(FIELDS.map((name) => [name, Number(record[name]?.toFixed(4))])) }));
    writeFileSync(file('demo.json'), `${JSON.stringify({ unigramLoss: Number(baselines.unigramLoss.toFixed(4)), points: kept }, null, 1)}\n`);
  }
  for (const [name, svg] of Object.entries(curves(demo()))) writeFileSync(file(name), svg);
}
