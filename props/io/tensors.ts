/** Laws of tensors in files: what was saved is what is loaded, under the names that its tree gives it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeSafetensors, encodeSafetensors } from '../../lib/io/safetensors.ts';
import { loadSafetensors, saveSafetensors } from '../../lib/io/tensors.ts';
import { tensor } from '../../lib/tensor.ts';

const test = suite('tensors');
let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'amber-tensors-'));
});
test.after.each(() => rmSync(folder, { recursive: true }));

test('a tree of tensors comes back under its paths', async () => {
  const path = join(folder, 'a.safetensors');
  const rows = fc.array(fc.float({ noNaN: true }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(rows, fc.array(fc.nat(2 ** 24 - 1), { maxLength: 6 }), async (weights, ids) => {
      await saveSafetensors(path, {
        encoder: { kernel: tensor(weights, [weights.length, 1]) },
        ids: tensor(ids, [ids.length], 'i32'),
      });
      const loaded = loadSafetensors(path);
      assert.equal(Object.keys(loaded).sort(), ['encoder.kernel', 'ids']);
      assert.equal(loaded['encoder.kernel'].shape, [weights.length, 1]);
      assert.is(loaded.ids.dtype, 'i32');
      assert.equal([...(await loaded['encoder.kernel'].data())], weights);
      assert.equal([...(await loaded.ids.data())], ids);
    }),
    { numRuns: 20 },
  );
});

test('a model is written in single precision, as others expect it, unless one asks for double', async () => {
  const path = join(folder, 'a.safetensors');
  await saveSafetensors(path, { x: tensor([1 / 3]) });
  const { tensors, metadata } = decodeSafetensors(readFileSync(path));
  assert.equal(metadata, { format: 'pt' });
  assert.equal(tensors.get('x'), { dtype: 'F32', shape: [1], data: Float32Array.of(1 / 3) });
});

test('whole numbers of 64 bits become ids, and one too large is refused by name', async () => {
  const path = join(folder, 'a.safetensors');
  const write = (...data: bigint[]) =>
    writeFileSync(
      path,
      encodeSafetensors([['ids', { dtype: 'I64', shape: [data.length], data: BigInt64Array.from(data) }]]),
    );
  write(0n, 3n);
  assert.equal(await loadSafetensors(path).ids.data(), Int32Array.of(0, 3));
  write(2n ** 40n);
  assert.throws(() => loadSafetensors(path), /a\.safetensors: tensor "ids": .*2\^24/);
});

test.run();
