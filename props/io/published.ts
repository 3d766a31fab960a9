/**
 * Laws of the model folders that others published: whichever way the weights are stored, and whatever they hold too much,
 * the parameters are the same; what is really wrong is refused.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initElectra } from '../../lib/electra/params.ts';
import { loadModel, saveModel } from '../../lib/io/model.ts';
import type { SafeTensor } from '../../lib/io/safetensors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../lib/io/safetensors.ts';
import { tokenizerFiles } from '../../lib/io/tokenizer.ts';
import { key } from '../../lib/key.ts';
import { WordPiece } from '../../lib/text/wordpiece.ts';
import { small, valuesOf } from '../electra/small.ts';
import { golden } from '../golden/path.ts';
import { skip } from '../laws/present.ts';

const test = suite('published');
let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'amber-published-'));
});
test.after.each(() => rmSync(folder, { recursive: true }));

type Tensors = Map<string, SafeTensor>;

const weights = (dir: string): Tensors => new Map(decodeSafetensors(readFileSync(join(dir, 'model.safetensors'))).tensors);

/** A copy of a golden folder with its tensors and its configuration changed. */
const changed = (network: 'discriminator' | 'generator', change: (tensors: Tensors) => void, settings: Record<string, unknown> = {}): string => {
  cpSync(golden(`tiny/${network}`), folder, { recursive: true });
  const tensors = weights(folder);
  change(tensors);
  writeFileSync(join(folder, 'model.safetensors'), encodeSafetensors(tensors));
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...settings }));
  return folder;
};

const zeros = (...shape: number[]): SafeTensor => ({ dtype: 'F32', shape, data: new Float32Array(shape.reduce((n, m) => n * m, 1)) });

const same = async (dir: string, original: string) => assert.equal(await valuesOf(loadModel(dir).params), await valuesOf(loadModel(original).params));

test('a pytorch_model.bin of 2020 loads: kernels transposed, the tied matrix twice, old buffers, a projection too many, a wrong feed-forward width', async () => {
  const dir = golden('torch/generator');
  const { config, params } = loadModel(dir);
  assert.equal(config.generator, { hiddenSize: 4, layers: 1, heads: 2, feedForwardSize: 8 });
  const out = join(folder, 'out');
  await saveModel(out, { config, params });
  const sums = JSON.parse(readFileSync(join(dir, 'sums.json'), 'utf8')) as Record<string, number>;
  const saved = weights(out);
  assert.equal(
    Object.keys(sums).filter((name) => !saved.has(name)),
    ['electra.embeddings.position_ids', 'electra.embeddings_project.weight', 'electra.embeddings_project.bias', 'generator_lm_head.weight'],
  );
  for (const [name, { data }] of saved) {
    const sum = Array.from(data, Number).reduce((total, x, i) => total + x * (i + 1), 0);
    assert.ok(Math.abs(sum - sums[name]) < 1e-9, name);
  }
});

test("the generator's output matrix may be there, missing, or the only copy of the word table", async () => {
  const original = golden('tiny/generator');
  const words = 'electra.embeddings.word_embeddings.weight';
  await same(changed('generator', (tensors) => tensors.set('generator_lm_head.weight', tensors.get(words)!)), original);
  await same(
    changed('generator', (tensors) => {
      tensors.set('generator_lm_head.weight', tensors.get(words)!);
      tensors.delete(words);
    }),
    original,
  );
  assert.throws(() => loadModel(changed('generator', (tensors) => tensors.delete(words))), new RegExp(`lacks '${words}'`));
  assert.throws(() => loadModel(changed('generator', (tensors) => tensors.set('generator_lm_head.weight', zeros(9, 16)))), /shape \[9 16\], but is tied to/);
  const untied = changed('generator', (tensors) => tensors.set('generator_lm_head.weight', zeros(99, 16)), { tie_word_embeddings: false });
  assert.throws(() => loadModel(untied), /tie_word_embeddings/);
});

test('a projection between equal widths is passed over, as in the official base model, and one that is needed is not', async () => {
  const stray = (tensors: Tensors) => tensors.set('electra.embeddings_project.weight', zeros(16, 16)).set('electra.embeddings_project.bias', zeros(16));
  await same(changed('generator', stray), golden('tiny/generator'));
  assert.throws(() => loadModel(changed('discriminator', (tensors) => tensors.delete('electra.embeddings_project.bias'))), /lacks 'electra\.embeddings_project\.bias'/);
});

test('the feed-forward width is that of the tensors where the configuration says another', async () => {
  const dir = changed('discriminator', () => undefined, { intermediate_size: 1024 });
  assert.is(loadModel(dir).config.discriminator.feedForwardSize, 64);
  await same(dir, golden('tiny/discriminator'));
});

test('a tensor that the configuration does not imply is refused by name, and so are sizes that cannot be', () => {
  const name = 'electra.encoder.layer.2.output.dense.bias';
  assert.throws(() => loadModel(changed('discriminator', (tensors) => tensors.set(name, zeros(32)))), new RegExp(`holds '${name}'`));
  assert.throws(() => loadModel(changed('discriminator', () => undefined, { num_hidden_layers: 1e9 })), /1000000000 layers, but there are only \d+ tensors/);
  assert.throws(() => loadModel(changed('discriminator', () => undefined, { num_attention_heads: 5 })), /5 heads, which do not divide/);
  assert.throws(() => loadModel(changed('discriminator', () => undefined, { num_hidden_layers: 2.5 })), /expected a whole number at 'num_hidden_layers', got 2\.5/);
  assert.throws(() => loadModel(changed('discriminator', () => undefined, { position_embedding_type: 'relative_key' })), /relative_key/);
});

test('weights in several files with an index load as from one, and an index that lies is refused', async () => {
  const dir = changed('discriminator', () => undefined);
  const all = [...weights(dir)];
  const files = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const parts = [all.slice(0, 20), all.slice(20)];
  const places = Object.fromEntries(parts.flatMap((part, i) => part.map(([name]) => [name, files[i]])));
  rmSync(join(dir, 'model.safetensors'));
  parts.forEach((part, i) => writeFileSync(join(dir, files[i]), encodeSafetensors(part)));
  const index = (weight_map: unknown) => writeFileSync(join(dir, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map }));
  index(places);
  await same(dir, golden('tiny/discriminator'));
  const [first] = Object.keys(places);
  const lies: [Record<string, unknown>, RegExp][] = [
    [{ ...places, more: files[0] }, /'more' should be in model-00001/],
    [{ ...places, [first]: files[1] }, /which the index does not place there/],
    [{ ...places, [first]: '../secret' }, /names of files in the same folder, got "\.\.\/secret"/],
    [{ ...places, [first]: 'absent.safetensors' }, /cannot read .*absent\.safetensors/],
  ];
  for (const [lie, message] of lies) {
    index(lie);
    assert.throws(() => loadModel(dir), message);
  }
});

test('a folder without weights, and one with a pointer of Git LFS in their place, say what to do', () => {
  const dir = changed('discriminator', () => undefined);
  writeFileSync(join(dir, 'model.safetensors'), 'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n');
  assert.throws(() => loadModel(dir), /fetch them with 'git lfs pull'/);
  rmSync(join(dir, 'model.safetensors'));
  assert.throws(() => loadModel(dir), /expected the weights in model\.safetensors, .*pytorch_model\.bin/);
});

const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...'abcdefghijklmnopqr'];

for (const options of [
  { lowerCase: true },
  { lowerCase: false },
  { lowerCase: false, stripAccents: true, maxCharsPerWord: 200 },
]) {
  test(`tokenizer.json alone gives the tokenizer that was saved (${JSON.stringify(options)})`, async () => {
    const { embeddings, discriminator } = initElectra(key(3), small);
    const tokenizer = new WordPiece(words, options);
    await saveModel(folder, { config: small, params: { embeddings, discriminator }, tokenizer });
    for (const name of ['vocab.txt', 'tokenizer_config.json']) rmSync(join(folder, name));
    const loaded = loadModel(folder).tokenizer!;
    assert.equal([loaded.vocab, loaded.options], [words, tokenizer.options]);
  });
}

test('a tokenizer.json that is not WordPiece, or skips an id, is refused', async () => {
  const { embeddings, discriminator } = initElectra(key(3), small);
  await saveModel(folder, { config: small, params: { embeddings, discriminator } });
  const write = (model: unknown) => writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ model }));
  write({ type: 'BPE', vocab: {} });
  assert.throws(() => loadModel(folder), /expected a WordPiece model/);
  write({ type: 'WordPiece', vocab: { '[PAD]': 0, '[UNK]': 2 } });
  assert.throws(() => loadModel(folder), /no token has 1/);
});

test("tokenizer.json is what HuggingFace's own library writes for BERT's vocabulary", () => {
  const theirs = new URL('../../../shared/data/vocab/bert-uncased.tokenizer.json', import.meta.url).pathname;
  if (!existsSync(theirs)) return skip("BERT's tokenizer.json is not there to compare with");
  const expected = JSON.parse(readFileSync(theirs, 'utf8')) as { model: { vocab: Record<string, number> } };
  const vocab = Object.entries(expected.model.vocab)
    .sort(([, a], [, b]) => a - b)
    .map(([token]) => token);
  const files = tokenizerFiles(new WordPiece(vocab, { lowerCase: true }), 512);
  assert.equal(JSON.parse(files['tokenizer.json']), expected);
});

test.run();
