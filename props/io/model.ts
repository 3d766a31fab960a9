/**
 * Laws of model folders: what was saved is what is loaded, files made by HuggingFace come back byte for byte, and a
 * folder that does not hold what its configuration implies is refused with the name of what is wrong.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import type { ElectraConfig } from '../../lib/electra/config.ts';
import type { Task, TaskHead } from '../../lib/electra/heads.ts';
import { initTaskHead, withTaskHead } from '../../lib/electra/heads.ts';
import type { Params } from '../../lib/electra/params.ts';
import { initElectra } from '../../lib/electra/params.ts';
import { paramShapes } from '../../lib/electra/shapes.ts';
import type { SpanHead, SpanOptions } from '../../lib/electra/spans.ts';
import { initSpanHead } from '../../lib/electra/spans.ts';
import { huggingFaceConfig, unnamedLabels } from '../../lib/io/architecture.ts';
import { loadModel, saveModel } from '../../lib/io/model.ts';
import type { Model } from '../../lib/io/model.ts';
import { huggingFaceName } from '../../lib/io/names.ts';
import type { SafeTensor } from '../../lib/io/safetensors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../lib/io/safetensors.ts';
import { key } from '../../lib/key.ts';
import { WordPiece } from '../../lib/text/wordpiece.ts';
import { small, tyings, valuesOf } from '../electra/small.ts';
import { golden } from '../golden/path.ts';

const test = suite('model');
let folder = '';
test.before.each(async () => {
  await useDevice('wasm');
  folder = mkdtempSync(join(tmpdir(), 'amber-model-'));
});
test.after.each(() => rmSync(folder, { recursive: true }));

const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...'abcdefghijklmnopqr'];

/** Both networks of some parameters, as folders hold them; the generator with its own embeddings, or else the shared ones. */
const halves = (config: ElectraConfig): Record<'discriminator' | 'generator', Model['params']> => {
  const { embeddings, discriminator, generator } = initElectra(key(3), config);
  const { embeddings: own = embeddings, ...rest } = generator;
  return { discriminator: { embeddings, discriminator }, generator: { embeddings: own, generator: rest } };
};

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;

for (const device of ['reference', 'wasm'] as const) {
  test(`loading what was saved gives the same parameters, sizes and tokenizer (${device})`, async () => {
    await useDevice(device);
    for (const config of [tyings.embeddings, tyings.none]) {
      for (const [network, params] of Object.entries(halves(config)) as [
        'discriminator' | 'generator',
        Model['params'],
      ][]) {
        const tokenizer = new WordPiece(words, { lowerCase: false, stripAccents: true });
        await saveModel(join(folder, network), { config, params, tokenizer });
        const loaded = loadModel(join(folder, network));
        const saved = await valuesOf(params);
        const rounded = Object.fromEntries(
          Object.entries(saved).map(([path, values]) => [path, values.map(Math.fround)]),
        );
        assert.equal(Object.entries(await valuesOf(loaded.params)).sort(), Object.entries(rounded).sort());
        assert.equal(loaded.config[network], config[network]);
        assert.equal(
          [loaded.config.vocabSize, loaded.config.maxPositions, loaded.config.special],
          [23, 16, small.special],
        );
        assert.equal([loaded.tokenizer!.vocab, loaded.tokenizer!.options], [tokenizer.vocab, tokenizer.options]);
      }
    }
  });
}

const folders = ['discriminator', 'generator', 'heads/seqcls', 'heads/tokcls', 'heads/qa'];

for (const name of folders) {
  test(`what HuggingFace saved is saved again byte for byte, with the same configuration (${name})`, async () => {
    const original = golden(`tiny/${name}`);
    const copy = join(folder, 'copy');
    await saveModel(copy, loadModel(original));
    assert.ok(readFileSync(join(copy, 'model.safetensors')).equals(readFileSync(join(original, 'model.safetensors'))));
    // Which version of their library wrote a file is theirs to say.
    const { transformers_version: _, ...told } = json(join(original, 'config.json'));
    assert.equal(json(join(copy, 'config.json')), told);
  });
}

test('a fine-tuned network keeps its task and the names of its labels; two without names are as many as none', async () => {
  const cases = [
    ['classification', 'huggingface', 1],
    ['classification', 'huggingface', 12],
    ['classification', 'google', 2],
    ['tagging', 'google', 2],
  ] as const;
  const { discriminator } = halves(small);
  for (const [task, style, outputs] of cases) {
    const head = initTaskHead(key(1), task, outputs, small, style);
    const params = withTaskHead(discriminator as Params, head);
    const labels = Array.from({ length: outputs }, (_, i) => `name ${i}`);
    await saveModel(folder, { config: small, params, task, labels });
    assert.equal([loadModel(folder).task, loadModel(folder).labels], [task, labels]);
    await saveModel(folder, { config: small, params, task });
    const { labels: unnamed, params: loaded } = loadModel(folder);
    assert.equal(unnamed, unnamedLabels(outputs));
    assert.is('id2label' in json(join(folder, 'config.json')), outputs !== 2);
    assert.equal(Object.entries(await valuesOf(loaded)).sort(), Object.entries(await valuesOf(params)).sort());
    const messages = [
      { config: small, params },
      { config: small, params, task, labels: [...labels, 'more'] },
      {
        config: small,
        params: withTaskHead(discriminator as Params, initSpanHead(key(1), small)),
        task: 'tagging' as const,
      },
    ].map((model) =>
      saveModel(join(folder, 'no'), model).then(
        () => '',
        (error: Error) => error.message,
      ),
    );
    const [none, more, lacking] = await Promise.all(messages);
    assert.match(none, /expected a task beside fine-tuned parameters/);
    assert.match(more, new RegExp(`expected ${outputs} labels, one for each output, got ${outputs + 1}`));
    assert.match(lacking, /expected the parameter 'task\.output\.kernel', which the tagging uses/);
    assert.not.ok(existsSync(join(folder, 'no')));
  }
});

test("a folder with Google's head for classes or answers gives it back, and is none of HuggingFace's", async () => {
  const { discriminator } = halves(small);
  const spans: SpanOptions[] = [{}, { joint: false }, { noAnswer: 'cls' }, { noAnswer: false, width: 6 }];
  const cases: [Task, TaskHead | SpanHead][] = [
    ['classification', initTaskHead(key(1), 'classification', 3, small)],
    ...spans.map((options): [Task, SpanHead] => ['answering', initSpanHead(key(1), small, options)]),
  ];
  for (const [task, head] of cases) {
    const params = withTaskHead(discriminator as Params, head);
    await saveModel(folder, { config: small, params: params as Model['params'], task });
    const { model_type: type, architectures } = json(join(folder, 'config.json'));
    assert.is(type, 'amber-electra');
    assert.match(String(architectures), /^Amber/);
    assert.equal(
      Object.entries(await valuesOf(loadModel(folder).params)).sort(),
      Object.entries(await valuesOf(params)).sort(),
    );
    assert.is(loadModel(folder).task, task);
  }
  const path = join(folder, 'config.json');
  writeFileSync(path, JSON.stringify({ ...json(path), span_head: { joint: 1 } }));
  assert.throws(() => loadModel(folder), /expected joint, no_answer and width at 'span_head', got \{"joint":1\}/);
});

test("what Google's head for classes reads of a text is kept; another head reads [CLS]", async () => {
  const { discriminator } = halves(small);
  for (const [style, pooling, kept] of [['google', 'layers', 'layers'], ['google', 'mean', 'mean'], ['google', 'cls', 'cls'], ['huggingface', 'mean', 'cls']] as const) {
    const config = { ...small, pooling };
    const params = withTaskHead(discriminator as Params, initTaskHead(key(1), 'classification', 3, config, style));
    await saveModel(folder, { config, params, task: 'classification' });
    assert.is(loadModel(folder).config.pooling, kept);
  }
});

test("under tying 'all' the generator's folder holds the encoder that it shares, and without it none is written", async () => {
  const { embeddings, discriminator, generator } = initElectra(key(3), tyings.all);
  const { projection, encoder } = discriminator;
  const whole = { embeddings, generator: { ...generator, projection, encoder } };
  await saveModel(folder, { config: tyings.all, params: whole });
  assert.equal(await valuesOf(loadModel(folder).params.embeddings), await valuesOf(embeddings));
  const part = saveModel(join(folder, 'part'), { config: tyings.all, params: { embeddings, generator } });
  const error = await part.then(
    () => undefined,
    (error: Error) => error,
  );
  assert.match(
    error?.message ?? '',
    /expected the parameter 'generator\.projection\.kernel', which the generator uses/,
  );
  assert.not.ok(existsSync(join(folder, 'part')));
});

test('every parameter has a name of its own there', () => {
  for (const network of ['discriminator', 'generator']) {
    const names = Object.keys(paramShapes(small))
      .filter((path) => path.startsWith('embeddings') || path.startsWith(network))
      .map((path) => huggingFaceName(path));
    assert.is(new Set(names).size, names.length);
    assert.ok(
      names.every((name) =>
        /^(electra|discriminator_predictions|generator_predictions|generator_lm_head)\./.test(name),
      ),
    );
  }
});

test('an old whole state dict loads: the tied output matrix and the positions in it are passed over', async () => {
  cpSync(golden('tiny/generator'), folder, { recursive: true });
  renameSync(join(folder, 'model_full_state_dict.safetensors'), join(folder, 'model.safetensors'));
  const { tensors } = decodeSafetensors(readFileSync(join(folder, 'model.safetensors')));
  assert.ok(tensors.has('generator_lm_head.weight') && tensors.has('electra.embeddings.position_ids'));
  assert.equal(await valuesOf(loadModel(folder).params), await valuesOf(loadModel(golden('tiny/generator')).params));
});

/** The golden discriminator, with its tensors changed. */
const changed = (change: (tensors: Map<string, SafeTensor>) => void): string => {
  const copy = join(folder, 'changed');
  cpSync(golden('tiny/discriminator'), copy, { recursive: true });
  const file = join(copy, 'model.safetensors');
  const tensors = new Map(decodeSafetensors(readFileSync(file)).tensors);
  change(tensors);
  writeFileSync(file, encodeSafetensors(tensors, { format: 'pt' }));
  return copy;
};

const bias = 'electra.encoder.layer.1.attention.self.key.bias';

test('a missing tensor is named', () => {
  assert.throws(() => loadModel(changed((tensors) => tensors.delete(bias))), new RegExp(`lacks '${bias}'`));
});

test('a tensor of another shape is named, with both shapes', () => {
  const wrong = (tensors: Map<string, SafeTensor>) =>
    tensors.set(bias, { dtype: 'F32', shape: [31], data: new Float32Array(31) });
  assert.throws(
    () => loadModel(changed(wrong)),
    new RegExp(`'${bias}' has shape \\[31\\], but config.json implies \\[32\\]`),
  );
});

test('a stray tensor is passed over', async () => {
  const stray = changed((tensors) =>
    tensors.set('electra.embeddings.position_ids', { dtype: 'I64', shape: [1, 2], data: BigInt64Array.of(0n, 1n) }),
  );
  assert.equal(await valuesOf(loadModel(stray).params), await valuesOf(loadModel(golden('tiny/discriminator')).params));
});

test('a configuration that does not fit the weights, or is none, is refused by name', () => {
  const copy = changed(() => undefined);
  const file = join(copy, 'config.json');
  const config = json(file);
  const written = (change: Record<string, unknown>) => writeFileSync(file, JSON.stringify({ ...config, ...change }));
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ num_hidden_layers: 3 }, /lacks 'electra\.encoder\.layer\.2\./],
    [
      { vocab_size: 100 },
      /'electra\.embeddings\.word_embeddings\.weight' has shape \[99 16\], but config\.json implies \[100 16\]/,
    ],
    [{ hidden_size: 'wide' }, /expected a number at 'hidden_size', got "wide"/],
    [
      { architectures: ['BertModel'] },
      /expected one of the architectures ElectraForPreTraining, ElectraForMaskedLM, .*; got BertModel/,
    ],
    [{ hidden_act: 'gelu_new' }, /hidden_act.*gelu_new/],
  ];
  for (const [change, message] of cases) {
    written(change);
    assert.throws(() => loadModel(copy), message);
  }
  writeFileSync(file, '{"vocab_size": ');
  assert.throws(() => loadModel(copy), /config\.json: expected JSON/);
  assert.throws(() => loadModel(folder), /expected a model folder with config\.json and model\.safetensors/);
  rmSync(join(copy, 'model.safetensors'));
  writeFileSync(file, JSON.stringify(config));
  assert.throws(() => loadModel(copy), /model\.safetensors/);
});

test('a folder keeps how many tokens of a text are read, where HuggingFace’s tokenizers look for it; of one that does not say, all positions', async () => {
  const { discriminator } = halves(small);
  const model = { config: small, params: discriminator, tokenizer: new WordPiece(words, { lowerCase: true }) };
  const path = join(folder, 'tokenizer_config.json');
  await saveModel(folder, { ...model, sequenceLength: 9 });
  assert.is(json(path).model_max_length, 9);
  assert.is(loadModel(folder).sequenceLength, 9);
  // Some folders have 10³⁰ there, which means that nobody knows.
  for (const model_max_length of [1e30, small.maxPositions, 2.5, 0, '9', null, undefined]) {
    writeFileSync(path, JSON.stringify({ ...json(path), model_max_length }));
    assert.is(loadModel(folder).sequenceLength, undefined);
  }
  rmSync(path);
  assert.is(loadModel(folder).sequenceLength, undefined);
  await saveModel(folder, model);
  assert.is(json(path).model_max_length, small.maxPositions);
  const tooLong = await saveModel(folder, { ...model, sequenceLength: 17 }).then(
    () => '',
    ({ message }: Error) => message,
  );
  assert.is(tooLong, "saveModel: expected a sequenceLength of at most the model's 16 positions, got 17");
});

test("a tokenizer whose vocabulary is not the model's is refused", async () => {
  const { discriminator } = halves(small);
  await saveModel(folder, {
    config: small,
    params: discriminator,
    tokenizer: new WordPiece(words, { lowerCase: true }),
  });
  writeFileSync(join(folder, 'vocab.txt'), `${[...words, 'extra'].join('\n')}\n`);
  assert.throws(() => loadModel(folder), /the tokenizer has 24 tokens, but config\.json says 'vocab_size' 23/);
});

test('a vocabulary file with the line ends of another system gives the same tokens', async () => {
  const { discriminator } = halves(small);
  await saveModel(folder, {
    config: small,
    params: discriminator,
    tokenizer: new WordPiece(words, { lowerCase: true }),
  });
  writeFileSync(join(folder, 'vocab.txt'), words.join('\r\n'));
  assert.equal(loadModel(folder).tokenizer!.vocab, words);
});

test('saving replaces the folder as a whole, and a failed save leaves it as it was', async () => {
  const { discriminator, generator } = halves(small);
  const path = join(folder, 'm');
  await saveModel(path, { config: small, params: discriminator, tokenizer: new WordPiece(words, { lowerCase: true }) });
  await saveModel(path, { config: small, params: generator });
  assert.not.ok(existsSync(join(path, 'vocab.txt')));
  assert.equal(json(join(path, 'config.json')), huggingFaceConfig({ config: small, architecture: 'generator' }));
  const before = readFileSync(join(path, 'model.safetensors'));
  discriminator.embeddings.word.free('by this test');
  const error = await saveModel(path, { config: small, params: discriminator }).then(
    () => undefined,
    (error: Error) => error,
  );
  assert.match(error?.message ?? '', /was freed by this test/);
  assert.ok(readFileSync(join(path, 'model.safetensors')).equals(before));
});

test.run();
