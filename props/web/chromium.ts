/**
 * A page in Chromium: the Chromium that is installed (as `chromium`, `chromium-browser` or `google-chrome`, or what
 * CHROMIUM names), headless, its WebGPU on the software adapter that it brings; and a server of a built page, which
 * isolates it from other pages or does not. Where there is no Chromium, laws are skipped; in CI that is a failure.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import type { InlineConfig } from 'vite';
import { build, preview } from 'vite';
import { skip } from '../laws/present.ts';

const names = process.env.CHROMIUM ? [process.env.CHROMIUM] : ['chromium', 'chromium-browser', 'google-chrome'];
const found = names
  .map((name) => spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim())
  .find((path) => path !== '');

const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const OPEN = { 'Cross-Origin-Opener-Policy': 'unsafe-none', 'Cross-Origin-Embedder-Policy': 'unsafe-none' };

/** A path of this checkout. */
export const path = (fromRoot: string): string => fileURLToPath(new URL(`../../${fromRoot}`, import.meta.url));

export interface Visit {
  readonly page: Page;
  readonly url: string;
  /** What went wrong in the page: errors on its console, and those that nobody caught. */
  readonly errors: string[];
}

/** Builds the page that `config` describes, and lets `look` visit it; skips where there is no Chromium. */
export const inChromium = async (
  config: InlineConfig,
  isolate: boolean,
  look: (visit: Visit) => Promise<void>,
): Promise<void> => {
  if (found === undefined) {
    if (process.env.CI)
      throw new Error(`no Chromium was found as ${names.join(', ')}; install it, or name it in CHROMIUM`);
    return skip('Chromium is not installed, so no page was run');
  }
  const outDir = mkdtempSync(join(tmpdir(), 'amber-page-'));
  await build({
    ...config,
    logLevel: 'warn',
    build: { target: 'es2022', chunkSizeWarningLimit: 700, outDir, emptyOutDir: true },
  });
  const server = await preview({
    ...config,
    logLevel: 'warn',
    build: { outDir },
    preview: { port: 0, headers: isolate ? ISOLATED : OPEN },
  });
  const browser = await chromium.launch({
    executablePath: found,
    args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
  });
  try {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(error.message));
    await look({ page, url: server.resolvedUrls!.local[0], errors });
  } finally {
    await browser.close();
    await server.close();
    rmSync(outDir, { recursive: true, force: true });
  }
};
