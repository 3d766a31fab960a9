import { test } from 'uvu';
import * as assert from 'uvu/assert';
import fc from 'fast-check';
import { batchAt, batches, rowsAt } from '../../lib/text/batch.ts';
import { buildExamples, type Examples } from '../../lib/text/examples.ts';

const special = { pad: 0, cls: 2, sep: 3 };
const key = fc.tuple(fc.nat(), fc.nat());

/** As many examples as numbers: row i holds the token 5 + i. */
const numbered = (count: number): Examples =>
  buildExamples(
    Array.from({ length: count }, (_, i) => [[5 + i]]),
    { seq: 5, special, key: [0, 0] },
  );
const namesOf = ({ tokens, t }: { tokens: Int32Array; t: number }): number[] =>
  Array.from(tokens.filter((_, i) => i % t === 1));

const sizes = fc
  .integer({ min: 1, max: 30 })
  .chain((count) => fc.tuple(fc.constant(count), fc.integer({ min: 1, max: count })));

test('every epoch holds every example once, also where batches reach from one epoch into the next', () => {
  fc.assert(
    fc.property(sizes, key, ([count, batch], key) => {
      const examples = numbered(count);
      const stream = Array.from({ length: 3 * count }, (_, step) =>
        namesOf(batchAt(examples, key, step, batch)),
      ).flat();
      const epochs = Math.floor(stream.length / count);
      for (let epoch = 0; epoch < epochs; epoch++) {
        assert.is(new Set(stream.slice(epoch * count, (epoch + 1) * count)).size, count);
      }
    }),
  );
});

test('every epoch has its own order', () => {
  const examples = numbered(30);
  assert.not.equal(namesOf(batchAt(examples, [1, 2], 0, 30)), namesOf(batchAt(examples, [1, 2], 1, 30)));
});

test('a stream begun at a step goes on as the stream from the start', () => {
  fc.assert(
    fc.property(sizes, key, fc.nat({ max: 20 }), ([count, batch], key, start) => {
      const examples = numbered(count);
      const whole = batches(examples, { batch, key });
      for (let step = 0; step < start; step++) whole.next();
      const resumed = batches(examples, { batch, key, start });
      for (let i = 0; i < 3; i++) assert.equal(resumed.next().value, whole.next().value);
    }),
    { numRuns: 50 },
  );
});

test('epochs count what has been read', () => {
  assert.is(batchAt(numbered(10), [0, 0], 0, 5).epochs, 0.5);
  assert.is(batchAt(numbered(10), [0, 0], 3, 5).epochs, 2);
});

test('types mark segment B, and attention everything but padding', () => {
  const sentence = fc.array(fc.integer({ min: 5, max: 99 }), { minLength: 1, maxLength: 12 });
  const corpus = fc.array(fc.array(sentence, { minLength: 1 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(corpus, key, (documents, key) => {
      const examples = buildExamples(documents, { seq: 16, special, key });
      const indices = Array.from({ length: examples.count }, (_, i) => i);
      const { b, t, tokens, types, attend } = rowsAt(examples, indices);
      assert.equal([b, t], [examples.count, 16]);
      assert.equal(tokens, examples.tokens);
      tokens.forEach((token, i) => {
        const [row, at] = [Math.floor(i / t), i % t];
        assert.is(attend[i], token === special.pad ? 0 : 1);
        assert.is(types[i], at >= examples.splits[row] && at < examples.lengths[row] ? 1 : 0);
      });
    }),
  );
});

test('a corpus shorter than one batch, a step or row that is none: clear errors', () => {
  assert.throws(() => batchAt(numbered(3), [0, 0], 0, 4), /there are 3 examples, fewer than one batch of 4/);
  assert.throws(() => batchAt(numbered(3), [0, 0], -1, 2), /a step of 0 or more, got -1/);
  assert.throws(() => batchAt(numbered(3), [0, 0], 0, 0), /a batch of 1 or more, got 0/);
  assert.throws(() => rowsAt(numbered(3), [3]), /indices from 0 to 2, got 3/);
});

test.run();
