/** Laws of the declared tasks: each reads files laid out like the official ones, its test files too, and measures as published. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { tasks } from '../../lib/index.ts';
import type { Row } from '../../lib/index.ts';
import { readRows, UserError } from '../../lib/node.ts';

const test = suite('declarations');

const columns = (...lines: string[]): string => lines.map((line) => line.replaceAll(' | ', '\t')).join('\n');

/** The first row that a task reads, without its place. */
const first = (name: string, text: string, unlabelled = false): Omit<Row, 'where'> => {
  const { where, ...row } = tasks[name].read(text, 'file', { unlabelled })[0];
  assert.match(where, /^file:/);
  return row;
};

test('GLUE’s training files are read as they are laid out, quotes being letters', () => {
  const pair = { text: 'A "b', pair: 'C, d' };
  assert.equal(first('cola', columns('gj04 | 1 |  | A "b', 'gj04 | 0 | * | C')), { text: 'A "b', label: '1' });
  assert.equal(first('sst2', columns('sentence | label', 'A "b | 0')), { text: 'A "b', label: '0' });
  assert.equal(
    first('mrpc', columns('\uFEFFQuality | #1 ID | #2 ID | #1 String | #2 String', '1 | 70 | 71 | A "b | C, d')),
    { ...pair, label: '1' },
  );
  assert.equal(
    first(
      'stsb',
      columns(
        'index | genre | filename | year | old_index | source1 | source2 | sentence1 | sentence2 | score',
        '0 | g | f | y | 1 | none | none | A "b | C, d | 4.500',
      ),
    ),
    { ...pair, label: 0.9 },
  );
  assert.equal(
    first(
      'qqp',
      columns('id | qid1 | qid2 | question1 | question2 | is_duplicate', '1 | cut', '2 | 3 | 4 | A "b | C, d | 0'),
    ),
    { ...pair, label: '0' },
  );
  const mnli =
    'index | promptID | pairID | genre | sentence1_binary_parse | sentence2_binary_parse | sentence1_parse | sentence2_parse | sentence1 | sentence2';
  assert.equal(
    first(
      'mnli',
      columns(`${mnli} | label1 | gold_label`, '0 | 1 | 1n | g | ( | ( | ( | ( | A "b | C, d | neutral | entailment'),
    ),
    { ...pair, label: 'entailment' },
  );
  assert.equal(first('qnli', columns('index | question | sentence | label', '0 | A "b | C, d | not_entailment')), {
    ...pair,
    label: 'not_entailment',
  });
  assert.equal(first('rte', columns('index | sentence1 | sentence2 | label', '0 | A "b | C, d | entailment')), {
    ...pair,
    label: 'entailment',
  });
});

test('GLUE’s test files, of other columns and without labels, are read to be predicted', () => {
  const pair = { text: 'A', pair: 'B' };
  assert.equal(first('cola', columns('index | sentence', '0 | A'), true), { text: 'A' });
  assert.equal(first('sst2', columns('index | sentence', '0 | A'), true), { text: 'A' });
  assert.equal(
    first('mrpc', columns('index | #1 ID | #2 ID | #1 String | #2 String', '0 | 1 | 2 | A | B'), true),
    pair,
  );
  assert.equal(first('stsb', columns('index | genre | sentence1 | sentence2', '0 | g | A | B'), true), pair);
  assert.equal(first('qqp', columns('id | question1 | question2', '0 | A | B'), true), pair);
  assert.equal(first('mnli', columns('index | sentence1 | sentence2', '0 | A | B'), true), pair);
  assert.equal(first('qnli', columns('index | question | sentence', '0 | A | B'), true), pair);
  assert.equal(first('rte', columns('index | sentence1 | sentence2', '0 | A | B'), true), pair);
  assert.throws(
    () => tasks.rte.read(columns('index | sentence1 | sentence2', '0 | A | B'), 'file'),
    /file:2: there is no column 'label'; there are 'index'/,
  );
});

test('SQuAD and CoNLL-2000 are read as they are laid out', () => {
  const file = (qa: object) =>
    JSON.stringify({
      data: [
        { title: 'T', paragraphs: [{ context: 'In 1990 it rained.', qas: [{ id: 'q', question: 'When?', ...qa }] }] },
      ],
    });
  const read = (name: string, qa: object) => tasks[name].read(file(qa), 'file').map(({ where: _, ...row }) => row)[0];
  const asked = { id: 'q', question: 'When?', context: 'In 1990 it rained.' };
  assert.equal(read('squad1', { answers: [{ text: '1990', answer_start: 3 }] }), {
    ...asked,
    answers: [{ text: '1990', start: 3 }],
  });
  assert.equal(read('squad2', { is_impossible: true, answers: [] }), { ...asked, answers: [] });
  const chunks = 'Confidence NN B-NP\nin IN B-PP\nthe DT B-NP\npound NN I-NP\n\n# # B-NP\n6 CD I-NP\n';
  assert.equal(tasks.chunk.read(chunks, 'file'), [
    { where: 'file:1', words: ['Confidence', 'in', 'the', 'pound'], tags: ['S-NP', 'S-PP', 'B-NP', 'E-NP'] },
    { where: 'file:6', words: ['#', '6'], tags: ['B-NP', 'E-NP'] },
  ]);
});

test('metrics, labels, doubled pairs and recipes are the published ones', () => {
  const named = Object.entries(tasks).map(([name, { metrics }]) => [name, metrics.map(({ name }) => name).join(', ')]);
  assert.equal(Object.fromEntries(named), {
    cola: 'Matthews',
    sst2: 'accuracy',
    mrpc: 'accuracy, F1',
    stsb: 'Spearman, Pearson',
    qqp: 'accuracy, F1',
    mnli: 'accuracy',
    qnli: 'accuracy',
    rte: 'accuracy',
    squad1: 'F1, exact match',
    squad2: 'F1, exact match',
    chunk: 'span F1, accuracy',
  });
  // Three right of four; class 1: two predicted, both right, of three.
  const [accuracy, f1] = tasks.mrpc.metrics.map((metric) => metric.of(['1', '1', '0', '0'], ['1', '1', '1', '0']));
  assert.equal([accuracy, f1], [0.75, 0.8]);
  // (c·s − Σ pₖtₖ) / √((s² − Σ pₖ²)(s² − Σ tₖ²)) = (3·4 − (2·3 + 2·1)) / √(8·6)
  assert.is(tasks.cola.metrics[0].of(['1', '1', '0', '0'], ['1', '1', '1', '0']), 4 / Math.sqrt(48));
  const doubled = Object.keys(tasks).filter((name) => tasks[name].augment);
  assert.equal(doubled, ['mrpc', 'stsb']);
  for (const name of doubled) {
    const [row] = [{ where: 'f:1', text: 'a', pair: 'b', label: '1' }];
    assert.equal(tasks[name].augment!([row]), [row, { ...row, text: 'b', pair: 'a' }]);
  }
  assert.equal(
    Object.keys(tasks).filter((name) => tasks[name].recipe.epochs === 10),
    ['stsb', 'rte'],
  );
  assert.equal(tasks.squad2.recipe, { epochs: 2, sequenceLength: 512, stride: 128 });
});

test('rows come from files, packed or not, one or several side by side, and wrong bytes and missing files are told', () => {
  const folder = mkdtempSync(join(tmpdir(), 'amber-rows-'));
  try {
    const write = (name: string, content: string | Uint8Array): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const content = 'sentence\tlabel\r\nfine\t1\r\n';
    const [row] = readRows(tasks.sst2, write('a.tsv', content));
    assert.equal(row, { where: `${join(folder, 'a.tsv')}:2`, text: 'fine', label: '1' });
    assert.equal(readRows(tasks.sst2, write('a.tsv.gz', gzipSync(content))), [
      { ...row, where: `${join(folder, 'a.tsv.gz')}:2` },
    ]);
    const [beside] = readRows(tasks.sst2, [write('text', 'sentence\nfine\n'), write('label', 'label\n1\n')]);
    assert.equal({ ...beside, where: row.where }, row);
    const broken = write('b.tsv', Buffer.concat([Buffer.from('sentence\tlabel\n'), Buffer.from([0xff])]));
    for (const [file, message] of [
      [broken, /b\.tsv is not UTF-8: the byte 0xFF at offset 15/],
      [join(folder, 'none.tsv'), /cannot read .*none\.tsv: there is no such file/],
    ] as const)
      assert.throws(
        () => readRows(tasks.sst2, file),
        (error: Error) => error instanceof UserError && message.test(error.message),
      );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
