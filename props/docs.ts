/**
 * Laws of the README and the pages in docs/: links lead somewhere, pictures are what their source draws and can be heard,
 * and the formulas and tables are right.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { curves, demo } from '../docs/pictures/curves.ts';
import { diagrams } from '../docs/pictures/draw.ts';
import { entropyOf } from '../examples/report/format.ts';
import { publishedSmall } from '../examples/report/reference.ts';
import { add, grad, mul, square, sub, tensor } from '../lib/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const docs = readdirSync(join(root, 'docs'));
const pages = ['README.md', ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];

/** Headings as the places that links name. */
const anchors = (page: string): string[] =>
  [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  );

test('every link of the README and the docs leads to a file that is there, and to a heading that is in it', () => {
  for (const page of pages) {
    for (const [, target] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path, anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      assert.ok(existsSync(join(root, file)), `${page}: ${target}`);
      if (anchor !== undefined) assert.ok(anchors(read(file)).includes(anchor), `${page}: ${target}`);
    }
  }
});

test('every picture of the docs is what its source draws, with a title, and every page that shows one says what is on it', () => {
  for (const [name, svg] of Object.entries({ ...diagrams, ...curves(demo()) })) {
    assert.is(read(`docs/pictures/${name}`), svg, `${name}: run npx tsx docs/pictures/draw.ts and curves.ts`);
    const { document } = parseHTML(svg);
    assert.is(document.querySelector('svg')?.getAttribute('role'), 'img');
    assert.ok((document.querySelector('title')?.textContent ?? '') !== '');
    assert.not.match(svg.replaceAll('http://www.w3.org/', ''), /https?:|<script|NaN|undefined/);
  }
  for (const page of pages) {
    for (const [, alt] of read(page).matchAll(/!\[([^\]]*)\]/g)) assert.ok(alt.length > 40, `${page}: ${alt}`);
  }
});

test('one who answers the same to everything pays at least H(p), and exactly that by answering p', () => {
  const inside = fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true });
  fc.assert(
    fc.property(inside, inside, (p, q) => {
      const paid = (answer: number) => -p * Math.log(answer) - (1 - p) * Math.log(1 - answer);
      assert.ok(paid(q) >= entropyOf(p) - 1e-9);
      assert.ok(Math.abs(paid(p) - entropyOf(p)) < 1e-9);
    }),
  );
  assert.is(entropyOf(0.1074).toFixed(3), '0.341');
});

test('the slopes in the picture of reverse mode are those that grad finds', async () => {
  const at = (x: number) => tensor([x], []);
  const slopes = grad(({ w, x, b, y }: Record<'w' | 'x' | 'b' | 'y', ReturnType<typeof at>>) =>
    square(sub(add(mul(w, x), b), y)),
  )({
    w: at(3),
    x: at(2),
    b: at(1),
    y: at(5),
  });
  const found = await Promise.all([slopes.w, slopes.x, slopes.b, slopes.y].map((slope) => slope.item()));
  assert.equal(found, [8, 12, 4, -4]);
});

/** The rows of a page's tables whose first cell is a number, as numbers. */
const rowsOf = (page: string): number[][] =>
  [...read(page).matchAll(/^\| ([\d,]+ \|.*)\|$/gm)].map(([, row]) =>
    row.split('|').map((cell) => Number(cell.replaceAll(',', ''))),
  );

test('the curves in the tables of docs/losses.md are those that were published and measured', () => {
  const [published, measured] = [
    rowsOf('docs/losses.md').slice(0, publishedSmall.length),
    rowsOf('docs/losses.md').slice(publishedSmall.length),
  ];
  assert.equal(
    published,
    publishedSmall.map(({ step, loss, mlmLoss, rtdLoss, rtdAuc }) => [step, loss, mlmLoss, rtdLoss, rtdAuc]),
  );
  assert.ok(measured.length > 5);
  for (const [step, ...numbers] of measured) {
    const point = demo().points.find((one) => one.step === step)!;
    [point.loss, point.mlmLoss, point.mlmMaskedLoss, point.rtdLoss, point.rtdAuc].forEach((value, i) => {
      assert.ok(
        Math.abs(value! - numbers[i]) <= (i < 3 ? 0.00501 : 0.000501),
        `step ${step}: ${numbers[i]} for ${value}`,
      );
    });
  }
});

test('the losses that docs/losses.md expects at step 0 are ln V, ln 2 and their weighted sum', () => {
  const page = read('docs/losses.md');
  for (const [words, shown] of [
    [1000, ['6.91', '41.6']],
    [30522, ['10.33', '45.0']],
  ] as const) {
    assert.equal([Math.log(words).toFixed(2), (Math.log(words) + 50 * Math.LN2).toFixed(1)], shown);
    for (const number of shown) assert.ok(page.includes(number));
  }
});

test.run();
