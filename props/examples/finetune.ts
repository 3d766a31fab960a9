/**
 * Laws of the program finetune.ts: what it leaves serves predictions, repeats itself, survives being stopped, and says in a
 * sentence what is wrong with files and flags.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import { initElectra } from '../../lib/electra/params.ts';
import { loadModel, saveModel } from '../../lib/io/model.ts';
import { key } from '../../lib/key.ts';
import { judge } from '../../lib/tasks/tune.ts';
import { WordPiece } from '../../lib/text/wordpiece.ts';
import { small } from '../electra/small.ts';

const test = suite('finetune program');
const program = fileURLToPath(new URL('../../examples/finetune.ts', import.meta.url));
const letters = [...'abcdefghijklmnopqr'];
let folder = '';

const at = (name: string) => join(folder, name);
const csv = (rows: number, from = 0) => ['text,label', ...Array.from({ length: rows }, (_, i) => `${(i + from) % 2 ? 'a' : 'b'} ${letters[(i * 5) % 18]},${(i + from) % 2 ? 'yes' : 'no'}`)].join('\n');
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;

test.before(async () => {
  await useDevice('wasm');
  folder = mkdtempSync(join(tmpdir(), 'amber-finetune-'));
  const tokenizer = new WordPiece(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...letters], { lowerCase: true });
  const { embeddings, discriminator } = initElectra(key(1), small);
  await saveModel(at('encoder'), { config: small, params: { embeddings, discriminator }, tokenizer });
  writeFileSync(at('train.csv'), csv(64));
  writeFileSync(at('dev.csv'), csv(9, 1));
  writeFileSync(at('other.csv'), 'text,label\na,maybe\n');
  mkdirSync(join(at('run'), 'checkpoints'), { recursive: true });
  writeFileSync(at('short.csv'), 'text,label\n"a\nb",yes\nb\n');
  const words = (n: number) => Array.from({ length: n }, (_, i) => {
    // No sentence is like another, so that some can be held out.
    const letter = (i + Math.floor(i / 30)) % 18;
    return `${letters[letter]}\t${letter < 9 ? 'LOW' : 'HIGH'}${i % 30 === 29 ? '\n' : ''}`;
  }).join('\n');
  writeFileSync(at('tags.tsv'), `${words(300)}\n`);
});
test.after(() => rmSync(folder, { recursive: true }));

/** Runs the program; `during` may stop it. */
const finetune = async (args: string[], during?: (kill: (signal: NodeJS.Signals) => void, output: string) => void) => {
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...args, '--device', 'wasm'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text;
      during?.((signal) => child.kill(signal), output);
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
};

const onFiles = (...more: string[]) => [at('encoder'), '--train', at('train.csv'), '--dev', at('dev.csv'), ...more];

test('it leaves a model that says what predictions.jsonl says, with the results beside it, twice the same', async () => {
  for (const out of ['one', 'two']) {
    const { code, output } = await finetune(onFiles('--epochs', '2', '--seeds', '2', '--from-scratch', '--out', at(out)));
    assert.is(code, 0, output);
    for (const name of ['pre-trained', 'from scratch', 'most frequent class', 'bag of words']) assert.match(output, new RegExp(`\n${name} +\\d`));
  }
  const model = loadModel(join(at('one'), 'model'));
  assert.equal([model.task, model.labels], ['classification', ['no', 'yes']]);
  const lines = readFileSync(join(at('one'), 'predictions.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(lines.map(({ where }) => where), Array.from({ length: 9 }, (_, i) => `${at('dev.csv')}:${i + 2}`));
  const said = await judge(model, lines as { where: string; text: string }[]);
  said.forEach(({ predicted, probability }, i) => {
    assert.is(predicted, lines[i].predicted);
    assert.ok(Math.abs(Number(probability) - lines[i].probability) < 1e-5);
  });
  const [weights, predictions] = [join('model', 'model.safetensors'), 'predictions.jsonl'];
  for (const file of [weights, predictions]) assert.ok(readFileSync(join(at('one'), file)).equals(readFileSync(join(at('two'), file))), file);
  const results = ({ seconds: _, ...rest }: Record<string, unknown>) => rest;
  assert.equal(results(json(join(at('one'), 'results.json'))), results(json(join(at('two'), 'results.json'))));
});

test('its model reads texts as far as they were read in fine-tuning', async () => {
  writeFileSync(at('long.csv'), ['text,label', ...Array.from({ length: 40 }, (_, i) => `${i % 2 ? 'a' : 'b'} ${letters.slice(i % 5).join(' ')},${i % 2 ? 'yes' : 'no'}`)].join('\n'));
  const { code, output } = await finetune([at('encoder'), '--train', at('long.csv'), '--seq', '8', '--epochs', '2', '--no-baselines', '--out', at('long')]);
  assert.is(code, 0, output);
  const model = loadModel(join(at('long'), 'model'));
  assert.is(model.sequenceLength, 8);
  const lines = readFileSync(join(at('long'), 'predictions.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const off = async (length?: number) => Math.max(...(await judge(model, lines as { where: string; text: string }[], length)).map(({ probability }, i) => Math.abs(Number(probability) - lines[i].probability)));
  assert.ok((await off()) < 1e-5, `${await off()}`);
  assert.ok((await off(16)) > 1e-4, `${await off(16)}`);
});

test('words are tagged, and a head of HuggingFace kind is written as such', async () => {
  const { code, output } = await finetune([at('encoder'), '--train', at('tags.tsv'), '--tags', '--epochs', '1', '--head', 'huggingface', '--out', at('tagger')]);
  assert.is(code, 0, output);
  assert.match(output, /\nmost frequent tag of each word +1\.000/);
  const config = json(join(at('tagger'), 'model', 'config.json'));
  assert.equal([config.model_type, config.architectures], ['electra', ['ElectraForTokenClassification']]);
});

test('values of pairs are learned, and a correlation that is none is shown as none, on the page too', async () => {
  const line = (i: number) => JSON.stringify({ a: `a ${letters[i % 7]}`, b: `b ${letters[i % 3]}`, value: i % 4 });
  writeFileSync(at('pairs.jsonl'), Array.from({ length: 40 }, (_, i) => line(i)).join('\n'));
  const columns = ['--text', 'a', '--pair', 'b', '--label', 'value', '--regression'];
  const { code, output } = await finetune([at('encoder'), '--train', at('pairs.jsonl'), ...columns, '--epochs', '1', '--out', at('values')]);
  assert.is(code, 0, output);
  assert.match(output, /\nmean value +– +–\n/);
  assert.match(readFileSync(join(at('values'), 'report.html'), 'utf8'), /mean value/);
  const [first] = readFileSync(join(at('values'), 'predictions.jsonl'), 'utf8').split('\n').map((line) => (line === '' ? {} : JSON.parse(line)));
  assert.equal(Object.keys(first), ['where', 'text', 'pair', 'gold', 'predicted']);
});

test('Ctrl-C measures and saves what there is; a kill leaves no half of a file', async () => {
  const long = (out: string) => onFiles('--epochs', '300', '--seeds', '3', '--out', at(out));
  let asked = false;
  const { code, output } = await finetune(long('stopped'), (kill, output) => {
    if (asked || !output.includes('epoch 2')) return;
    asked = true;
    kill('SIGINT');
  });
  assert.is(code, 0, output);
  assert.is(loadModel(join(at('stopped'), 'model')).task, 'classification');
  const { interrupted, histories } = json(join(at('stopped'), 'results.json')) as { interrupted: boolean; histories: { trained: unknown[] } };
  assert.equal([interrupted, histories.trained.length], [true, 1]);
  const killed = await finetune(long('killed'), (kill, output) => output.includes('epoch 2') && kill('SIGKILL'));
  assert.is(killed.code, null);
  assert.ok(!existsSync(at('killed')) || readdirSync(at('killed')).every((name) => name === 'lock'));
});

test('files and flags that are wrong are named in one sentence, with exit code 1', async () => {
  const cases: [args: string[], message: RegExp][] = [
    [[at('encoder'), '--train', at('train.csv'), '--text', 'message'], /train\.csv:2: there is no column 'message'; there are 'text', 'label'/],
    [[at('encoder'), '--train', at('train.csv'), '--dev', at('other.csv')], /other\.csv:2: the label 'maybe' is none of the 2 that are known, no, yes/],
    [[at('encoder'), '--train', at('short.csv')], /short\.csv:4: expected 2 fields, as in line 1, got 1/],
    [onFiles('--test', at('other.csv')), /other\.csv:2: the label 'maybe' is none of the 2 that are known, no, yes/],
    [[at('encoder'), '--train', at('train.csv'), '--limit', '3'], /expected dev rows, which decide which epoch is kept, got none/],
    [[at('run'), '--train', at('train.csv')], /run is no model folder: it is of a pre-training that has not ended; examples\/pretrain\.ts --resume/],
    [[at('encoder'), '--task', 'rte', '--train', at('train.csv'), '--label', 'kind', '--regression'], /: --task rte knows the columns of its files; leave out --label, --regression$/],
    [[at('encoder'), '--tags'], /: expected --train with a file to learn from, or --task with --data$/],
    [onFiles('--tags', '--text', 'a', '--label', 'b'), /: --tags is for files of words, which have no such columns; leave out --text, --label$/],
    [onFiles('--spans'), /: only files of words, --tags, have such columns; leave out --spans$/],
    [onFiles('--data', folder), /: --data is the folder of a --task, and --train names files; leave out --data$/],
    [[at('encoder'), '--task', 'rte', '--data', folder, '--dev', at('dev.csv')], /: --task rte knows its files in --data; leave out --dev$/],
    [[at('encoder'), '--task', 'brown', '--dev', at('dev.csv')], /: without --train the Brown corpus is taken from its package; leave out --dev$/],
    [[at('encoder'), '--task', 'cook'], /there is no task 'cook'; choose brown, cola, /],
    [[at('encoder'), '--task', 'rte'], /--task rte needs --data, the folder with train\.tsv, dev\.tsv, test\.tsv/],
    [[at('nowhere'), '--train', at('train.csv')], /nowhere: expected a model folder/],
    [onFiles('--seq', '40'), /--seq: the model has 16 positions, got 40/],
    [[at('encoder'), '--task', 'brown', '--seq', '16', '--pooling', 'mean'], /--pooling mean: tags are read of each token, not of a text; leave it out/],
  ];
  for (const [args, message] of cases) {
    const { code, output } = await finetune([...args, '--quiet', '--out', at('wrong')]);
    assert.is(code, 1, output);
    assert.match(output.trim(), message);
    assert.is(output.trim().split('\n').length, 1, output);
    if (args.includes('--seq')) assert.not.ok(existsSync(at('wrong')), 'a flag is refused before there is a folder');
    rmSync(at('wrong'), { recursive: true, force: true });
  }
});

test.run();
