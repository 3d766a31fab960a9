/**
 * How the page is served (`npm run web`) and built (`npm run web:build`). The two headers isolate it from other pages,
 * without which browsers lend no shared memory to threads; the page works without them too, on one thread.
 */
import { fileURLToPath } from 'node:url';
import { build } from '../../kernels/fast/wasm/build.mjs';
import { kernelSources } from '../../kernels/sources.mjs';

const isolated = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default async () => {
  await build();
  return {
    root: here('.'),
    base: './',
    // Reports are drawn on a DOM without a browser; the page has its own.
    resolve: { alias: { linkedom: here('dom.ts') } },
    plugins: [kernelSources()],
    worker: { format: 'es', plugins: () => [kernelSources()] },
    server: { headers: isolated },
    preview: { headers: isolated },
    build: { target: 'es2022', chunkSizeWarningLimit: 700 },
  };
};
