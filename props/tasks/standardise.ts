/** Laws of standardised hidden states: what a head reads varies by one in every channel, and two vectors have changed. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import { initTaskHead, textWidth, withTaskHead } from '../../lib/electra/heads.ts';
import type { Task } from '../../lib/electra/heads.ts';
import type { ElectraConfig, Pooling } from '../../lib/electra/config.ts';
import { initElectra } from '../../lib/electra/params.ts';
import { key } from '../../lib/key.ts';
import { scoped } from '../../lib/memory.ts';
import { tagExamples, tagLearner, textExamples, textLearner, withDropout } from '../../lib/tasks/learn.ts';
import type { HeadInput } from '../../lib/tasks/standardise.ts';
import { standardise } from '../../lib/tasks/standardise.ts';
import { live } from '../../lib/tensor.ts';
import { WordPiece } from '../../lib/text/wordpiece.ts';
import { small, valuesOf } from '../electra/small.ts';

const test = suite('standardise');
test.before.each(async () => void (await useDevice('reference')));

const letters = [...'abcdefghijklmnopqr'];
const tokenizer = new WordPiece(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...letters], { lowerCase: true });
const config = { ...withDropout(small, 'classification', 'google'), special: tokenizer.special };
/** Drawn so that [CLS] sees its neighbours: as published it says nearly the same of all texts at first. */
const fresh = (task: Task, sizes: ElectraConfig = small) =>
  scoped(() => withTaskHead(initElectra(key(1), { ...small, initialisation: 'positional' }), initTaskHead(key(2), task, 2, sizes)));

const words = (i: number) => Array.from({ length: 1 + (i % 7) }, (_, k) => letters[(i + k * 5) % letters.length]);
const rows = Array.from({ length: 24 }, (_, i) => ({ where: `made up:${i + 1}`, words: words(i), text: words(i).join(' '), label: i % 2 ? 'yes' : 'no', tags: words(i).map((w) => (w < 'h' ? 'yes' : 'no')) }));
const labels = ['no', 'yes'];

/** Two batches of different lengths, and what of them is read. */
const readings = {
  classification: (pooling: Pooling = 'cls') => {
    const { batch, read } = textLearner({ ...config, pooling });
    const all = textExamples(tokenizer, rows, 14, labels);
    return { batches: () => [batch(all.slice(0, 9)), batch(all.slice(9))], read };
  },
  tagging: () => {
    const { batch, read } = tagLearner(config);
    const all = tagExamples(tokenizer, rows, 14, labels);
    return { batches: () => [batch(all.slice(0, 9)), batch(all.slice(9))], read };
  },
};

/** The hidden states that count, one after another. */
const counted = async ([hidden, counts]: HeadInput): Promise<Float64Array[]> => {
  const [h, n] = [await hidden.data(), await counts.data()];
  const c = hidden.shape.at(-1)!;
  return Array.from(n).flatMap((count, row) => (count === 1 ? [Float64Array.from(h.slice(row * c, (row + 1) * c))] : []));
};

const assertStandard = (states: readonly Float64Array[]) => {
  for (let channel = 0; channel < states[0].length; channel++) {
    const mean = states.reduce((sum, h) => sum + h[channel], 0) / states.length;
    const variance = states.reduce((sum, h) => sum + (h[channel] - mean) ** 2, 0) / states.length;
    assert.ok(Math.abs(mean) < 1e-6 && Math.abs(variance - 1) < 1e-2, `channel ${channel}: mean ${mean}, variance ${variance}`);
  }
};

for (const task of ['classification', 'tagging'] as const) {
  test(`each channel of what a head for ${task} reads has mean 0 and deviation 1 over the examples`, async () => {
    const { batches, read } = readings[task]();
    const params = standardise(fresh(task), batches(), read);
    const states = (await Promise.all(batches().map((batch) => counted(read(params, batch as never))))).flat();
    const expected = task === 'classification' ? rows.length : rows.reduce((sum, { words }) => sum + words.length, 0);
    assert.is(states.length, expected);
    assertStandard(states);
  });
}

test('a head that reads all layers scales and shifts each channel to mean 0 and deviation 1, and the encoder stays as it is', async () => {
  const sizes: ElectraConfig = { ...config, pooling: 'layers' };
  const { batches, read } = readings.classification('layers');
  const before = await valuesOf(fresh('classification', sizes));
  const params = standardise(fresh('classification', sizes), batches(), read);
  const { gain, bias } = params.task.norm!;
  const [g, b] = [await gain.data(), await bias.data()];
  const states = (await Promise.all(batches().map((batch) => counted(read(params, batch))))).flat();
  assert.is(states[0].length, textWidth(sizes));
  // A channel that hardly varies in a network that was never trained is stretched less.
  const varies = (channel: number) => g[channel] < 9.99;
  const scaled = states.map((h) => h.map((x, i) => x * g[i] + b[i]).filter((_, i) => varies(i)));
  assert.ok(scaled[0].length > sizes.discriminator.hiddenSize);
  assertStandard(scaled);
  const after = await valuesOf({ ...params, task: { output: params.task.output } });
  assert.equal(after, before);
});

test('nothing changes but the last layer norm, and no buffer is left behind', async () => {
  const { batches, read } = readings.classification();
  const before = await valuesOf(fresh('classification'));
  const params = fresh('classification');
  const held = live();
  const after = await valuesOf(standardise(params, batches(), read));
  assert.is(live(), held);
  const changed = Object.keys(before).filter((path) => before[path].some((x, i) => x !== after[path][i]));
  assert.equal(changed.sort(), ['discriminator.encoder.1.feedForward.norm.bias', 'discriminator.encoder.1.feedForward.norm.gain']);
});

test.run();
