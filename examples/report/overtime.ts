/**
 * One held-out sentence over the whole run, with the same words hidden each time: what the generator would put in the
 * gaps, as a table, and how much the discriminator suspects every token, as a heat map.
 */
import * as Plot from '@observablehq/plot';
import { count, escape } from './format.ts';
import { drawPlot, renderFigure } from './html.ts';
import type { PaintedSample, Word } from './sample.ts';
import { isContinuation, spread, withoutHashes } from './sample.ts';

const wordOf = (text: string) => escape(withoutHashes(text));

/** What stood in a gap, among the tokens around it. */
const contextOf = (words: readonly Word[], at: number): string => {
  const from = Math.max(0, at - 4);
  return words
    .slice(from, at + 5)
    .map(({ text, original = text }, i) => {
      const space = isContinuation({ text: original }) ? '' : ' ';
      return `${space}${from + i === at ? `<b class="gap">${wordOf(original)}</b>` : wordOf(original)}`;
    })
    .join('')
    .trim();
};

const renderGuesses = (word: Word): string => {
  const guesses = word.guesses ?? [];
  return `<td>${guesses
    .map(([text, p]) => {
      const right = text === word.original;
      return `<span class="guess${right ? ' right' : ''}" style="--p:${p.toFixed(3)}">${wordOf(text)} <small>${(100 * p).toFixed(0)} %${right ? '<span class="hear"> (right)</span>' : ''}</small></span>`;
    })
    .join('')}</td>`;
};

/** Rows are the gaps, columns the evaluations; a cell holds what the generator finds likeliest. */
const renderGuessTable = (samples: readonly PaintedSample[]): string => {
  const shown = spread(samples, 6);
  const { words } = shown[0];
  const gaps = words.flatMap(({ hidden, guesses }, i) => (hidden && guesses ? [i] : []));
  if (gaps.length === 0) return '';
  const rows = gaps.map((at) => `<tr><th scope="row">${contextOf(words, at)}</th>${shown.map((sample) => renderGuesses(sample.words[at])).join('')}</tr>`);
  return `<h3 class="above">What the generator would put there</h3>
<p class="soft">The words that were hidden, and its likeliest guesses after so many steps, with their probabilities. Green is what stood there. What it samples need not be its first guess.</p>
<div class="card scroll"><table class="guesses"><thead><tr><th scope="col">Hidden word</th>${shown.map(({ step }) => `<th scope="col">${count(step)}</th>`).join('')}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
};

/** In words: of the tokens that were replaced at the last evaluation, how suspect they are beside the others. */
const describeMap = ({ step, words }: PaintedSample): string => {
  const mean = (some: readonly Word[]) => `${Math.round((100 * some.reduce((total, { probability }) => total + probability, 0)) / some.length)} %`;
  const [replaced, others] = [words.filter((word) => word.replaced), words.filter((word) => !word.replaced)];
  if (replaced.length === 0 || others.length === 0) return '';
  return ` After ${count(step)} steps its mean suspicion is ${mean(replaced)} for replaced tokens and ${mean(others)} for the others.`;
};

const drawVerdicts = (samples: readonly PaintedSample[]): string => {
  const cells = samples.flatMap(({ step, words }) => words.map((word, token) => ({ step, token, ...word })));
  const { words } = samples[0];
  const name = (i: number) => withoutHashes(words[i].original ?? words[i].text);
  return drawPlot(`The discriminator’s suspicion of each token over time.${describeMap(samples[samples.length - 1])}`, {
    width: 1040,
    height: 46 + 19 * words.length,
    marginLeft: 110,
    marginRight: 8,
    marginTop: 34,
    marginBottom: 8,
    x: { type: 'band', domain: samples.map(({ step }) => step), axis: 'top', tickFormat: (step: number) => count(step), tickSize: 0, label: null, padding: 0.06 },
    y: { type: 'band', domain: words.map((_, i) => i), tickFormat: name, tickSize: 0, label: null, padding: 0.06 },
    opacity: { domain: [0, 1], range: [0, 1] },
    marks: [
      Plot.cell(cells, { x: 'step', y: 'token', fill: 'var(--heat)', fillOpacity: 'probability', stroke: 'var(--line)', strokeOpacity: 0.4 }),
      Plot.cell(cells.filter(({ replaced }) => replaced), { x: 'step', y: 'token', stroke: 'var(--edge)', strokeWidth: 1.5, inset: 1 }),
      Plot.text(cells.filter(({ replaced }) => replaced), { x: 'step', y: 'token', text: ({ text }: Word) => withoutHashes(text), fill: 'var(--ink)', fontSize: 9.5 }),
    ],
  });
};

/** The watched sentence over time; nothing when it was seen less than twice. */
export const renderOverTime = (samples: readonly PaintedSample[]): string => {
  const alike = samples.filter(({ words }) => words.length === samples[0].words.length);
  if (alike.length < 2) return '';
  const note = 'Rows are the tokens as they stood in the text, columns the steps. The colour is the suspicion; framed is what the generator had replaced, with the word it put there. A good discriminator colours the frames and nothing else.';
  return `<section>
<h2>One sentence over time</h2>
${renderGuessTable(alike)}
<div class="wide">${renderFigure('What the discriminator suspects', note, drawVerdicts(spread(alike, 13)))}</div>
</section>`;
};
