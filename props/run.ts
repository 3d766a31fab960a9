/**
 * The one test runner: `npm test` runs every file under props/ that imports uvu, `npm test -- softmax` those whose path
 * contains the word, and `npm run test:web` those under props/web, which need Chromium. It prints each law as it is checked, then which generic laws held for which operation on which
 * device, and, as its last line, `N passed, N failed`. It fails when a law fails, when a cell of that table is missing,
 * when a file forgets `test.run()` (of which uvu itself says nothing), and when nothing ran.
 *
 * SEED and RUNS choose the random cases, AMBER_DEVICE the device; a failure prints the line that replays it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { devices } from '../kernels/device/choose.ts';
import { openQueue, runFile } from './laws/queue.ts';

// Vulkan drivers ask for this folder; without it a software adapter does not answer.
process.env.XDG_RUNTIME_DIR ??= tmpdir();
openQueue();

const here = fileURLToPath(new URL('.', import.meta.url));
const words = process.argv.slice(2);
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const chosenRuns = process.env.RUNS === undefined ? {} : { numRuns: Number(process.env.RUNS) };
fc.configureGlobal({ seed, includeErrorInReport: true, ...chosenRuns });

const { test } = await import('uvu');
const { coverage } = await import('./laws/coverage.ts');
const { skips } = await import('./laws/present.ts');

const device = devices.find((name) => name === process.env.AMBER_DEVICE) ?? 'wasm';

/** The files that hold laws, by path from here. */
const files = readdirSync(here, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  .filter((file) => /from 'uvu'/.test(readFileSync(join(here, file), 'utf8')))
  .filter((file) => words.length > 0 || !file.startsWith('web/'))
  .filter((file) => words.every((word) => `props/${file}`.includes(word)))
  .sort();

let passed = 0;
let failed = 0;
let skipped = 0;
const failedFiles: string[] = [];

const fail = (file: string, message: string) => {
  failed++;
  failedFiles.push(file);
  console.log(`\n  FAIL ${message}`);
};

/** The title of the law at work. uvu writes a mark behind it. */
let title = '';
const announce = ({ __test__ }: Record<string, unknown>) => {
  if (title === __test__) return;
  title = String(__test__);
  process.stdout.write(`\n  ${title} `);
};

const run = async (file: string) => {
  console.log(`\nprops/${file}`);
  const path = join(here, file);
  title = '';
  test.before.each(announce);
  const outcome = await runFile(file, () => import(pathToFileURL(path).href), device);
  if (outcome.runs === 0 || !/\.run\(\);$/.test(readFileSync(path, 'utf8').trimEnd())) {
    fail(file, 'the file does not end with test.run();, so its laws, or some of them, would not run');
  }
  passed += outcome.passed;
  failed += outcome.total - outcome.passed;
  skipped += outcome.skipped;
  for (const errors of outcome.errors) {
    failedFiles.push(file);
    console.log(`\n${errors}`);
  }
  if (outcome.total === 0) fail(file, 'no law ran');
};

const started = performance.now();
console.log(`amber: laws of ${files.length} files, random cases from SEED=${seed}`);
for (const file of files)
  await run(file).catch((error) => fail(file, (error as Error).stack ?? String(error)));
if (passed + failed === 0) fail(words.join(' '), `no law was found for '${words.join(' ')}'`);

const { table, missing } = coverage();
if (table !== '') console.log(`\n${table}`);
for (const cell of missing) fail('laws/every.ts', `${cell} was not checked`);

for (const [why, count] of skips) {
  console.log(`skipped ${count}: ${why}`);
  skipped += count;
}
const runs = process.env.RUNS === undefined ? '' : `RUNS=${process.env.RUNS} `;
const chosen = process.env.AMBER_DEVICE === undefined ? '' : `AMBER_DEVICE=${process.env.AMBER_DEVICE} `;
for (const file of new Set(failedFiles)) console.log(`to replay: SEED=${seed} ${runs}${chosen}npm test -- ${file}`);
console.log(`took ${((performance.now() - started) / 1000).toFixed(0)} s`);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 ? 1 : 0);
