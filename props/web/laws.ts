/**
 * The laws in Chromium: those that need no files, in a bundled and minified page (laws/main.ts), on WebGPU, on `wasm` with
 * threads over shared memory in an isolated page, and on `wasm` without isolation. RUNS says how many random cases.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import { path, inChromium } from './chromium.ts';
import type { LawsOutcome } from './laws/main.ts';
// @ts-expect-error: build programs have no types
import { kernelSources } from '../../kernels/sources.mjs';

const { seed = 1 } = fc.readConfigureGlobal();
const runs = process.env.RUNS ?? '2';

const config = {
  root: path('props/web/laws'),
  configFile: false as const,
  plugins: [kernelSources()],
  define: { 'process.env.AMBER_DEVICE': 'globalThis.wanted', 'process.env.CI': 'undefined' },
};

for (const [device, isolate, threads] of [
  ['gpu', true, /^gpu/],
  ['wasm', true, /\d+ threads/],
  ['wasm', false, /one thread/],
] as const) {
  test(`the laws hold in Chromium on ${device}, ${isolate ? 'isolated' : 'not isolated'}`, () =>
    inChromium(config, isolate, async ({ page, url }) => {
      await page.goto(`${url}?device=${device}&seed=${seed}&runs=${runs}`);
      const outcome = await page.evaluate((): Promise<LawsOutcome> => globalThis.outcome);
      console.log(`\n  ${outcome.device}: ${outcome.passed} passed, ${outcome.failed} failed`);
      if (outcome.failed > 0) throw new Error(outcome.errors.join('\n'));
      if (outcome.passed === 0 || !threads.test(outcome.device))
        throw new Error(`${outcome.passed} laws ran, on ${outcome.device}`);
    }));
}

test.run();
