/**
 * Laws of predict and embed as a reader starts them, on small models made here: lines in and out stand beside each other,
 * every format gives what the library gives, and what is wrong with a line is said with its place.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  classifier,
  embedder,
  initElectra,
  initTaskHead,
  key,
  regressor,
  split,
  tagger,
  withTaskHead,
  WordPiece,
} from '../../lib/index.ts';
import type { Model } from '../../lib/node.ts';
import { saveModel } from '../../lib/node.ts';
import { small } from '../electra/small.ts';

const test = suite('predict programs');
const root = fileURLToPath(new URL('../../', import.meta.url));
const tokenizer = new WordPiece(
  ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...'abcdefgh', '##a', '##b', '##c', '##d', ...'.,!-', 'paris', 'fr'],
  { lowerCase: true },
);
let folder = '';
test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'amber-predict-'));
});
test.after(() => rmSync(folder, { recursive: true }));

const modelFor = (task: 'classification' | 'tagging', labels: string[]): Model => {
  const { params, head } = split(key(3), 'params', 'head');
  return {
    config: small,
    tokenizer,
    task,
    labels,
    params: withTaskHead(initElectra(params, small), initTaskHead(head, task, labels.length, small)),
  };
};
const save = async (name: string, model: Model): Promise<string> => {
  await saveModel(join(folder, name), model);
  return join(folder, name);
};

const run = async (name: string, args: string[], input = '') => {
  const { FORCE_COLOR: _, AMBER_DEVICE: __, ...env } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', `examples/${name}.ts`, ...args], { cwd: root, env });
  child.stdin.on('error', () => undefined).end(input);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await ended, out, err };
};
const jsonLines = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const collect = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const one of stream) found.push(one);
  return found;
};
const near = (x: unknown, y: number) => assert.ok(Math.abs(Number(x) - y) < 2e-6, `${x} for ${y}`);

test('predict answers every line with a line: the fields that came, the class and its probability; of an empty text, null', async () => {
  const model = modelFor('classification', ['ham', 'spam']);
  const dir = await save('classes', model);
  const rows = Array.from({ length: 40 }, (_, i) => ({
    text: i === 7 ? '' : `${'a bad cab '.repeat(i % 3)}${'abcdefgh'[i % 8]}`,
  }));
  const plain = await run('predict', [dir], rows.map(({ text }) => text).join('\r\n'));
  assert.equal([plain.status, plain.err], [0, '1 of 40 texts are empty: nothing is predicted of them\n']);
  const expected = await collect(classifier(model)(rows));
  const check = (lines: Record<string, unknown>[]) => {
    assert.is(lines.length, 40);
    lines.forEach(({ text, predicted, probability }, i) => {
      assert.equal([text, predicted], [rows[i].text, i === 7 ? null : expected[i].label]);
      if (i !== 7) near(probability, expected[i].probability);
    });
  };
  check(jsonLines(plain.out));

  const file = join(folder, 'rows.jsonl');
  writeFileSync(file, rows.map((row, id) => JSON.stringify({ id, ...row })).join('\n'));
  const out = join(folder, 'out.jsonl');
  const named = await run('predict', [dir, file, '--out', out, '--all', '--batch-tokens', '7']);
  assert.equal([named.status, named.out], [0, '']);
  const lines = jsonLines(readFileSync(out, 'utf8'));
  check(lines);
  lines.forEach(({ id, probabilities }, i) => {
    assert.is(id, i);
    if (i !== 7) Object.values(probabilities as object).forEach((p, k) => near(p, expected[i].probabilities[k]));
  });
});

test('predict gives a value for a pair, and a tag for each word; embed a vector, the same in JSONL and .npy', async () => {
  const valued = modelFor('classification', ['value']);
  const rows = [
    { text: 'a bad', pair: 'cab.' },
    { text: 'h, "a"', pair: 'Paris' },
  ];
  const csv = 'first,second\n"a bad",cab.\n"h, ""a""",Paris\n';
  const values = await run(
    'predict',
    [await save('values', valued), '--format', 'csv', '--text', 'first', '--pair', 'second'],
    csv,
  );
  const expected = await collect(regressor(valued)(rows));
  jsonLines(values.out).forEach(({ first, predicted }, i) => {
    assert.is(first, rows[i].text);
    near(predicted, expected[i].value);
  });
  assert.is(jsonLines(values.out).length, 2);

  const tags = modelFor('tagging', ['X', 'Y', 'Z']);
  const tagged = await run('predict', [await save('tags', tags)], 'a bad  cab\n\n');
  const [right] = await collect(tagger(tags)([{ words: ['a', 'bad', 'cab'] }]));
  const [first, second] = jsonLines(tagged.out);
  assert.equal([first.words, first.predicted, second.predicted], [['a', 'bad', 'cab'], right.tags, []]);

  const npy = join(folder, 'vectors.npy');
  await run('embed', [join(folder, 'tags'), '--out', npy], 'a bad\n\ncab\n');
  const lines = jsonLines((await run('embed', [join(folder, 'tags')], 'a bad\n\ncab\n')).out);
  const bytes = readFileSync(npy);
  const vectors = await collect(embedder(tags)(['a bad', '', 'cab'].map((text) => ({ text }))));
  const { hiddenSize: c } = small.discriminator;
  assert.is(bytes.length, 128 + 4 * 3 * c);
  assert.match(
    bytes.subarray(0, 128).toString('latin1'),
    new RegExp(
      `^\\x93NUMPY\\x01\\x00\\x76\\x00\\{'descr': '<f4', 'fortran_order': False, 'shape': \\(3, ${c}\\), \\} +\\n$`,
    ),
  );
  vectors.forEach(({ vector }, i) =>
    vector.forEach((x, k) => {
      near(bytes.readFloatLE(128 + 4 * (i * c + k)), x);
      near((lines[i].vector as number[])[k], x);
    }),
  );
});

test('a reader that goes away ends predict quietly', async () => {
  const dir = await save('quiet', modelFor('classification', ['ham', 'spam']));
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/predict.ts', dir], { cwd: root });
  child.stdin.on('error', () => undefined);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  child.stdin.write('a bad cab\n'.repeat(20_000));
  child.stdout.once('data', () => {
    child.stdout.destroy();
    child.stdin.end('a\n'.repeat(20_000));
  });
  const err = await text(child.stderr);
  assert.equal([await ended, err], [0, '']);
});

test('what is wrong with a line is said in one sentence with its place, after the answers to all lines before', async () => {
  const dir = await save('strict', modelFor('classification', ['ham', 'spam']));
  const { embeddings, discriminator } = initElectra(key(1), small);
  const pretrained = await save('pretrained', { config: small, tokenizer, params: { embeddings, discriminator } });
  const cases: [args: string[], input: string, answers: number, message: RegExp][] = [
    [
      [dir, '--format', 'jsonl'],
      '{"text":"a"}\n{"text":"b"}\n{"txt":"c"}',
      2,
      /standard input:3: there is no 'text'; there are 'txt'/,
    ],
    [[dir, '--format', 'jsonl'], '{"text":"a"}\n\nnonsense', 1, /standard input:3: expected one JSON object a line/],
    [[dir, '--format', 'jsonl'], '{"text":7}', 0, /standard input:1: expected a string as 'text', got 7/],
    [[dir, '--format', 'tsv'], 'id\ttext\n1\ta\n2', 1, /standard input:3: expected 2 fields, as in line 1, got 1/],
    [[dir, '--format', 'csv'], 'id,text\n1,a\n2', 1, /standard input:3: expected 2 fields, as in line 1, got 1/],
    [[dir, join(folder, 'absent.txt')], '', 0, /cannot read \S+absent\.txt: /],
    [
      [pretrained],
      'a',
      0,
      /pretrained was not fine-tuned, but is a discriminator; examples\/finetune\.ts fine-tunes a discriminator/,
    ],
    [[folder], 'a', 0, /expected a model folder/],
  ];
  const ends = await Promise.all(cases.map(([args, input]) => run('predict', args, input)));
  ends.forEach(({ status, out, err }, i) => {
    assert.match(err, cases[i][3]);
    assert.equal(
      [status, out === '' ? 0 : jsonLines(out).length, err.trimEnd().split('\n').length],
      [1, cases[i][2], 1],
      err,
    );
  });
});

test('predict reads a table without a header, columns by number, plain and packed, as it reads the same one with names', async () => {
  const dir = await save('numbered', modelFor('classification', ['ham', 'spam']));
  const rows = [
    ['ham', 'a bad cab'],
    ['ham', ''],
    ['spam', 'h, "a"'],
  ];
  const csv = rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')).join('\n');
  const tsv = rows.map((row) => row.join('\t')).join('\r\n');
  const file = (name: string, content: string | Uint8Array) => (
    writeFileSync(join(folder, name), content),
    join(folder, name)
  );
  const named = await run('predict', [dir, file('named.csv', `kind,text\n${csv}`)]);
  const expected = jsonLines(named.out);
  assert.equal([named.status, expected.length], [0, 3]);
  const numbered = [
    [file('numbered.csv', csv), '--text', '1'],
    [file('numbered.tsv', tsv), '--text', '-1'],
    [file('numbered.csv.gz', gzipSync(csv)), '--text', '1'],
    [file('numbered.tsv.GZ', gzipSync(tsv)), '--text', '1'],
    [file('lines.gz', gzipSync(rows.map(([, text]) => text).join('\n')))],
    [file('rows.jsonl.gz', gzipSync(rows.map(([kind, text]) => JSON.stringify({ kind, text })).join('\n')))],
  ];
  const ends = await Promise.all(numbered.map((args) => run('predict', [dir, ...args])));
  ends.forEach(({ status, out, err }, i) => {
    assert.is(status, 0, err);
    const lines = jsonLines(out);
    assert.equal(
      lines.map(({ predicted, probability }) => [predicted, probability]),
      expected.map(({ predicted, probability }) => [predicted, probability]),
    );
    if (i < 4) lines.forEach(({ 0: kind, 1: text }, row) => assert.equal([kind, text], rows[row]));
  });
  const broken = await run('predict', [dir, file('broken.csv.gz', gzipSync(csv).subarray(0, 40)), '--text', '1']);
  assert.equal([broken.status, jsonLines(broken.out).length], [1, 2]);
  assert.match(broken.err, /^predict: \S+broken\.csv\.gz is not a whole gzip file: .*; fetch or pack it again\n$/);
});

test.run();
