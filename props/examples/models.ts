/**
 * Laws of the programs that use models, detect, fill and convert, as a reader would start them: on small models made here,
 * without a terminal. What they print is what the library computes, and what they refuse, they refuse in one sentence.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel, readText } from '../../examples/models/open.ts';
import { saveModels } from '../../examples/pretrain/models.ts';
import {
  discriminate,
  generate,
  initState,
  initTaskHead,
  key,
  sigmoid,
  softmax,
  tensor,
  withTaskHead,
  WordPiece,
} from '../../lib/index.ts';
import { loadModel, saveCheckpoint, saveModel } from '../../lib/node.ts';
import { optimiser, small, tyings, valuesOf } from '../electra/small.ts';
import { golden } from '../golden/path.ts';

const test = suite('models');
const root = fileURLToPath(new URL('../../', import.meta.url));
const words = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  ...'abcdefgh',
  '##a',
  '##b',
  '##c',
  '##d',
  ...'.,!-',
  'paris',
  'fr',
];
const tokenizer = new WordPiece(words, { lowerCase: true });
let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'amber-models-'));
});
test.after.each(() => rmSync(folder, { recursive: true }));

/** The two folders of a model that was never trained. */
const makeModels = async (dir: string, seed = 1, config = small) => {
  const state = initState(config, optimiser(), seed);
  await saveModels({ discriminator: join(dir, 'discriminator'), generator: join(dir, 'generator') }, config, state, {
    tokenizer,
  });
  return state;
};

const run = async (name: string, ...args: string[]) => {
  const { FORCE_COLOR: _, AMBER_DEVICE: __, ...env } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', `examples/${name}.ts`, ...args], { cwd: root, env });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await ended, out, err };
};

test('detect prints every word of a text as it was written, behind the largest probability of its pieces', async () => {
  await makeModels(folder);
  const texts = ['Éab  [MASK],  fr', 'h 猫 ABC.'];
  const spelled = [
    ['Éab', '[MASK]', ',', 'fr'],
    ['h', '猫', 'ABC', '.'],
  ];
  const pieces = [
    [3, 1, 1, 1],
    [1, 1, 3, 1],
  ];
  const { status, out, err } = await run('detect', folder, ...texts);
  assert.equal([status, err], [0, '']);
  const model = openModel(folder, 'discriminator');
  const expected: string[] = [];
  for (const [i, text] of texts.entries()) {
    const { batch } = readText(model, text);
    const p = await sigmoid(discriminate(key(0), model.params, batch.tokens, batch, model.config)).data();
    let at = 1;
    const lines = pieces[i].map((n, j) => `  ${Math.max(...p.slice(at, (at += n))).toFixed(4)}  ${spelled[i][j]}`);
    assert.is(at, p.length - 1);
    expected.push(text, ...lines, '');
  }
  assert.is(out, `${expected.join('\n')}\n`);
});

test('fill prints the likeliest tokens for every [MASK], in order, with the probabilities of the generator', async () => {
  await makeModels(folder);
  const { status, out, err } = await run('fill', join(folder, 'generator'), 'a [MASK] b [MASK].', '--top', '3');
  assert.equal([status, err], [0, '']);
  const model = openModel(folder, 'generator');
  const { batch, ids } = readText(model, 'a [MASK] b [MASK].');
  assert.equal(ids, [2, 5, 4, 6, 4, 17, 3]);
  const p = await softmax(
    generate(key(0), model.params, { ...batch, at: tensor([2, 4], [1, 2], 'i32') }, model.config),
  ).data();
  const lines = [0, 1].flatMap((slot) => {
    const guesses = Array.from(p.slice(slot * 23, slot * 23 + 23), (probability, id) => ({ probability, id })).sort(
      (a, b) => b.probability - a.probability,
    );
    return [
      `[MASK] ${slot + 1} of 2`,
      ...guesses.slice(0, 3).map(({ probability, id }) => `  ${probability.toFixed(4)}  ${words[id]}`),
    ];
  });
  assert.is(out, ['a [MASK] b [MASK].', ...lines, ''].join('\n'));
});

test('convert makes of an old folder one that HuggingFace writes today, with the same parameters', async () => {
  const source = golden('torch/generator');
  const out = join(folder, 'new');
  const { status, out: said, err } = await run('convert', source, out);
  assert.equal([status, err], [0, '']);
  assert.match(
    said,
    /^read \S+: generator, 271 parameters, no tokenizer\nwrote \S+: config\.json, model\.safetensors\n$/,
  );
  assert.equal(await valuesOf(loadModel(out).params), await valuesOf(loadModel(source).params));
});

test('convert makes of a run the two models of its newest whole checkpoint, and warns of a damaged one', async () => {
  const config = tyings.all;
  const state = await makeModels(join(folder, 'expected'), 1, config);
  const later = initState(config, optimiser(), 2);
  const checkpoints = join(folder, 'run', 'checkpoints');
  const info = {
    settings: { config: { ...config, vocabSize: 99 } },
    tokenizer: { vocab: tokenizer.vocab, options: tokenizer.options },
  };
  await saveCheckpoint(checkpoints, 7, state, info);
  const damaged = await saveCheckpoint(checkpoints, 8, later, info);
  writeFileSync(join(damaged, 'SHA256SUMS'), '');
  const { status, out, err } = await run('convert', join(folder, 'run'), join(folder, 'out'));
  assert.is(status, 0);
  assert.match(err, /^warning: \S+8 is damaged: .*\n$/);
  assert.match(
    out,
    /^read \S+: the checkpoint of step 7\nwrote \S+discriminator: .*vocab\.txt\nwrote \S+generator: .*vocab\.txt\n$/,
  );
  for (const network of ['discriminator', 'generator']) {
    const [made, expected] = [join(folder, 'out', network), join(folder, 'expected', network)];
    assert.equal(readdirSync(made).sort(), readdirSync(expected).sort());
    for (const name of readdirSync(made))
      assert.ok(readFileSync(join(made, name)).equals(readFileSync(join(expected, name))), `${network}/${name}`);
  }
});

test('another network, a text without words, without [MASK] or too long, and a folder that is taken: one sentence, exit code 1', async () => {
  const state = await makeModels(folder);
  const head = initTaskHead(key(1), 'tagging', 3, small);
  await saveModel(join(folder, 'tagger'), {
    config: small,
    params: withTaskHead(state.params, head),
    task: 'tagging',
    tokenizer,
  });
  await saveModel(join(folder, 'wordless'), loadModel(golden('tiny/discriminator')));
  await saveCheckpoint(join(folder, 'strange', 'checkpoints'), 1, state, {});
  const cases: [args: string[], message: RegExp][] = [
    [
      ['detect', join(folder, 'generator'), 'a'],
      /expected a discriminator, but this is a generator; give the discriminator's folder/,
    ],
    [
      ['detect', join(folder, 'tagger'), 'a'],
      /expected a discriminator, but this is an encoder fine-tuned for tagging/,
    ],
    [['detect', join(folder, 'wordless'), 'a'], /has no vocab\.txt or tokenizer\.json/],
    [['detect', folder, 'a'.repeat(15)], /17 tokens with \[CLS\] and \[SEP\], but the model has 16 positions/],
    [['detect', folder, ' '], /expected a text, got " "/],
    [['fill', join(folder, 'discriminator'), '[MASK]'], /expected a generator, but this is a discriminator/],
    [['fill', folder, 'a'], /expected a text with \[MASK\] in it, got "a"/],
    [['fill', folder, '[MASK]', '--top', '0'], /--top <k>' argument '0' is invalid/],
    [['convert', join(folder, 'absent'), join(folder, 'out')], /absent: expected a model folder with config\.json/],
    [['convert', join(folder, 'strange'), join(folder, 'out')], /step 1 is not one of examples\/pretrain\.ts/],
    [
      ['convert', join(folder, 'generator'), join(folder, 'discriminator')],
      /discriminator is there already; choose a new folder/,
    ],
  ];
  const ends = await Promise.all(cases.map(([[name, ...args]]) => run(name, ...args)));
  for (const [i, { status, out, err }] of ends.entries()) {
    assert.match(err, cases[i][1]);
    assert.equal([status, out, err.trimEnd().split('\n').length], [1, '', 1], err);
  }
  assert.not(existsSync(join(folder, 'out')));
});

test.run();
