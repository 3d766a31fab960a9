/** Laws of fine-tuning as declared: what was scored is what is returned, for every kind of task and head. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import type { HeadStyle } from '../../lib/electra/heads.ts';
import { configs } from '../../lib/electra/config.ts';
import { initElectra } from '../../lib/electra/params.ts';
import { key } from '../../lib/key.ts';
import { scoped } from '../../lib/memory.ts';
import { metrics, table, tags } from '../../lib/tasks/declare.ts';
import { takenBy } from '../../lib/tasks/evaluate.ts';
import { goldOf } from '../../lib/tasks/labels.ts';
import { completed } from '../../lib/tasks/learn.ts';
import type { TaggedRow, TaskDeclaration, TextRow } from '../../lib/tasks/task.ts';
import type { Start, TaskSettings } from '../../lib/tasks/tune.ts';
import { finetuneTask, judge } from '../../lib/tasks/tune.ts';
import { WordPiece } from '../../lib/text/wordpiece.ts';
import { small } from '../electra/small.ts';

const test = suite('tune');
test.before.each(async () => void (await useDevice('wasm')));

const letters = [...'abcdefghijklmnopqr'];
const start: Start = {
  config: small,
  tokenizer: new WordPiece(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...letters], { lowerCase: true }),
  params: () =>
    scoped(() => {
      const { embeddings, discriminator } = initElectra(key(1), small);
      return { embeddings, discriminator };
    }),
};
const settings: TaskSettings = { epochs: 3, batchSize: 8, learningRate: 1e-2, layerDecay: 1, seed: 7, sequenceLength: 12 };

const rows = (label: (i: number) => string | number): TextRow[] =>
  Array.from({ length: 30 }, (_, i) => ({ where: `made up:${i + 1}`, text: `${letters[i % 7]} ${letters[i % 5]}`, pair: letters[i % 3], label: label(i) }));
const tagged: TaggedRow[] = Array.from({ length: 20 }, (_, i) => {
  const words = Array.from({ length: 1 + ((3 * i) % 17) }, (_, k) => letters[(i + k) % 18]);
  return { where: `made up:${i + 1}`, words, tags: words.map((word) => (word < 'e' ? 'A' : word < 'k' ? 'B' : 'C')) };
});

const classes = table({ name: 'classes', text: 'text', metrics: [metrics.macroF1] });
const ranked = table({ name: 'ranked', text: 'text', metrics: [metrics.auc('x')] });
const values = table({ name: 'values', text: 'text', regression: true, metrics: [{ name: 'closeness', of: (p, g) => -p.reduce<number>((sum, x, i) => sum + Math.abs(Number(x) - Number(g[i])), 0) }] });
const words = tags({ name: 'words', word: 0, tag: 1 });

const holds = async <R extends TextRow | TaggedRow>(declaration: TaskDeclaration<R>, all: readonly R[], head: HeadStyle) => {
  const [train, dev] = [all.slice(6), all.slice(0, 6)];
  const { model, best } = await finetuneTask(start, declaration, { train, dev }, { ...settings, head });
  const said = await judge(model, dev);
  const score = declaration.metrics[0].of(takenBy(declaration.metrics[0], said, model.labels), dev.map((row) => goldOf(row)!));
  assert.ok(Math.abs(score - best.score) < 1e-3, `${declaration.name}: ${score}, was ${best.score}`);
  return { model, said };
};

test('the score of the epoch that is kept is that of the model that is returned', async () => {
  for (const head of ['google', 'huggingface'] as const) {
    const { model } = await holds(classes, rows((i) => ['x', 'y', 'z'][i % 3]), head);
    assert.equal(model.labels, ['x', 'y', 'z']);
    assert.is('dense' in model.params.task, head === 'huggingface');
    await holds(ranked, rows((i) => ['x', 'y'][i % 2]), head);
    const valued = await holds(values, rows((i) => 10 + 90 * (i % 2)), head);
    valued.said.forEach(({ predicted }) => assert.ok(Number(predicted) > -40 && Number(predicted) < 150, String(predicted)));
    const { said } = await holds(words, tagged, head);
    assert.equal(said.map(({ predicted }) => predicted.length), tagged.slice(0, 6).map(({ words }) => words.length));
  }
});

test('rows that cannot be learned from or decided by are refused before anything is learned', async () => {
  const all = rows((i) => ['x', 'y'][i % 2]);
  const bare: TextRow = { ...all[3], label: undefined };
  const cases: [train: TextRow[], dev: TextRow[], expected: RegExp][] = [
    [all, [{ ...all[3], label: 'w' }], /^made up:4: the label 'w' is none of the 2 that are known, x, y; training rows must have every label$/],
    [all, [bare], /^made up:4: there is no label to compare with/],
    [all, [], /^expected dev rows, which decide which epoch is kept, got none/],
    [rows(() => 'x'), all, /^expected rows of two classes or more to tell apart, but 'x' is the only one/],
  ];
  for (const [train, dev, expected] of cases) {
    const step = () => assert.unreachable('a step was taken');
    const message = await finetuneTask(start, classes, { train, dev }, settings, { step }).then(() => '', (error: Error) => error.message);
    assert.match(message, expected);
  }
});

test('rows that a task adds to its own are learned too, and leave the dev rows alone', async () => {
  const seen: number[] = [];
  const doubled = { ...classes, augment: (rows: readonly TextRow[]) => [...rows, ...rows] };
  const all = rows((i) => ['x', 'y'][i % 2]);
  for (const declaration of [classes, doubled]) {
    await finetuneTask(start, declaration, { train: all, dev: all.slice(0, 2) }, { ...settings, epochs: 1 }, { step: (_, steps) => (seen[declaration === doubled ? 1 : 0] = steps) });
  }
  assert.equal(seen, [Math.ceil(30 / 8), Math.ceil(60 / 8)]);
});

test('a recipe keeps what it says; what it leaves out is as published for the model’s size', () => {
  for (const task of ['classification', 'tagging', 'answering'] as const) {
    const asked = { epochs: 9, batchSize: 3, sequenceLength: 7, learningRate: 1e-5, layerDecay: 0.5, weightDecay: 0.3, dropout: 0.4, standardise: false, pooling: 'mean', stride: 2 } as const;
    assert.equal(completed(asked, small, task), asked);
    for (const [name, learningRate, layerDecay] of [['small', 3e-4, 0.8], ['base', 1e-4, 0.8], ['large', 5e-5, 0.9]] as const) {
      const published = { epochs: 3, batchSize: 32, sequenceLength: 128, learningRate, layerDecay, weightDecay: 0.01, dropout: 0.1, standardise: false, pooling: 'cls', stride: 128 } as const;
      assert.equal(completed({}, configs[name], task), published);
    }
  }
});

test.run();
