/** Laws of fine-tuning: it learns what can be learned, repeats itself bit for bit, keeps the best, and leaves alone what is frozen. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import { withoutDropout } from '../../lib/electra/config.ts';
import type { TaskParams } from '../../lib/electra/heads.ts';
import { classify, initTaskHead, tag, withTaskHead } from '../../lib/electra/heads.ts';
import { initElectra } from '../../lib/electra/params.ts';
import { finetuneOptimiser } from '../../lib/electra/optimiser.ts';
import { key } from '../../lib/key.ts';
import { scoped } from '../../lib/memory.ts';
import { zeros } from '../../lib/ops/arith.ts';
import { argmax } from '../../lib/ops/reduce.ts';
import { alike } from '../../lib/tasks/encode.ts';
import type { Epoch, Settings, Watch } from '../../lib/tasks/finetune.ts';
import { finetune, finetuneStep } from '../../lib/tasks/finetune.ts';
import type { TagExample, TextExample } from '../../lib/tasks/learn.ts';
import { inRange, rangeOf, tagExamples, tagLearner, textExamples, textLearner, withDropout } from '../../lib/tasks/learn.ts';
import type { TaggedRow, TextRow } from '../../lib/tasks/task.ts';
import { live } from '../../lib/tensor.ts';
import { WordPiece } from '../../lib/text/wordpiece.ts';
import { small, valuesOf } from '../electra/small.ts';

const test = suite('finetune');
test.before.each(async () => void (await useDevice('wasm')));

const letters = [...'abcdefghijklmnopqr'];
const tokenizer = new WordPiece(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...letters], { lowerCase: true });
const config = { ...withDropout(small, 'classification', 'google'), special: tokenizer.special };
const still = withoutDropout(config);
const { layers } = config.discriminator;

const fresh = (outputs: number, task: 'classification' | 'tagging' = 'classification'): TaskParams =>
  scoped(() => withTaskHead(initElectra(key(1), small), initTaskHead(key(2), task, outputs, small)));

const settings: Settings = { epochs: 4, batchSize: 8, learningRate: 1e-2, layerDecay: 1, seed: 7 };

/** Long enough for a network that was not pre-trained to learn by. */
const patient: Settings = { ...settings, epochs: 40, learningRate: 5e-3 };

/** Rows of letters; a row is of class 'yes' when it begins with a, and of class 'no' when with b. */
const rows: TextRow[] = Array.from({ length: 40 }, (_, i) => ({
  where: `made up:${i + 1}`,
  text: [i % 2 === 0 ? 'a' : 'b', letters[2 + (i % 7)], letters[2 + (i % 5)]].join(' '),
  label: i % 2 === 0 ? 'yes' : 'no',
}));
const labels = ['no', 'yes'];
const examples = textExamples(tokenizer, rows, 14, labels);

/** The part of the examples whose likeliest class is theirs. */
const accuracy = async (params: TaskParams): Promise<number> => {
  const { batch } = textLearner(still);
  const found = await scoped(() => argmax(classify(key(0), params, batch(examples), still))).data();
  return examples.filter(({ target }, i) => found[i] === target).length / examples.length;
};

const learn = (more: Partial<Settings> = {}, evaluate = accuracy, watch?: Watch) =>
  finetune(fresh(2), layers, textLearner(config), examples, evaluate, { ...settings, ...more }, watch);

test('classes that one word tells apart are learned without a mistake', async () => {
  const { best, params } = await finetune(fresh(2), layers, textLearner(still), examples, accuracy, patient);
  assert.is(best.score, 1);
  assert.is(await accuracy(params), 1);
});

test('tags that the word itself tells are learned without a mistake, in every window of a long list', async () => {
  const tagged: TaggedRow[] = Array.from({ length: 30 }, (_, i) => {
    const words = Array.from({ length: 1 + ((i * 7) % 24) }, (_, k) => letters[(i + k * 5) % letters.length]);
    return { where: `made up:${i + 1}`, words, tags: words.map((word) => (word < 'h' ? 'EARLY' : 'LATE')) };
  });
  const examples = tagExamples(tokenizer, tagged, 14, ['EARLY', 'LATE']);
  assert.ok(examples.length > tagged.length);
  const { batch } = tagLearner(still);
  const right = async (params: TaskParams) => {
    const all = batch(examples);
    const t = all.tokens.shape[1];
    const found = await scoped(() => argmax(tag(key(0), params, all, still))).data();
    const hits = (example: TagExample, row: number) => example.at.filter((place, i) => found[row * t + place] === example.tags[i]).length;
    return examples.reduce((sum, example, row) => sum + hits(example, row), 0) / examples.reduce((sum, { tags }) => sum + tags.length, 0);
  };
  const { best } = await finetune(fresh(2, 'tagging'), layers, tagLearner(still), examples, right, patient);
  assert.is(best.score, 1);
});

test('values are learned on a scale of their own, and said on that of the rows', async () => {
  const valued = rows.map((row) => ({ ...row, label: row.label === 'yes' ? 70 : 20 }));
  const range = rangeOf(valued);
  assert.equal(range, { low: 20, high: 70 });
  const examples: TextExample[] = textExamples(tokenizer, valued, 14, range);
  assert.equal([...new Set(examples.map(({ target }) => target))].sort(), [0, 1]);
  const { batch } = textLearner(still, { regression: true });
  const say = async (params: TaskParams) => scoped(() => classify(key(0), inRange(params, range), batch(examples), still)).data();
  const error = async (params: TaskParams) => {
    const said = await say(params);
    return -Math.max(...valued.map(({ label }, i) => Math.abs(label - said[i])));
  };
  const { best } = await finetune(fresh(1), layers, textLearner(still, { regression: true }), examples, error, patient);
  assert.ok(best.score > -15, `off by ${-best.score}`);
});

test('a step computed in parts of like length is the step computed as one', async () => {
  await useDevice('reference');
  const texts = ['a', 'a b c d e f g h', 'b c d', 'b a c d e f g h i j'].map((text, i) => ({ where: '', text, label: labels[i % 2] }));
  const examples = textExamples(tokenizer, texts, 14, labels);
  const learner = textLearner(still);
  const optimiser = finetuneOptimiser(layers, { learningRate: 1e-2, steps: 2, warmup: 0 });
  const step = async (parts: (typeof examples)[]) => {
    const params = fresh(2);
    const begin = { params, moments: optimiser.init(params), step: zeros([], 'i32'), key: key(3) };
    const [{ params: learned }, { loss }] = finetuneStep(learner, optimiser)(begin, parts.map(learner.batch));
    return [await valuesOf(learned), await loss.item()] as const;
  };
  assert.is(alike(examples).length, 2);
  const [[parts, lossOfParts], [whole, lossOfWhole]] = [await step(alike(examples)), await step([examples])];
  assert.ok(Math.abs(lossOfParts - lossOfWhole) < 1e-12);
  for (const [path, values] of Object.entries(whole)) values.forEach((x, i) => assert.ok(Math.abs(x - parts[path][i]) < 1e-7, path));
});

test('the same seed gives the same bits, another seed others', async () => {
  const bits = async (seed: number) => valuesOf((await learn({ seed, epochs: 2 })).params);
  const [first, again, other] = [await bits(3), await bits(3), await bits(4)];
  assert.equal(first, again);
  assert.not.equal(first, other);
});

test('the parameters of the best epoch are returned, and nothing is learned once patience is at an end', async () => {
  const scores = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 5, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(scores, fc.integer({ min: 1, max: 4 }), async (scores, patience) => {
      const seen: Record<string, number[]>[] = [];
      const told: Epoch[] = [];
      const evaluate = async (params: TaskParams) => {
        seen.push(await valuesOf(params));
        return scores[seen.length - 1];
      };
      const { params, best, epochs } = await learn({ epochs: 5, patience }, evaluate, { epoch: (epoch) => void told.push(epoch) });
      const at = epochs.indexOf(best);
      assert.equal(told, epochs);
      assert.is(best.score, Math.max(...epochs.map(({ score }) => score)));
      assert.ok(epochs.slice(0, at).every(({ score }) => score < best.score));
      assert.equal(await valuesOf(params), seen[at]);
      assert.is(epochs.length, Math.min(5, epochs.length - 1 - at >= patience ? at + 1 + patience : 5));
    }),
    { numRuns: 4 },
  );
});

test('a frozen encoder does not move by a bit, and its head does', async () => {
  const before = await valuesOf(scoped(() => fresh(2)));
  const after = await valuesOf((await learn({ freeze: true })).params);
  for (const [path, values] of Object.entries(before)) {
    if (path.startsWith('task.')) assert.not.equal(after[path], values, path);
    else assert.equal(after[path], values, path);
  }
});

test('a loss that is no number ends it with the step and what to do', async () => {
  const message = await learn({ learningRate: 1e30 }).then(
    () => '',
    (error: Error) => error.message,
  );
  assert.match(message, /^the loss of step \d+ is (NaN|Infinity); choose a lower learning rate$/);
});

test('stopping ends it after the step, with an evaluation', async () => {
  let steps = 0;
  const { epochs } = await learn({}, accuracy, { step: () => void steps++, stopped: () => steps === 7 });
  assert.is(steps, 7);
  assert.equal(
    epochs.map(({ epoch }) => epoch),
    [1, 1.4],
  );
});

test('what is left alive is the parameters that are returned', async () => {
  const before = live();
  const { params } = await learn({}, async () => 0);
  assert.is(live() - before, Object.keys(await valuesOf(params)).length);
});

test('a row without a label to learn, or with one that nobody knows, is named', () => {
  const wrong = (label?: string) => () => textExamples(tokenizer, [{ ...rows[0], label }], 14, labels);
  assert.throws(wrong('maybe'), /^made up:1: expected a label to learn, one of no, yes, got "maybe"$/);
  assert.throws(wrong(), /^made up:1: expected a label to learn/);
});

test.run();
