/** Laws of fine-tuned networks in use: what batching, padding and streaming leave alone, and what is refused. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ElectraConfig, TrainedModel } from '../../lib/index.ts';
import {
  classifier,
  classify,
  embedder,
  initElectra,
  initTaskHead,
  key,
  live,
  map,
  mul,
  regressor,
  softmax,
  split,
  tag,
  tagger,
  tensor,
  withoutDropout,
  withTaskHead,
  WordPiece,
} from '../../lib/index.ts';
import { encoded } from '../../lib/electra/heads.ts';
import { onEveryDevice } from '../laws/everywhere.ts';
import { small as withDropout } from '../electra/small.ts';

const test = suite('predict');
const everywhere = onEveryDevice(test);
const tokenizer = new WordPiece(
  ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...'abcdefgh', '##a', '##b', '##c', '##d', ...'.,!-', 'paris', 'fr'],
  { lowerCase: true },
);
// Dropout is set, and must not be used.
const small = withoutDropout(withDropout);
const config: ElectraConfig = { ...small, dropout: 0.3, attentionDropout: 0.3, classifierDropout: 0.3 };

/** A network with a large random head, so that its answers differ from text to text. */
const modelFor = (task: 'classification' | 'tagging', outputs: number) => {
  const { params, head } = split(key(3), 'params', 'head');
  const large = map((x) => mul(x, 8), initTaskHead(head, task, outputs, config));
  const labels = Array.from({ length: outputs }, (_, i) => `label ${i}`);
  return { config, tokenizer, task, labels, params: withTaskHead(initElectra(params, config), large) };
};

const text = fc
  .array(fc.constantFrom('a', 'bad', 'cab', 'paris', 'fr', 'h', '.', '!', 'x', 'dad'), { maxLength: 20 })
  .map((words) => words.join(' '));
const row = fc.record({ text, pair: fc.option(text, { nil: undefined }) });
const rows = fc.array(row, { maxLength: 12 });
const wordRow = fc.record({
  words: fc.array(fc.constantFrom('a', 'bad', 'paris', 'Fr!', 'dabbadaba', '猫', '\u0007'), { maxLength: 14 }),
});

const collect = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const one of stream) found.push(one);
  return found;
};
const close = (came: ArrayLike<number>, expected: ArrayLike<number>) => {
  assert.is(came.length, expected.length);
  for (let i = 0; i < came.length; i++)
    assert.ok(Math.abs(came[i] - expected[i]) < 2e-5, `${came[i]} for ${expected[i]}`);
};
const freed = (model: TrainedModel) => map((x) => (x.free('after the test'), x), model.params);

/** [CLS] text [SEP] pair [SEP] as a batch of its own, without padding. */
const alone = (ids: number[], types: number[]) => ({
  tokens: tensor(ids, [1, ids.length], 'i32'),
  types: tensor(types, [1, ids.length], 'i32'),
  attend: tensor(
    ids.map(() => 1),
    [1, ids.length],
  ),
});
const settings = { numRuns: 6 };

everywhere(
  'rows come back in order, each with the probabilities that it has alone and without padding, however they are batched',
  async () => {
    const model = modelFor('classification', 3);
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 100 }), async (rows, batchTokens) => {
        const found = await collect(classifier(model, { batchTokens })(rows));
        assert.equal(
          found.map((one) => one.row),
          rows,
        );
        for (const { row, label, probability, probabilities } of found) {
          const { ids, typeIds } = tokenizer.encode(row.text, row.pair);
          assert.is(model.labels[probabilities.indexOf(Math.max(...probabilities))], label);
          assert.is(probability, Math.max(...probabilities));
          if (ids.length <= config.maxPositions)
            close(probabilities, await softmax(classify(key(0), model.params, alone(ids, typeIds), small)).data());
        }
      }),
      settings,
    );
  },
);

everywhere(
  'a value is the one output of its text; a vector the mean of its tokens, or the vector of [CLS]',
  async () => {
    const model = modelFor('classification', 1);
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 100 }), async (rows, batchTokens) => {
        const short = rows.map(({ text }) => ({ text: text.slice(0, 10) }));
        const values = await collect(regressor(model, { batchTokens })(short));
        const means = await collect(embedder(model, { batchTokens })(short));
        const firsts = await collect(embedder(model, { batchTokens, pooling: 'cls' })(short));
        for (const [i, { text }] of short.entries()) {
          const { ids, typeIds } = tokenizer.encode(text);
          const batch = alone(ids, typeIds);
          close([values[i].value], await classify(key(0), model.params, batch, small).data());
          const h = await encoded(key(0), model.params, batch, small).data();
          const c = small.discriminator.hiddenSize;
          close(firsts[i].vector, h.subarray(0, c));
          close(
            means[i].vector,
            Array.from({ length: c }, (_, k) => ids.reduce((sum, _, at) => sum + h[at * c + k], 0) / ids.length),
          );
        }
      }),
      settings,
    );
  },
);

everywhere('every word has one tag: that of its first piece where the row fits one window', async () => {
  const model = modelFor('tagging', 4);
  await fc.assert(
    fc.asyncProperty(
      fc.array(wordRow, { maxLength: 8 }),
      fc.integer({ min: 1, max: 100 }),
      async (rows, batchTokens) => {
        const found = await collect(tagger(model, { batchTokens })(rows));
        assert.equal(
          found.map((one) => one.row),
          rows,
        );
        for (const {
          row: { words },
          tags,
          probabilities,
        } of found) {
          assert.equal([tags.length, probabilities.length], [words.length, words.length]);
          const pieces = words
            .map((word) => tokenizer.ids(word))
            .map((ids) => (ids.length > 0 ? ids : [tokenizer.special.unk]));
          const ids = [tokenizer.special.cls, ...pieces.flat(), tokenizer.special.sep];
          if (ids.length > config.maxPositions) continue;
          const all = await softmax(
            tag(
              key(0),
              model.params,
              alone(
                ids,
                ids.map(() => 0),
              ),
              small,
            ),
          ).data();
          let at = 1;
          words.forEach((_, i) => {
            const own = all.subarray(at * 4, at * 4 + 4);
            close([probabilities[i]], [Math.max(...own)]);
            close([own[model.labels.indexOf(tags[i])]], [Math.max(...own)]);
            at += pieces[i].length;
          });
        }
      },
    ),
    settings,
  );
});

everywhere(
  'a stream of unknown length is predicted with a constant number of live buffers, and leaves none',
  async () => {
    const model = modelFor('classification', 2);
    const before = live();
    const source = async function* () {
      for (let i = 0; i < 3000; i++) yield { text: 'bad cab '.repeat(i % 3), number: i };
    };
    let most = 0;
    let n = 0;
    for await (const { row } of classifier<{ text: string; number: number }>(model)(source())) {
      assert.is(row.number, n++);
      most = Math.max(most, live());
    }
    assert.is(n, 3000);
    assert.equal([most, live()], [before, before]);
    freed(model);
  },
);

test('a text is read as far as the model was fine-tuned to, unless another length is asked for', async () => {
  const model = modelFor('classification', 2);
  const short = { ...model, sequenceLength: 6 };
  const texts = ['a bad cab paris', 'a bad cab paris fr h', 'a'].map((text) => ({ text }));
  const said = async (model: TrainedModel, maxTokens?: number) =>
    (await collect(classifier(model, { maxTokens })(texts))).map(({ probability }) => probability);
  assert.equal(await said(short), await said(model, 6));
  assert.equal(await said(short, 16), await said(model));
  assert.not.equal(await said(short), await said(model));
});

test('a text that is too long is cut at the end; a model that was trained for something else is refused by name', async () => {
  const model = modelFor('classification', 2);
  const [long, cut] = await collect(classifier(model)([{ text: 'a '.repeat(100_000) }, { text: 'a '.repeat(14) }]));
  close(long.probabilities, cut.probabilities);
  const pretrained = { config, tokenizer, params: initElectra(key(1), config) };
  assert.throws(
    () => classifier(pretrained),
    /expected a model fine-tuned for classification, but this one was not fine-tuned/,
  );
  assert.throws(() => tagger(model), /expected a model fine-tuned for tagging, but this one does classification/);
  assert.throws(() => regressor(model), /2 outputs gives classes, not values; use classifier/);
  assert.throws(() => classifier(modelFor('classification', 1)), /one output gives values, not classes; use regressor/);
  assert.throws(
    () => classifier({ ...model, labels: ['a'] }),
    /expected 2 labels, one for each output of the model, got 1/,
  );
  assert.throws(() => classifier({ ...model, tokenizer: undefined }), /without a tokenizer/);
  assert.throws(() => classifier(model, { maxTokens: 17 }), /at most the model's 16 positions, got 17/);
  assert.throws(
    () => embedder({ config, tokenizer, params: { embeddings: pretrained.params.embeddings } }),
    /expected a discriminator/,
  );
  assert.equal((await collect(embedder(pretrained)([{ text: 'a' }]))).length, 1);
});

test.run();
