/**
 * Gives every kernel its source as text. gpu.js reads a kernel from what its function prints, and a minifier leaves there
 * what gpu.js cannot read: comma operators, and one name for two variables. The build of the package does this to dist/;
 * a bundle that is made from the sources, like the page's, uses the plugin.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A JavaScript module of kernels, every exported function of which gets a property `source`. */
const withSources = (code) => {
  const functions = [...code.matchAll(/^export (function (\w+)\([\s\S]*?^})/gm)];
  return [code, ...functions.map(([, text, name]) => `${name}.source = ${JSON.stringify(text)};`), ''].join('\n');
};

/** The same for Vite. */
export const kernelSources = () => ({
  name: 'kernel-sources',
  transform: {
    filter: { id: /\/kernels\/\w+\.ts$/ },
    handler: (code) => ({ code: withSources(code), map: null }),
  },
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const dist = new URL('../dist/kernels/', import.meta.url);
  for (const file of readdirSync(dist).filter((file) => file.endsWith('.js'))) {
    writeFileSync(new URL(file, dist), withSources(readFileSync(new URL(file, dist), 'utf8')));
  }
}
