/** Laws of the published head for answers: it is the formula of its file, and in use the same as in training. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import { encoded, withTaskHead } from '../../lib/electra/heads.ts';
import { initElectra } from '../../lib/electra/params.ts';
import type { SpanOptions, SpanParams } from '../../lib/electra/spans.ts';
import { answerAfter, answerBeam, initSpanHead, spanLoss } from '../../lib/electra/spans.ts';
import { grad } from '../../lib/grad.ts';
import { key } from '../../lib/key.ts';
import { linear } from '../../lib/nn/dense.ts';
import { gelu } from '../../lib/ops/gelu.ts';
import { logSoftmax } from '../../lib/ops/softmax.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { tensor } from '../../lib/tensor.ts';
import { leaves, paths } from '../../lib/tree.ts';
import { batchOf, small } from './small.ts';

const test = suite('spans');
test.before.each(async () => void (await useDevice('reference')));

const lengths = [14, 9, 5];
const [b, t, c] = [lengths.length, small.training.sequenceLength, small.discriminator.hiddenSize];
const rows = () => batchOf(lengths);
const tuned = (options: SpanOptions = {}): SpanParams =>
  withTaskHead(initElectra(key(1), small), initSpanHead(key(2), small, { width: 6, ...options }));
const ids = (x: number[]) => tensor(x, [x.length], 'i32');
const values = async (x: Tensor) => Array.from(await x.data());
const near = (a: number[], b: number[], tolerance = 1e-9) => {
  assert.is(a.length, b.length);
  a.forEach((x, i) => assert.ok(Math.abs(x - b[i]) <= tolerance * (1 + Math.abs(b[i])), `${i}: ${x}, not ${b[i]}`));
};
const after = (params: SpanParams, starts: number[]) => answerAfter(key(3), params, rows(), ids(starts), small);

/** Whether an answer may stand there: in the second segment, or at [CLS]. */
const open = async (): Promise<boolean[]> => {
  const { types, attend } = rows();
  const [segment, seen] = [await values(types), await values(attend)];
  return segment.map((s, i) => i % t === 0 || s * seen[i] === 1);
};

test('ends and the missing answer are scored from pairs of hidden states, put side by side', async () => {
  const params = tuned();
  const starts = [8, 0, 3];
  const { start, end, noAnswer } = after(params, starts);
  const h = await values(encoded(key(3), params, rows(), small));
  const at = (row: number, i: number) => h.slice((row * t + i) * c, (row * t + i + 1) * c);
  const score = async (pairs: number[][], { dense, output } = params.task.end) =>
    values(linear(output, gelu(linear(dense!, tensor(pairs.flat(), [pairs.length, 2 * c])))));
  const free = await open();
  const beyond = (x: number[]) => x.map((value, i) => value + (free[i] ? 0 : -1000));

  near(await values(start), beyond(await values(linear(params.task.start, tensor(h, [b * t, c])))));
  const pairs = starts.flatMap((place, row) => Array.from({ length: t }, (_, i) => [...at(row, place), ...at(row, i)]));
  near(await values(end), beyond(await score(pairs)));

  const logs = await values(logSoftmax(start));
  const likely = lengths.map((_, row) =>
    Array.from({ length: c }, (_, j) =>
      Array.from({ length: t }, (_, i) => Math.exp(logs[row * t + i]) * at(row, i)[j]).reduce((x, y) => x + y),
    ),
  );
  near(
    await values(noAnswer!),
    await score(
      likely.map((mean, row) => [...at(row, 0), ...mean]),
      params.task.noAnswer,
    ),
  );
});

test('in use, the ends after a start are those of training with that start, the likeliest first', async () => {
  for (const joint of [true, false]) {
    const params = tuned({ joint });
    const k = 4;
    const beam = answerBeam(key(3), params, rows(), small, k);
    const [starts, startLogs, ends, endLogs] = [
      await values(beam.starts),
      await values(beam.startLogs),
      await values(beam.ends),
      await values(beam.endLogs),
    ];
    const best = (row: number[]) => [...row.keys()].sort((i, j) => row[j] - row[i] || i - j).slice(0, k);
    for (let place = 0; place < k; place++) {
      const chosen = lengths.map((_, row) => starts[row * k + place]);
      const trained = after(params, chosen);
      const [startLog, endLog] = [await values(logSoftmax(trained.start)), await values(logSoftmax(trained.end))];
      lengths.forEach((_, row) => {
        const [s, e] = [startLog, endLog].map((logs) => logs.slice(row * t, (row + 1) * t));
        assert.is(chosen[row], best(s)[place]);
        near([startLogs[row * k + place]], [s[chosen[row]]]);
        const from = (row * k + place) * k;
        assert.equal(ends.slice(from, from + k), best(e));
        near(
          endLogs.slice(from, from + k),
          best(e).map((i) => e[i]),
        );
      });
      near(await values(beam.noAnswer!), await values(trained.noAnswer!));
    }
  }
});

test('nothing outside the text and [CLS] is ever likely, and a beam is never wider than the rows', async () => {
  const free = await open();
  const { start, end } = after(tuned(), [8, 0, 3]);
  for (const logits of [start, end]) {
    (await values(logSoftmax(logits))).forEach((log, i) => assert.is(log > -500, free[i], `${i}: ${log}`));
  }
  assert.equal([...answerBeam(key(3), tuned(), rows(), small, 99).ends.shape], [b, t, t]);
});

test('ends depend on the start only in joint prediction, and a missing answer is scored only if asked for', async () => {
  const ends = async (options: SpanOptions, starts: number[]) => values(after(tuned(options), starts).end);
  assert.equal(await ends({ joint: false }, [8, 0, 3]), await ends({ joint: false }, [1, 2, 4]));
  assert.not.equal(await ends({}, [8, 0, 3]), await ends({}, [1, 2, 4]));
  assert.is(after(tuned({ noAnswer: false }), [0, 0, 0]).noAnswer, undefined);
  const cls = tuned({ noAnswer: 'cls' });
  const h = await values(encoded(key(3), cls, rows(), small));
  const first = tensor(
    lengths.flatMap((_, row) => h.slice(row * t * c, row * t * c + c)),
    [b, c],
  );
  near(await values(after(cls, [0, 0, 0]).noAnswer!), await values(linear(cls.task.noAnswer!.output, first)));
});

test('the loss is (start + end)/2 + (no answer)/2, and every parameter has a gradient from it', async () => {
  const [starts, ends, impossible] = [
    [8, 0, 3],
    [10, 0, 4],
    [0, 1, 0],
  ];
  const lossOf = (params: SpanParams) => spanLoss(after(params, starts), ids(starts), ids(ends), tensor(impossible));
  const params = tuned();
  const { start, end, noAnswer } = after(params, starts);
  const [s, e, n] = [await values(logSoftmax(start)), await values(logSoftmax(end)), await values(noAnswer!)];
  const losses = lengths.map(
    (_, row) =>
      -(s[row * t + starts[row]] + e[row * t + ends[row]]) / 2 +
      Math.log1p(Math.exp(impossible[row] ? -n[row] : n[row])) / 2,
  );
  near([await lossOf(params).item()], [losses.reduce((x, y) => x + y) / b]);
  const slopes = grad(lossOf)(params);
  for (const [i, x] of leaves(slopes).entries()) {
    const path = paths(slopes)[i];
    // Softmax ignores what is added to all of its row: a key's bias, and those of the logits of start and end.
    if (/key\.bias$|task\.(start|end\.output)\.bias$/.test(path)) continue;
    assert.ok(
      (await values(x)).some((value) => value !== 0),
      path,
    );
  }
});

test('a fresh head has the published sizes, Glorot kernels and no biases', async () => {
  const head = initSpanHead(key(5), small);
  const shapes = Object.fromEntries(leaves(head).map(({ shape }, i) => [paths(head)[i], [...shape]]));
  const logit = (name: string) => ({
    [`${name}.dense.kernel`]: [2 * c, 512],
    [`${name}.dense.bias`]: [512],
    [`${name}.output.kernel`]: [512, 1],
    [`${name}.output.bias`]: [1],
  });
  assert.equal(shapes, { 'start.kernel': [c, 1], 'start.bias': [1], ...logit('end'), ...logit('noAnswer') });
  for (const [i, x] of leaves(head).entries()) {
    const drawn = (await values(x)).map(Math.abs);
    const limit = paths(head)[i].endsWith('bias') ? 0 : Math.sqrt(6 / (x.shape[0] + x.shape[1]));
    assert.ok(Math.max(...drawn) <= limit && Math.max(...drawn) >= 0.7 * limit, paths(head)[i]);
  }
});

test('WebAssembly finds the same logits', async () => {
  const logits = async () => {
    const { start, end, noAnswer } = after(tuned(), [8, 0, 3]);
    return [...(await values(start)), ...(await values(end)), ...(await values(noAnswer!))];
  };
  const wanted = await logits();
  await useDevice('wasm');
  near(await logits(), wanted, 1e-4);
});

test.run();
