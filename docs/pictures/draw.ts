/**
 * Draws the diagrams of the docs as SVG: `npx tsx docs/pictures/draw.ts`. A diagram is a list of boxes, arrows and notes;
 * its colours follow the reader's light or dark setting.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const escape = (text: string) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** The colours of all pictures, by the reader's setting. */
export const COLOURS = `
  svg { --page: #fbf9f5; --card: #fff; --mark: #736a5e; --ink: #231f1a; --soft: #6f675d; --line: #cfc5b6; --amber: #a55c00; --blue: #2f6fb3; --edge: #b8430c; --tint: #fdf0dd; --cool: #e8f0f9; }
  @media (prefers-color-scheme: dark) { svg { --page: #16130f; --card: #1f1b16; --mark: #978c7e; --ink: #ece5da; --soft: #a79d90; --line: #4a4138; --amber: #f0a63a; --blue: #74aee8; --edge: #ff9a62; --tint: #3a2a12; --cool: #1b2a3a; } }`;

const STYLE = `${COLOURS}
  text { font: 14px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; fill: var(--ink); }
  .soft { fill: var(--soft); font-size: 12.5px; } .head { font-weight: 650; } .back { fill: var(--amber); }
  .card { fill: var(--card); stroke: var(--line); } .tint { fill: var(--tint); stroke: var(--amber); } .cool { fill: var(--cool); stroke: var(--blue); } .hot { fill: var(--card); stroke: var(--edge); stroke-width: 2; }
  .forward { stroke: var(--soft); fill: none; stroke-width: 1.5; marker-end: url(#forward); }
  .backward { stroke: var(--amber); fill: none; stroke-width: 1.8; stroke-dasharray: 5 4; marker-end: url(#backward); }
  .stop { stroke: var(--edge); stroke-width: 2.5; }`;

const arrowHead = (id: string, colour: string) =>
  `<marker id="${id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse" markerUnits="userSpaceOnUse"><path d="M0 0 8 4 0 8z" fill="var(--${colour})"/></marker>`;

const picture = (title: string, about: string, width: number, height: number, parts: readonly string[]) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title about">
<title id="title">${escape(title)}</title>
<desc id="about">${escape(about)}</desc>
<style>${STYLE}
</style>
<defs>${arrowHead('forward', 'soft')}${arrowHead('backward', 'amber')}</defs>
<rect width="${width}" height="${height}" rx="14" fill="var(--page)"/>
${parts.join('\n')}
</svg>
`;

/** Lines of text around a middle. */
const note = (x: number, y: number, lines: string | readonly string[], kind = '', anchor = 'middle') =>
  [lines].flat().map((line, i, all) => `<text x="${x}" y="${y + 5 + 18 * (i - (all.length - 1) / 2)}" text-anchor="${anchor}" class="${kind}">${escape(line)}</text>`).join('');

/** A box by its middle; the first line is its head where there are several. */
const box = (x: number, y: number, w: number, h: number, lines: string | readonly string[], kind = 'card') => {
  const [first, ...rest] = [lines].flat();
  const from = y - 9 * rest.length;
  const text = [note(x, from, first, rest.length > 0 ? 'head' : ''), ...rest.map((line, i) => note(x, from + 18 * (i + 1), line, 'soft'))];
  return `<rect x="${x - w / 2}" y="${y - h / 2}" width="${w}" height="${h}" rx="7" class="${kind}"/>${text.join('')}`;
};

const arrow = (kind: 'forward' | 'backward', ...points: readonly (readonly [number, number])[]) =>
  `<path class="${kind}" d="M${points.map(([x, y]) => `${x} ${y}`).join('L')}"/>`;

const WORDS = ['the', 'chef', 'cooked', 'the', 'meal'];
const row = (i: number) => 122 + 46 * i;

const electraStep = (): string => {
  const column = (x: number, words: readonly string[], kind: (i: number) => string) => words.map((word, i) => box(x, row(i), 88, 32, word, kind(i)));
  const heads = [[66, 'text'], [186, 'hidden'], [506, 'corrupted'], [832, 'verdicts']] as const;
  const chosen = (i: number) => i === 0 || i === 2;
  return picture(
    'One step of ELECTRA',
    'Of the text “the chef cooked the meal”, “the” and “cooked” are hidden. The generator guesses them; samples of its guesses, “the” and “ate”, are put in. The discriminator says of every word whether it was replaced: only “ate” was, for “the” was a lucky guess and counts as original. Gradients of the generator’s loss reach the generator and the shared embeddings, those of the discriminator’s loss the discriminator and the shared embeddings; none crosses the sampling.',
    900,
    480,
    [
      ...heads.map(([x, head]) => note(x, 82, head, 'soft')),
      ...column(66, WORDS, () => 'card'),
      ...column(186, ['[MASK]', 'chef', '[MASK]', 'the', 'meal'], (i) => (chosen(i) ? 'tint' : 'card')),
      ...column(506, ['the', 'chef', 'ate', 'the', 'meal'], (i) => (i === 2 ? 'hot' : chosen(i) ? 'tint' : 'card')),
      ...['original', 'original', 'replaced', 'original', 'original'].map((verdict, i) => box(832, row(i), 88, 32, verdict, i === 2 ? 'hot' : 'card')),
      ...WORDS.map((_, i) => arrow('forward', [110, row(i)], [141, row(i)])),
      ...WORDS.map((_, i) => arrow('forward', [230, row(i)], [263, row(i)])),
      ...WORDS.map((_, i) => arrow('forward', [550, row(i)], [607, row(i)])),
      ...WORDS.map((_, i) => arrow('forward', [736, row(i)], [787, row(i)])),
      box(324, row(2), 118, 222, ['Generator', 'a small masked', 'language model'], 'cool'),
      box(672, row(2), 128, 222, ['Discriminator', 'the encoder', 'one keeps'], 'tint'),
      ...[0, 2].flatMap((i) => [arrow('forward', [383, row(i)], [461, row(i)]), `<path class="stop" d="M422 ${row(i) - 9}v18"/>`]),
      note(422, row(1), ['sample:', 'no gradient'], 'soft'),
      box(324, 34, 190, 44, ['loss L_MLM', 'at the hidden places'], 'card'),
      box(672, 34, 190, 44, ['loss L_Disc', 'at every word'], 'card'),
      arrow('backward', [324, 58], [324, 101]),
      arrow('backward', [672, 58], [672, 101]),
      box(498, 388, 476, 44, ['Shared embeddings', 'words, positions, segments and their layer norm'], 'card'),
      arrow('backward', [310, 326], [310, 364]),
      arrow('backward', [686, 326], [686, 364]),
      arrow('forward', [340, 364], [340, 328]),
      arrow('forward', [656, 364], [656, 328]),
      note(498, 436, 'what is minimised: L_MLM + λ · L_Disc, λ = 50'),
      arrow('forward', [40, 462], [90, 462]), note(100, 462, 'values', 'soft', 'start'),
      arrow('backward', [170, 462], [220, 462]), note(230, 462, 'gradients', 'soft', 'start'),
      `<path class="stop" d="M330 453v18"/>`, note(342, 462, 'where they stop: sampling has no slope, and this is no GAN', 'soft', 'start'),
    ],
  );
};

const reverseMode = (): string => {
  const nodes: [x: number, y: number, text: readonly string[], slope: string][] = [
    [80, 70, ['w = 3'], 'dL/dw = x · 4 = 8'],
    [80, 190, ['x = 2'], 'dL/dx = w · 4 = 12'],
    [290, 130, ['a = w · x', '6'], 'dL/da = 4'],
    [290, 250, ['b = 1'], 'dL/db = 4'],
    [490, 190, ['p = a + b', '7'], 'dL/dp = 4'],
    [490, 310, ['y = 5'], 'dL/dy = −4'],
    [670, 250, ['e = p − y', '2'], 'dL/de = 2 · e = 4'],
    [830, 250, ['L = e²', '4'], 'dL/dL = 1'],
  ];
  const edges: [number, number][] = [[0, 2], [1, 2], [2, 4], [3, 4], [4, 6], [5, 6], [6, 7]];
  const [half, gap] = [52, 6];
  const lines = edges.flatMap(([from, to]) => {
    const [[x, y], [u, v]] = [nodes[from], nodes[to]];
    const [x0, x1] = [x + half, u - half];
    return [arrow('forward', [x0, y - gap], [x1 - 2, v - gap]), arrow('backward', [x1, v + gap], [x0 + 2, y + gap])];
  });
  return picture(
    'Reverse mode on a small graph',
    'L = (w · x + b − y)² at w = 3, x = 2, b = 1, y = 5. Forward, values are computed: a = 6, p = 7, e = 2, L = 4. Backward, each node hands dL/dnode to its inputs: 1 at L, 4 at e, p, a and b, −4 at y, 8 at w and 12 at x.',
    910,
    400,
    [
      ...lines,
      ...nodes.map(([x, y, text]) => box(x, y, 2 * half, text.length > 1 ? 46 : 34, text, 'card')),
      ...nodes.map(([x, y, text, slope]) => note(x, y + (text.length > 1 ? 38 : 32), slope, 'back')),
      arrow('forward', [40, 376], [90, 376]), note(100, 376, 'values, written on the tape as they are computed', 'soft', 'start'),
      arrow('backward', [440, 376], [490, 376]), note(500, 376, 'dL/d…, as each vjp hands it to its inputs, last node first', 'soft', 'start'),
    ],
  );
};

const layers = (): string => {
  const band = (y: number, head: string, about: string, kind = 'card') =>
    `<rect x="40" y="${y - 27}" width="560" height="54" rx="7" class="${kind}"/>${note(60, y, head, 'head', 'start')}${note(586, y, about, 'soft', 'end')}`;
  const devices: [string, string][] = [['wasm', 'SIMD, all cores'], ['gpu', 'WGSL on WebGPU'], ['cpu', 'plain JavaScript'], ['reference', 'the definitions']];
  const rows: [head: string, about: string, kind?: string][] = [
    ['examples/', 'the programs: pre-train, report'],
    ['lib/electra/', 'mask, generator, discriminator, step', 'tint'],
    ['lib/nn/ · optim/ · text/ · io/', 'layers, Adam, WordPiece, files'],
    ['lib/ops/', 'one declaration each: shape, reference, kernel, vjp'],
    ['lib/grad.ts', 'the tape: which operations, walked backwards'],
    ['lib/tensor.ts · op.ts', 'a shape now, a buffer eventually'],
    ['kernels/device/queue.ts', 'one list: write, launch, read, free', 'cool'],
  ];
  return picture(
    'The layers of Amber',
    `From top to bottom: ${rows.map(([head, about]) => `${head} (${about})`).join('; ')}; and below the queue the devices ${devices.map(([name, about]) => `${name} (${about})`).join(', ')}. Each layer uses only those below it.`,
    640,
    590,
    [
      ...rows.map(([head, about, kind], i) => band(48 + 66 * i, head, about, kind)),
      ...rows.slice(1).map((_, i) => arrow('forward', [320, 75 + 66 * i], [320, 86 + 66 * i])),
      ...devices.flatMap(([name, about], i) => [arrow('forward', [104 + 144 * i, 472], [104 + 144 * i, 498]), box(104 + 144 * i, 526, 128, 54, [name, about], 'card')]),
      note(320, 572, 'Each layer uses only those below it. Only the devices compute.', 'soft'),
    ],
  );
};

export const diagrams = { 'step.svg': electraStep(), 'reverse-mode.svg': reverseMode(), 'layers.svg': layers() };

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, svg] of Object.entries(diagrams)) writeFileSync(new URL(name, import.meta.url), svg);
}
