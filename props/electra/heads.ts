/** Laws of the fine-tuning heads beyond the golden numbers: where dropout is, what is not counted, what is refused. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import { withoutDropout } from '../../lib/electra/config.ts';
import type { HeadStyle, Task, TaskHead, TaskParams } from '../../lib/electra/heads.ts';
import {
  answer,
  answeringLoss,
  classificationLoss,
  classify,
  encodedText,
  folded,
  initTaskHead,
  tag,
  taggingLoss,
  textWidth,
  withTaskHead,
} from '../../lib/electra/heads.ts';
import { initElectra } from '../../lib/electra/params.ts';
import { spanShapes, taskShapes } from '../../lib/electra/shapes.ts';
import { initSpanHead, spanOptionsOf } from '../../lib/electra/spans.ts';
import { grad, valueAndGrad } from '../../lib/grad.ts';
import { key, uniform } from '../../lib/key.ts';
import { reshape } from '../../lib/ops/axes.ts';
import { slice } from '../../lib/ops/move.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { tensor } from '../../lib/tensor.ts';
import { leaves, paths } from '../../lib/tree.ts';
import { batchOf, small } from './small.ts';

const test = suite('heads');
test.before.each(async () => void (await useDevice('reference')));

const tuned = (task: Task, outputs: number, style: HeadStyle = 'huggingface'): TaskParams =>
  withTaskHead(initElectra(key(1), small), initTaskHead(key(2), task, outputs, small, style));

const rows = () => batchOf([14, 9, 5]);
const values = async (x: Tensor) => Array.from(await x.data());

test('a fine-tuned network has the parameters that its sizes imply, and no pre-training head', () => {
  const shapesOf = (params: unknown) => leaves(params).map(({ shape }, i) => [paths(params)[i], [...shape]]).sort();
  for (const style of ['google', 'huggingface'] as const) {
    for (const [task, outputs] of [
      ['classification', 3],
      ['tagging', 5],
      ['answering', 2],
    ] as const) {
      const params = tuned(task, outputs, style);
      assert.equal(shapesOf(params), Object.entries(taskShapes(small, task, outputs, style)).sort());
    }
  }
  const head = initSpanHead(key(2), small);
  assert.equal(shapesOf(withTaskHead(initElectra(key(1), small), head)), Object.entries(spanShapes(small, spanOptionsOf(head))).sort());
});

test('dropout of the head acts on classes and tags, by its own rate, and never on answers', async () => {
  const dropped = { ...small, classifierDropout: 0.5 };
  const differs = async (f: (config: typeof small) => Tensor) =>
    String(await values(f(small))) !== String(await values(f(dropped)));
  assert.ok(await differs((config) => classify(key(3), tuned('classification', 3), rows(), config)));
  assert.ok(await differs((config) => tag(key(3), tuned('tagging', 5), rows(), config)));
  assert.not.ok(await differs((config) => answer(key(3), tuned('answering', 2), rows(), config).start));
});

test('a tag of −100 and a place beyond the text are not counted; a place below 0 is the first', async () => {
  const i32 = (x: number[], shape: number[] = [x.length]) => tensor(x, shape, 'i32');
  const one = tensor([1, 2, 0.5, 3, -1, 0], [1, 3, 2]);
  const alone = taggingLoss(tensor([0.5, 3], [1, 1, 2]), i32([1], [1, 1]));
  assert.is(await taggingLoss(one, i32([-100, 1, -100], [1, 3])).item(), await alone.item());
  const span = { start: tensor([1, 2, 3, 0, 1, 0], [2, 3]), end: tensor([0, 1, 0, 2, 1, 0], [2, 3]) };
  const first = { start: tensor([1, 2, 3], [1, 3]), end: span.end };
  const loss = await answeringLoss(span, i32([0, 9]), i32([1, 2])).item();
  assert.is(loss, await answeringLoss(first, i32([0]), i32([1, 2])).item());
  assert.is(loss, await answeringLoss(span, i32([-4, 9]), i32([1, 2])).item());
});

test('a head of one output is a regression by squares', async () => {
  const logits = tensor([1, -2, 0.5], [3, 1]);
  assert.ok(Math.abs((await classificationLoss(logits, tensor([0, 1, 0.5], [3])).item()) - 10 / 3) < 1e-12);
});

test('every parameter has a gradient from the loss of a class', async () => {
  const params = tuned('classification', 3);
  const loss = (params: TaskParams) =>
    classificationLoss(classify(key(0), params, rows(), small), tensor([0, 2, 1], [3], 'i32'));
  const slopes = grad(loss)(params);
  for (const [i, x] of leaves(slopes).entries()) {
    const path = paths(slopes)[i];
    // Softmax ignores what is added to all scores of a query, and that is all that a key's bias does.
    if (!path.endsWith('key.bias'))
      assert.ok(
        (await values(x)).some((v) => v !== 0),
        path,
      );
  }
});

test('a last layer computed for [CLS] alone gives the classes and the gradients of one computed for all tokens', async () => {
  const params = tuned('classification', 3, 'google');
  const labels = () => tensor([0, 2, 1], [3], 'i32');
  const still = withoutDropout(small);
  const alone = (params: TaskParams) => classificationLoss(classify(key(0), params, rows(), still), labels());
  const first = (params: TaskParams) => {
    const tags = tag(key(0), params, rows(), still);
    return classificationLoss(reshape(slice(tags, [0, 0, 0], [3, 1, 3]), [3, 3]), labels());
  };
  const [a, b] = [valueAndGrad(alone)(params), valueAndGrad(first)(params)];
  for (const [i, x] of leaves(a).entries()) {
    const other = await values(leaves(b)[i]);
    (await values(x)).forEach((v, j) => assert.ok(Math.abs(v - other[j]) < 1e-12, `${paths(a)[i]}[${j}]: ${v}, ${other[j]}`));
  }
});

test('a head that reads the mean of a text says the mean of what it says of each token, padding left out', async () => {
  const params = tuned('classification', 3, 'google');
  const still = withoutDropout(small);
  const { sequenceLength: t } = small.training;
  const tags = await values(tag(key(0), params, rows(), still));
  const attend = await values(rows().attend);
  const classes = await values(classify(key(0), params, rows(), { ...still, pooling: 'mean' }));
  for (const row of [0, 1, 2]) {
    const at = Array.from({ length: t }, (_, i) => i).filter((i) => attend[row * t + i] === 1);
    for (const k of [0, 1, 2]) {
      const mean = at.reduce((sum, i) => sum + tags[(row * t + i) * 3 + k], 0) / at.length;
      assert.ok(Math.abs(classes[row * 3 + k] - mean) < 1e-12);
    }
  }
});

test('a head that reads all layers reads the mean of the last one behind those of the others', async () => {
  const still = withoutDropout(small);
  const { embeddings, discriminator } = tuned('classification', 3, 'google');
  const read = (pooling: 'mean' | 'layers') => values(encodedText(key(0), { embeddings, discriminator }, rows(), { ...still, pooling }));
  const [last, all] = [await read('mean'), await read('layers')];
  const { hiddenSize: c, layers } = small.discriminator;
  const width = textWidth({ ...small, pooling: 'layers' });
  assert.is(width, (layers + 1) * c);
  for (const row of [0, 1, 2]) assert.equal(all.slice((row + 1) * width - c, (row + 1) * width), last.slice(row * c, (row + 1) * c));
});

test('folding what scales and shifts its input into its output layer changes nothing that a head says', async () => {
  const params = tuned('classification', 3, 'google');
  const { hiddenSize: c } = small.discriminator;
  const head = { ...params.task, norm: { gain: uniform(key(7), [c]), bias: uniform(key(8), [c]) } };
  const said = (task: TaskHead) => values(classify(key(0), { ...params, task }, rows(), withoutDropout(small)));
  const [before, after] = [await said(head), await said(folded(head))];
  before.forEach((x, i) => assert.ok(Math.abs(x - after[i]) < 1e-12, `${x}, ${after[i]}`));
  assert.is(folded(head).norm, undefined);
});

test("Google's head for classes is one dense layer on [CLS], drawn as Glorot's; for tags it is HuggingFace's without dropout", async () => {
  const head = initTaskHead(key(2), 'classification', 3, small);
  assert.equal(paths(head), ['output.kernel', 'output.bias']);
  const { hiddenSize: c } = small.discriminator;
  const drawn = (await values(head.output.kernel)).map(Math.abs);
  const limit = Math.sqrt(6 / (c + 3));
  assert.ok(Math.max(...drawn) <= limit && Math.max(...drawn) > 0.7 * limit);
  const params = withTaskHead(initElectra(key(1), small), head);
  const still = withoutDropout(small);
  // Of a row, the first token's logits.
  const tags = await values(tag(key(0), params, rows(), still));
  const { sequenceLength: t } = small.training;
  const first = [0, 1, 2].flatMap((row) => tags.slice(row * t * 3, row * t * 3 + 3));
  const classes = await values(classify(key(0), params, rows(), still));
  classes.forEach((x, i) => assert.ok(Math.abs(x - first[i]) < 1e-12));
  const dropped = { ...still, classifierDropout: 0.5 };
  assert.not.equal(await values(classify(key(0), params, rows(), dropped)), classes);
});

test.run();
