/** Laws of configurations: any part may be changed by JSON, and what is misspelt, mistyped or does not fit is named. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ElectraConfig } from '../../lib/electra/config.ts';
import { configs, parseConfig, withoutDropout } from '../../lib/electra/config.ts';

const test = suite('config');

/** The value at a path of keys, and the tree with another value there. */
const paths = (node: object, path: string[] = []): string[][] =>
  Object.entries(node).flatMap(([key, value]) =>
    typeof value === 'object' ? paths(value as object, [...path, key]) : [[...path, key]],
  );

const at = (path: readonly string[], value: unknown): unknown =>
  path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);

const read = (node: unknown, path: readonly string[]): unknown =>
  path.reduce((x, key) => (x as Record<string, unknown>)[key], node);

const anywhere = fc.constantFrom(...paths(configs.tiny));

test('every named configuration is plain JSON data that fits together', () => {
  for (const config of Object.values(configs)) {
    assert.equal(JSON.parse(JSON.stringify(config)), config);
    assert.equal(parseConfig({}, config), config);
    assert.equal(parseConfig(config, configs.tiny), config);
  }
});

test('the published sizes are heads of 64 channels and feed-forward networks four times as wide', () => {
  for (const { discriminator, generator } of [configs.small, configs.base, configs.large]) {
    for (const { hiddenSize, heads, feedForwardSize } of [discriminator, generator]) {
      assert.equal([hiddenSize / heads, feedForwardSize / hiddenSize], [64, 4]);
    }
  }
});

test('a value that is given replaces its own place and nothing else', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.9, noNaN: true }), fc.integer({ min: 1 }), (dropout, steps) => {
      const config = parseConfig({ dropout, training: { steps } });
      assert.equal(config, { ...configs.tiny, dropout, training: { ...configs.tiny.training, steps } });
    }),
  );
});

test('an unknown key is named, wherever it stands, with the keys that are known there', () => {
  fc.assert(
    fc.property(anywhere, (path) => {
      const misspelt = [...path.slice(0, -1), `${path.at(-1)}s`];
      assert.throws(
        () => parseConfig(at(misspelt, 1)),
        (error: Error) =>
          error.message.includes(`unknown key '${misspelt.join('.')}'`) && error.message.includes(path.at(-1)!),
      );
    }),
  );
});

test('a value of another type is named, with what would be right', () => {
  fc.assert(
    fc.property(anywhere, fc.constantFrom('x', 1, true, null, [1], { a: 1 }), (path, value) => {
      if (typeof value === typeof read(configs.tiny, path)) return;
      assert.throws(() => parseConfig(at(path, value)), new RegExp(`'${path.join('\\.')}' should be a \\w+, like`));
    }),
  );
  assert.throws(() => parseConfig({ discriminator: 3 }), /expected an object at 'discriminator', got 3/);
  for (const json of [null, [], 'tiny', 3]) assert.throws(() => parseConfig(json), /expected an object at 'the top'/);
});

test('keys that every object has by birth are unknown too', () => {
  for (const name of ['toString', 'constructor', 'hasOwnProperty', '__proto__']) {
    assert.throws(() => parseConfig(JSON.parse(`{"${name}": {"a": 1}}`)), new RegExp(`unknown key '${name}'`));
  }
});

test('sizes that do not fit together are named', () => {
  const misfits: [unknown, RegExp][] = [
    [{ discriminator: { heads: 5 } }, /hiddenSize 64 is not a multiple of its 5 heads/],
    [{ generator: { heads: 3 } }, /hiddenSize 32 is not a multiple of its 3 heads/],
    [{ training: { sequenceLength: 129 } }, /sequenceLength 129 exceeds maxPositions 128/],
    [{ tying: 'all' }, /tying 'all' needs a generator of the discriminator's size/],
    [{ tying: 'none', initialisation: 'positional' }, /initialisation 'positional' needs shared embeddings/],
    [{ maskProbability: 0 }, /'maskProbability' should be between 0 and 1; got 0/],
    [{ maskProbability: 1.5 }, /'maskProbability' should be between 0 and 1; got 1\.5/],
  ];
  for (const [json, message] of misfits) assert.throws(() => parseConfig(json), message);
});

test('values that cannot be are named', () => {
  const wrong: [string[], unknown][] = [
    [['tying'], 'some'],
    [['initialisation'], 'random'],
    [['dropout'], 1],
    [['dropout'], -0.1],
    [['hideProbability'], 1.1],
    [['temperature'], 0],
    [['vocabSize'], 0],
    [['vocabSize'], 10.5],
    [['discriminator', 'layers'], -1],
    [['generator', 'heads'], 0],
    [['training', 'batchSize'], 0],
    [['training', 'sequenceLength'], 2.5],
    [['training', 'steps'], -1],
    [['special', 'mask'], -1],
  ];
  for (const [path, value] of wrong) {
    assert.throws(
      () => parseConfig(at(path, value)),
      (error: Error) => error.message.includes(path.join('.')) && error.message.includes(JSON.stringify(value)),
      path.join('.'),
    );
  }
});

test('without dropout, nothing else changes', () => {
  const { dropout, attentionDropout, classifierDropout, ...rest } = withoutDropout(configs.base);
  assert.equal([dropout, attentionDropout, classifierDropout], [0, 0, 0]);
  assert.equal({ ...rest, dropout: 0.1, attentionDropout: 0.1, classifierDropout: 0.1 } satisfies ElectraConfig, configs.base);
});

test.run();
