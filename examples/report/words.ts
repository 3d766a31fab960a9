/**
 * Samples on the page. A word is coloured by how surely the discriminator calls it replaced, and boxed if it was; so a
 * coloured box is a hit, an empty box a miss, colour without a box a false alarm. What a word replaced stands above it.
 */
import { count, escape } from './format.ts';
import type { PaintedSample, Word } from './sample.ts';
import { isContinuation, spread, verdictOf, withoutHashes } from './sample.ts';

const renderWord = (word: Word): string => {
  const text = escape(withoutHashes(word.text));
  const suspicion = `${Math.round(100 * word.probability)} % replaced`;
  const verdict = verdictOf(word);
  const original = escape(withoutHashes(word.original ?? word.text));
  const classes = ['word', word.hidden ? 'hidden' : '', word.replaced ? 'replaced' : ''].filter(Boolean).join(' ');
  const shown = word.replaced ? `<ruby>${text}<rt aria-hidden="true">${original}</rt></ruby>` : text;
  const heard = word.replaced
    ? ` (put in place of “${original}”; ${suspicion}: ${verdict})`
    : word.hidden
      ? ` (hidden and guessed right; ${suspicion})`
      : verdict === undefined
        ? ''
        : ` (${suspicion}: ${verdict})`;
  const hear = heard === '' ? '' : `<span class="hear">${heard}</span>`;
  const space = isContinuation(word) ? '' : ' ';
  return `${space}<span class="${classes}" style="--p:${word.probability.toFixed(2)}" title="${suspicion}">${shown}${hear}</span>`;
};

const renderSample = ({ step, words }: PaintedSample): string =>
  `<div class="sample"><h3>after ${count(step)} steps</h3><p class="words">${words.map(renderWord).join('').trim()}</p></div>`;

const LEGEND: [Word, string][] = [
  [{ text: 'generated', original: 'original', hidden: true, replaced: true, probability: 0.95 }, 'replaced and caught'],
  [{ text: 'generated', original: 'original', hidden: true, replaced: true, probability: 0.05 }, 'replaced and missed'],
  [{ text: 'word', hidden: true, replaced: false, probability: 0.05 }, 'hidden and guessed right'],
  [{ text: 'word', hidden: false, replaced: false, probability: 0.9 }, 'untouched: a false alarm'],
];

/** The samples of a run under a legend, at most four of them. */
export const renderSamples = (samples: readonly PaintedSample[]): string => {
  if (samples.length === 0) return '';
  const signs = LEGEND.map(([word, meaning]) => `<span>${renderWord(word)} ${meaning}</span>`);
  return `<section>
<h2>What it sees</h2>
<p class="soft">Held-out text, never trained on. Some words were hidden; the generator filled the gaps, and the discriminator judged every word. Its suspicion is the colour.</p>
<div class="sample legend" role="note"><p class="words">${signs.join('')}<span>surely original<span class="scale"></span>surely replaced</span></p></div>
${spread(samples, 4).map(renderSample).join('\n')}
</section>`;
};
