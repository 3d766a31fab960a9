/**
 * Laws of what a bundler finds: from lib/index.ts no import leads to Node, nor to a package that is not made for the web too, and every kernel
 * keeps its source through a minifier.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { transformWithOxc } from 'vite';
// @ts-expect-error: build programs have no types
import { kernelSources } from '../kernels/sources.mjs';

/** Every import of a source that is not erased, static or dynamic, by its text. */
const importsOf = (source: string): string[] => {
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '').replace(/^(import|export) type [^;]*;/gm, '').replace(/typeof import\([^)]*\)/g, '');
  return [...code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"]+)\1/g)].map(([, , name]) => name);
};

test('the graph of lib/index.ts holds no built-in module of Node, and no package but gpu.js and the web build of csv-parse', () => {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const visit = (url: URL): void => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    if (!url.href.endsWith('.ts') || !existsSync(url)) return;
    for (const name of importsOf(readFileSync(url, 'utf8'))) {
      if (name.startsWith('.')) visit(new URL(name, url));
      else packages.add(name);
    }
  };
  visit(new URL('../lib/index.ts', import.meta.url));
  assert.ok([...seen].some((file) => file.endsWith('/kernels/device/wasm/worker.ts')), 'the walk reached the devices');
  assert.equal([...packages].sort(), ['csv-parse/browser/esm/sync', 'gpu.js']);
});

test('a kernel carries its own source, word for word', async () => {
  const file = fileURLToPath(new URL('../kernels/gelu.ts', import.meta.url));
  const { code } = await transformWithOxc(readFileSync(file, 'utf8'), file);
  const module = (await import(`data:text/javascript,${encodeURIComponent(kernelSources().transform.handler(code).code)}`)) as Record<string, Function & { source?: string }>;
  const functions = Object.values(module).filter((value) => typeof value === 'function');
  assert.ok(functions.length > 0);
  for (const kernel of functions) assert.is(kernel.source, kernel.toString());
});

test.run();
