/** Laws of examples/verify.ts as a program: it takes everything from the files, and nothing that is wrong passes. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checksOf } from '../../examples/verify/check.ts';
import { openFixture } from '../../examples/verify/fixture.ts';
import { useDevice } from '../../kernels/device/choose.ts';
import { decodeSafetensors, encodeSafetensors } from '../../lib/io/safetensors.ts';
import { makeFixture } from '../golden/make.ts';
import { golden } from '../golden/path.ts';
import { present } from '../laws/present.ts';

const test = suite('verify');
let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'amber-verify-'));
});
test.after.each(() => rmSync(folder, { recursive: true }));

const verify = (...args: string[]) => {
  const script = fileURLToPath(new URL('../../examples/verify.ts', import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', script, ...args, '--device', 'wasm'],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
};

test('a set of other sizes, whose generator projects and whose first row is padded, is checked in full on every device', async () => {
  await useDevice('reference');
  const set = join(folder, 'set');
  await makeFixture(set);
  const fixture = openFixture(set);
  assert.ok(fixture.read('grads_pretrain').has('generator.electra.embeddings_project.weight'));
  for (const device of present) {
    await useDevice(device);
    const findings = (await Promise.all(checksOf(fixture).map((check) => check(fixture)))).flat();
    for (const { distance, file, where } of findings) assert.ok(distance <= 1, `${device}, ${file}: ${where}`);
    const files = new Set(findings.map(({ file }) => file));
    for (const file of ['optim/google_step4', 'optim/constlr_step1', 'heads/grads_qa'])
      assert.ok(files.has(file), file);
  }
});

test('the program prints a line a group and exits with 0; and with 1 where a number is off, missing or too many', () => {
  const right = verify(golden('ops'));
  assert.is(right.status, 0);
  assert.match(right.stdout, /\ngelu +y +1 +\S+ of +\S+ +ok\n/);
  assert.match(right.stdout, /45 right, 0 outside/);
  const copy = join(folder, 'ops');
  cpSync(golden('ops'), copy, { recursive: true });
  const change = (change: (y: Float32Array) => Map<string, Float32Array>) => {
    const tensors = new Map(decodeSafetensors(readFileSync(golden('ops/gelu.safetensors'))).tensors);
    const { shape, data } = tensors.get('y')!;
    tensors.delete('y');
    for (const [name, values] of change(Float32Array.from(data as Float32Array)))
      tensors.set(name, { dtype: 'F32', shape, data: values });
    writeFileSync(join(copy, 'gelu.safetensors'), encodeSafetensors(tensors));
  };
  change((y) => new Map([['y', y.map((v, i) => (i === 60 ? v + 1e-4 : v))]]));
  const off = verify(copy);
  assert.is(off.status, 1);
  assert.match(off.stdout, /\ngelu +y .*OUTSIDE +y\[60\]/);
  change(() => new Map());
  assert.match(verify(copy).stdout, /y: the file has no such tensor/);
  writeFileSync(join(copy, 'tolerances.json'), JSON.stringify({ unheard: { y: { atol: 1 } } }));
  cpSync(golden('ops/gelu.safetensors'), join(copy, 'unheard.safetensors'));
  const unknown = verify(copy);
  assert.is(unknown.status, 1);
  assert.match(unknown.stdout, /nothing computes this/);
});

test('a folder that holds no fixtures is refused in a sentence', () => {
  const { status, stderr } = verify(folder);
  assert.is(status, 1);
  assert.match(stderr, /expected a folder of golden fixtures/);
});

test.run();
