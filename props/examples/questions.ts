/** Laws of the programs answer and blimp, as a reader would start them, on a small model made here. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { saveModels } from '../../examples/pretrain/models.ts';
import { initState, minimalPairs, originality, pseudoLikelihood, trainWordPiece, WordPiece } from '../../lib/index.ts';
import { readRows } from '../../lib/node.ts';
import { squad2 } from '../../lib/tasks/tasks.ts';
import { optimiser, small } from '../electra/small.ts';

const test = suite('questions');
const root = fileURLToPath(new URL('../../', import.meta.url));
const questions = fileURLToPath(new URL('questions.json', import.meta.url));
const pairs = fileURLToPath(new URL('pairs.jsonl', import.meta.url));
let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'amber-questions-'));
});
test.after.each(() => rmSync(folder, { recursive: true }));

const run = async (name: string, ...args: string[]) => {
  const { FORCE_COLOR: _, AMBER_DEVICE: __, ...env } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', `examples/${name}.ts`, ...args], { cwd: root, env });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await ended, out, err };
};

/** A model that was never trained, in the folder. */
const makeModel = async () => {
  const words = readRows(squad2, questions).flatMap(({ context, question }) => [context, question]);
  const tokenizer = new WordPiece(trainWordPiece(words, { size: 200, lowerCase: true }), { lowerCase: true });
  const config = { ...small, vocabSize: tokenizer.vocab.length, maxPositions: 48, special: tokenizer.special };
  const state = initState(config, optimiser(), 1);
  await saveModels({ discriminator: join(folder, 'discriminator'), generator: join(folder, 'generator') }, config, state, { tokenizer });
  return { config, tokenizer, params: state.params };
};

test('a model that learned to answer is judged the same from its folder, and all its answers stand in their contexts', async () => {
  await makeModel();
  const rows = new Map(readRows(squad2, questions).map((row) => [row.id, row]));
  for (const head of ['google', 'huggingface']) {
    const out = join(folder, head);
    const learned = await run('answer', folder, '--train', questions, '--out', out, '--head', head, '--epochs', '1');
    assert.equal([learned.status, learned.err], [0, '']);
    assert.match(learned.out, /^5 questions to learn from, in \d+ windows of up to 48 tokens; \d+ of these hold the answer, 0 misaligned, 0 of them within a longer token\nstep /);
    assert.match(learned.out, /\n4 questions judged: F1 \d.* exact match \d.*\n {2}3 with an answer: .*\n {2}1 without: /);
    const again = await run('answer', out, '--dev', questions, '--predictions', join(folder, 'again.json'));
    assert.equal([again.status, again.err], [0, '']);
    const [first, second] = [join(out, 'predictions.json'), join(folder, 'again.json')].map((file) => JSON.parse(readFileSync(file, 'utf8')));
    assert.equal(Object.keys(second), [...rows.keys()]);
    assert.equal(Object.keys(first).length, 4);
    for (const [id, answer] of Object.entries(first)) assert.is(second[id], answer);
    for (const [id, answer] of Object.entries<string>(second)) assert.ok(rows.get(id)!.context.includes(answer));
  }
});

test('questions without right answers are answered as others are, and not judged, which is said', async () => {
  await makeModel();
  const out = join(folder, 'squad');
  assert.is((await run('answer', folder, '--train', questions, '--out', out, '--epochs', '1')).status, 0);
  const file = JSON.parse(readFileSync(questions, 'utf8'));
  const rows = readRows(squad2, questions);
  for (const { paragraphs } of file.data) for (const { qas } of paragraphs) for (const one of qas) delete one.answers;
  const bare = join(folder, 'bare.json');
  writeFileSync(bare, JSON.stringify(file));
  const asked = (dev: string, ...more: string[]) => run('answer', out, '--dev', dev, ...more);
  const shown = await asked(bare);
  assert.equal([shown.status, shown.err], [0, '']);
  const [first, ...lines] = shown.out.trimEnd().split('\n');
  assert.is(first, `${rows.length} questions answered, not judged, since ${rows.length} of them have no right answers to compare with; each gets an answer, without --threshold`);
  assert.equal(lines.map((line) => line.split('  →  ')[0]), rows.map(({ question }) => question));
  assert.ok(lines.every((line, i) => rows[i].context.includes(line.split('  →  ')[1])));
  // Asked for as surely, the answers are those that are judged where it is known what is right.
  const sure = ['--threshold', '0.5', '--predictions'];
  const [known, unknown] = [join(folder, 'known.json'), join(folder, 'unknown.json')];
  assert.match((await asked(questions, ...sure, known)).out, /questions judged: F1/);
  assert.match((await asked(bare, ...sure, unknown)).out, /^\d+ questions answered, not judged.*with\nwrote /);
  assert.is(readFileSync(unknown, 'utf8'), readFileSync(known, 'utf8'));
});

test('what answer cannot do it says in a sentence', async () => {
  await makeModel();
  for (const [args, message] of [
    [[], 'give --train, --dev or both'],
    [['--dev', questions], 'does not answer questions yet; give --train, and it learns to'],
    [['--train', pairs], 'expected JSON in SQuAD'],
  ] as const) {
    const { status, err } = await run('answer', join(folder, 'discriminator'), ...args);
    assert.is(status, 1);
    assert.match(err, /^answer: [^\n]*\n$/);
    assert.ok(err.includes(message), err);
  }
});

test('blimp counts the pairs whose right sentence has the higher score, by phenomenon', async () => {
  const { config, tokenizer, params } = await makeModel();
  const { status, out, err } = await run('blimp', folder, pairs);
  assert.equal([status, err], [0, '']);
  const all = minimalPairs(readFileSync(pairs, 'utf8'), 'pairs');
  const right = [];
  for (const scorer of [pseudoLikelihood, originality]) {
    const scores = await scorer(params, config, tokenizer)(all.flatMap(({ good, bad }) => [good, bad]));
    right.push(all.map((_, i) => Number(scores[2 * i] > scores[2 * i + 1])));
  }
  for (const name of ['anaphor_agreement', 'npi_licensing', 'subject_verb_agreement', 'all']) {
    const chosen = [...all.keys()].filter((i) => name === 'all' || all[i].phenomenon === name);
    const [g, d] = right.map((column) => ((100 * chosen.reduce((sum, i) => sum + column[i], 0)) / chosen.length).toFixed(1));
    assert.match(out, new RegExp(`^${name} +${chosen.length} +${g} \\(.* to .*\\) +${d} \\(.* to .*\\)$`, 'm'));
  }
});

test.run();
