/**
 * What devices take from Node where they run in it: built-in modules, the package `webgpu`, the compiler of our kernels.
 * Everything here is asked for by names that bundlers do not follow, so nothing of it gets into a page.
 */

interface NodeModules {
  readonly 'node:fs': typeof import('node:fs');
  readonly 'node:os': typeof import('node:os');
  readonly 'node:v8': typeof import('node:v8');
  readonly 'node:worker_threads': typeof import('node:worker_threads');
  readonly webgpu: typeof import('webgpu');
}

export const inNode = (): boolean => typeof process !== 'undefined' && process.versions?.node !== undefined;

/** Imports a module that only Node has. */
export const nodeModule = <Name extends keyof NodeModules>(name: Name): Promise<NodeModules[Name]> => import(/* @vite-ignore */ /* webpackIgnore: true */ name);

/** In a checkout, brings the compiled kernels up to date; an installed package has no compiler and needs none. */
export const rebuildKernels = async (): Promise<void> => {
  const script = new URL(['..', 'fast', 'wasm', 'build.mjs'].join('/'), import.meta.url);
  const { existsSync } = await nodeModule('node:fs');
  if (existsSync(script)) await ((await import(/* @vite-ignore */ /* webpackIgnore: true */ script.href)) as { build(): Promise<void> }).build();
};
