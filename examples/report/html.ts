/**
 * What all pages are made of: a document that needs nothing else, and pictures as static SVG, drawn by Observable Plot on
 * linkedom, a DOM without a browser. Colours are CSS variables of the page, so one drawing serves light, dark and print.
 */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escape } from './format.ts';
import { style } from './style.ts';

/** The whole page around its content. */
export const renderPage = (title: string, content: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${content}
</main>
</body>
</html>
`;

/** A picture as SVG; `label` says in words what it shows. */
export const drawPlot = (label: string, options: Plot.PlotOptions): string => {
  const { document } = parseHTML('<html><body></body></html>');
  const svg = Plot.plot({ ...options, document: document as unknown as Document });
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  return svg.outerHTML;
};

/** A picture in its frame: title, the sentence that says what to look for, a key if it needs one. */
export const renderFigure = (title: string, note: string, picture: string, keys: readonly string[] = []): string => `<figure>
<figcaption><h3>${escape(title)}</h3><p>${escape(note)}</p>${keys.length > 0 ? `<ul class="keys">${keys.map((key) => `<li>${key}</li>`).join('')}</ul>` : ''}</figcaption>
${picture}
</figure>`;
