/** What a trained model looks like inside: where its attention heads look, and which words it holds alike. */
import * as Plot from '@observablehq/plot';
import { escape } from './format.ts';
import { drawPlot, renderFigure } from './html.ts';
import { withoutHashes } from './sample.ts';

export interface Head {
  /** Counted from 1. */
  readonly layer: number;
  readonly head: number;
  /** Mean entropy of its rows, in nats. */
  readonly entropy: number;
  /** [query][key]; each row sums to 1. */
  readonly weights: readonly number[][];
}

export interface AttentionMaps {
  readonly tokens: readonly string[];
  /** How many heads the network has. */
  readonly of: number;
  readonly heads: readonly Head[];
}

/** A word and the tokens whose vectors point most nearly the same way, with the cosine. */
export interface Neighbourhood {
  readonly word: string;
  readonly near: readonly (readonly [text: string, cosine: number])[];
}

/** Where the strongest look of a row falls, on average: how many places away. */
const offsetOf = (weights: readonly number[][]): { offset: number; share: number } => {
  const offsets = weights.map((row, i) => row.indexOf(Math.max(...row)) - i);
  const counts = new Map<number, number>();
  for (const offset of offsets) counts.set(offset, (counts.get(offset) ?? 0) + 1);
  const [offset, times] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
  return { offset, share: times / weights.length };
};

/** What a head mostly does, in a sentence. */
const describeHead = ({ weights, entropy }: Head): string => {
  const { offset, share } = offsetOf(weights);
  const places = Math.abs(offset) === 1 ? 'the token' : `the token ${Math.abs(offset)} places`;
  const where = offset === 0 ? 'at the token itself' : `at ${places} ${offset < 0 ? 'before' : 'after'}`;
  const spread = `Spread like an even look at ${Math.exp(entropy).toFixed(1)} tokens.`;
  return share >= 0.5 ? `${Math.round(100 * share)} % of the tokens look most ${where}. ${spread}` : spread;
};

const drawHead = (tokens: readonly string[], head: Head): string => {
  const cells = head.weights.flatMap((row, query) => row.map((weight, key) => ({ query, key, weight })));
  const name = (i: number) => withoutHashes(tokens[i]);
  const { length } = tokens;
  const places = tokens.map((_, i) => i);
  return drawPlot(`Attention of head ${head.head} in layer ${head.layer}: ${describeHead(head)}`, {
    width: 360,
    height: 360,
    marginLeft: 74,
    marginTop: 70,
    marginRight: 6,
    marginBottom: 6,
    x: { domain: places, axis: 'top', tickFormat: name, tickRotate: -60, tickSize: 0, label: null, padding: 0 },
    y: { domain: places, tickFormat: name, tickSize: 0, label: null, padding: 0 },
    opacity: { domain: [0, 1], range: [0, 1] },
    style: { fontSize: `${Math.max(7, Math.min(10, 270 / length))}px` },
    marks: [
      Plot.frame({ stroke: 'var(--line)' }),
      Plot.cell(cells.filter(({ weight }) => weight >= 0.01), { x: 'key', y: 'query', fill: 'var(--amber)', fillOpacity: 'weight' }),
    ],
  });
};

export const renderAttention = ({ tokens, of, heads }: AttentionMaps): string =>
  heads.length === 0
    ? ''
    : `<section>
<h2>Where it looks</h2>
<p class="soft">The discriminator’s attention in the watched sentence, generated words and all, at the end of the run. Each row is a token that asks, each column one that is looked at; a row’s colours add up to one. ${heads.length < of ? `Of ${of} heads, the ${heads.length} that spread their attention least.` : `All ${of} heads.`}</p>
<div class="maps">
${heads.map((head) => renderFigure(`Layer ${head.layer}, head ${head.head}`, describeHead(head), drawHead(tokens, head))).join('\n')}
</div>
</section>`;

const shown = (text: string) => (text.length > 2 && text.startsWith('##') ? `…${text.slice(2)}` : text);

const renderNear = ([text, cosine]: readonly [string, number]) => `<td>${escape(shown(text))} <span class="soft">${cosine.toFixed(2).replace('-', '−')}</span></td>`;

/** Most frequent words, each with its nearest tokens. */
export const renderNeighbourhoods = (all: readonly Neighbourhood[]): string =>
  all.length === 0
    ? ''
    : `<section>
<h2>What it holds alike</h2>
<p class="soft">The most frequent words of four letters or more, and the tokens whose vectors in the word table, which both networks share, point most nearly the same way. The number is the cosine: 1 for the same direction, 0 for none in common. A “…” continues a word.</p>
<div class="card scroll"><table class="near"><thead><tr><th scope="col">Word</th><th scope="col" colspan="${Math.max(...all.map(({ near }) => near.length))}">Nearest tokens, the nearest first</th></tr></thead>
<tbody>${all.map(({ word, near }) => `<tr><th scope="row">${escape(word)}</th>${near.map(renderNear).join('')}</tr>`).join('\n')}</tbody></table></div>
</section>`;
