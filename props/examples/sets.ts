/** Laws of the example sets: their official files, where they are there, are read to the last row, with the labels they have. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as sets from '../../examples/finetune/sets.ts';
import { goldOf, labelsOf, questions, requireLabels, splitRows } from '../../lib/index.ts';
import type { Row, TaskDeclaration } from '../../lib/index.ts';
import { readRows } from '../../lib/node.ts';
import { skip } from '../laws/present.ts';

const test = suite('sets');
const folder = fileURLToPath(new URL('../../../shared/data/labelled', import.meta.url));

/** Rows of the training, dev and test file, and different labels, as the sets' publications count them. */
const counts = [
  [sets.smsSpam, 'sms-spam', { train: 5574, labels: 2 }],
  [sets.banking77, 'banking77', { train: 10_003, test: 3080, labels: 77 }],
  [sets.snips, 'snips', { train: 13_084, dev: 700, test: 700, labels: 7 }],
  [sets.ud, 'ud', { train: 12_544, dev: 2001, labels: 17 }],
  [sets.wnut17, 'wnut17', { train: 3394, dev: 1009, labels: 13 }],
  [sets.germeval, 'germeval2018', { train: 5009, test: 3532, labels: 2 }],
  [sets.nsmc, 'nsmc', { train: 40_000, labels: 2 }],
  [sets.smsa, 'indonlu-smsa', { train: 11_000, dev: 1260, labels: 3 }],
] as const;

test('every set is read to its last row, each with a label that the training rows have', () => {
  for (const [set, name, expected] of counts) {
    const declaration: TaskDeclaration<Row> = set;
    const path = (file: string) => join(folder, name, file.endsWith('ud-train.conllu') ? 'en_ewt-train-rebuilt.conllu.gz' : file);
    const named = (['train', 'dev', 'test'] as const).flatMap((split) => {
      const files = split in expected ? declaration.files?.[split] : undefined;
      return files === undefined ? [] : [[split, [files].flat().map(path)] as const];
    });
    if (!named.every(([, files]) => files.every((file) => existsSync(file)))) {
      skip(`the set ${name} is not there`);
      continue;
    }
    const read = named.map(([split, files]) => [split, readRows(declaration, files)] as const);
    const [[, learnt]] = read;
    const labels = labelsOf(declaration, learnt);
    assert.equal({ ...Object.fromEntries(read.map(([split, { length }]) => [split, length])), labels: labels.length }, expected, name);
    const all = read.flatMap(([, rows]) => rows);
    requireLabels(labels, all);
    assert.ok(all.every((row) => goldOf(row) !== undefined));
  }
});

test('of SMS Spam, which has messages twice and more, none is both learned from and held out', () => {
  const path = join(folder, 'sms-spam', 'SMSSpamCollection');
  if (!existsSync(path)) return skip('the set sms-spam is not there');
  const rows = readRows(sets.smsSpam, path);
  const { train, dev } = splitRows([0, 0], rows, 0.2);
  const [learnt, held] = [train, dev].map((side) => new Set(side.map(({ text }) => text)));
  assert.ok(learnt.size + held.size < rows.length);
  assert.is(new Set([...learnt, ...held]).size, learnt.size + held.size);
  assert.ok(Math.abs(dev.length / rows.length - 0.2) < 0.02, `${dev.length}`);
});

test('every answer of XQuAD, in German and Chinese too, is at its place', () => {
  for (const language of ['en', 'de', 'zh']) {
    const path = join(folder, 'xquad', `xquad.${language}.json`);
    if (existsSync(path)) assert.is(readRows(questions({}), path).length, 1190);
    else skip('XQuAD is not there');
  }
});

test.run();
