/**
 * Compiles the AssemblyScript kernels to WebAssembly, once plain and once with relaxed SIMD (fused multiply-add), into
 * JavaScript modules that hold it as text, next to the sources and in dist where there is one. Does nothing when the
 * result is newer than every source.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync, copyFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';

const here = dirname(fileURLToPath(import.meta.url));
const assembly = join(here, 'assembly');
const variants = { 'simd128.mjs': [], 'relaxed.mjs': ['--enable', 'relaxed-simd'] };

const time = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0);

const compile = async (name, flags) => {
  const { default: asc } = await import('assemblyscript/asc');
  // Others may be compiling the same: each writes a file of its own, and what is complete takes its place at once.
  const unfinished = `${name}.${randomUUID()}`;
  let binary;
  const settings =
    '-O3 --runtime stub --noAssert --bindings none --importMemory --sharedMemory --initialMemory 1 --maximumMemory 65536 ' +
    '--memoryBase 1024 --exportTable --enable simd --enable threads --enable bulk-memory';
  const { error, stderr } = await asc.main([join(assembly, 'index.ts'), '-o', 'kernels.wasm', ...settings.split(' '), ...flags], {
    writeFile: (_, contents) => void (binary = contents),
  });
  if (error) throw new Error(`assemblyscript: ${error.message}\n${stderr}`);
  writeFileSync(join(here, unfinished), `export const base64 = '${Buffer.from(binary).toString('base64')}';\n`);
  renameSync(join(here, unfinished), join(here, name));
};

/** Brings the compiled kernels up to date. */
export const build = async () => {
  const newest = Math.max(...readdirSync(assembly).map((file) => time(join(assembly, file))));
  for (const [name, flags] of Object.entries(variants)) {
    if (time(join(here, name)) < newest) await compile(name, flags);
  }
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await build();
  const dist = join(here, '../../../dist/kernels/fast/wasm');
  if (existsSync(join(here, '../../../dist/kernels'))) {
    mkdirSync(dist, { recursive: true });
    for (const name of Object.keys(variants)) copyFileSync(join(here, name), join(dist, name));
  }
}
