/** Laws of the page of examples/web in Chromium: it trains, its loss falls, nothing goes wrong, and devices agree. */
import type { Page } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inChromium, path } from './chromium.ts';

const config = { configFile: path('examples/web/vite.config.mjs') };

const stepsReach = (page: Page, least: number) =>
  page.waitForFunction((least) => Number(document.getElementById('steps')!.textContent) >= least, least, {
    timeout: 120_000,
  });
const stateIs = (page: Page, name: string) => page.waitForSelector(`body[data-state=${name}]`, { timeout: 120_000 });

/**
 * What the picture of the generator's loss says for those who hear it, "each step goes from A at step 1 to B at step n", once
 * it is drawn up to the step that is shown: pictures follow a moment later.
 */
const lossesOf = async (page: Page): Promise<[first: number, last: number]> => {
  await page.waitForFunction(() => document.querySelectorAll('#charts svg').length === 3);
  await page.waitForFunction(() => {
    const heard = document.querySelector('#charts svg')!.getAttribute('aria-label')!;
    return (
      heard.match(/each step goes from [\d.]+ at step 1 to [\d.]+ at step (\d+)/)?.[1] ===
      document.getElementById('steps')!.textContent
    );
  });
  const heard = await page.getAttribute('#charts svg', 'aria-label');
  const [, first, last] = heard!.match(/each step goes from ([\d.]+) at step 1 to ([\d.]+)/)!.map(Number);
  return [first, last];
};

for (const [isolate, description] of [
  [true, /relaxed SIMD, (\d+ threads|one thread)/],
  [false, /relaxed SIMD, one thread/],
] as const) {
  test(`the page trains twenty steps on wasm, ${isolate ? 'isolated' : 'not isolated'}, its loss falls, pause and step do as they say`, () =>
    inChromium(config, isolate, async ({ page, url, errors }) => {
      await page.goto(url);
      assert.is(await page.evaluate(() => crossOriginIsolated), isolate);
      await page.selectOption('#device', 'wasm');
      await page.click('#start');
      await stepsReach(page, 20);
      await page.click('#pause');
      await stateIs(page, 'paused');
      const before = Number(await page.textContent('#steps'));
      await page.click('#step');
      await stepsReach(page, before + 1);
      await stateIs(page, 'paused');
      assert.is(Number(await page.textContent('#steps')), before + 1);
      assert.match(String(await page.textContent('#status')), description);
      const [first, last] = await lossesOf(page);
      assert.ok(last < first, `${last} after ${first}`);
      assert.ok((await page.locator('#sentence .word.replaced').count()) > 0);
      assert.equal(errors, []);
    }));
}

test('the page trains twenty steps on WebGPU, its loss falls, and it is what the page computes on wasm', () =>
  inChromium(config, true, async ({ page, url, errors }) => {
    await page.goto(url);
    // A software adapter takes seconds a step, so the text, and with it the batch, is small.
    const text = await page.inputValue('#text');
    await page.fill('#text', text.slice(0, 2000));
    const losses: [first: number, last: number][] = [];
    for (const device of ['gpu', 'wasm']) {
      await page.selectOption('#device', device);
      await page.click('#start');
      await page.click('#pause');
      await stateIs(page, 'paused');
      while (Number(await page.textContent('#steps')) < 20) {
        await page.click('#step');
        await stateIs(page, 'paused');
      }
      assert.match(String(await page.textContent('#status')), `on ${device}`);
      losses.push(await lossesOf(page));
    }
    const [gpu, wasm] = losses;
    assert.ok(gpu[1] < gpu[0], `${gpu[1]} after ${gpu[0]}`);
    assert.ok(
      gpu.every((loss, i) => Math.abs(loss - wasm[i]) <= 0.02),
      `${losses}`,
    );
    assert.equal(errors, []);
  }));

test('a text that is empty or too short is refused in words, and the page goes on', () =>
  inChromium(config, true, async ({ page, url, errors }) => {
    await page.goto(url);
    for (const [text, says] of [
      ['  ', /no text/],
      ['A few words. And a few more.', /too short/],
    ] as const) {
      await page.fill('#text', text);
      await page.click('#start');
      await page.waitForFunction(
        (says) => new RegExp(says).test(document.getElementById('error')!.textContent!),
        says.source,
      );
    }
    await page.waitForSelector('body[data-state=new]');
    assert.equal(errors, []);
  }));

test.run();
