import { test } from 'uvu';
import * as assert from 'uvu/assert';
import fc from 'fast-check';
import { buildExamples, type Examples } from '../../lib/text/examples.ts';
import { unigramEntropy } from '../../lib/text/unigram.ts';

const special = { pad: 0, cls: 2, sep: 3 };
const SPECIAL_IDS = [0, 2, 3, 4];
const examplesOf = (tokens: number[]): Examples => buildExamples([[tokens]], { seq: 8, special, key: [0, 0] });
const close = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, expected ${expected}`);

test('the baseline is the mean of −ln (count + 1) / (N + V) over the held-out tokens', () => {
  // V = 12 − 4 maskable tokens; 5 was seen three times, 6 once, 7 never.
  const baseline = unigramEntropy(examplesOf([5, 5, 5, 6]), examplesOf([5, 6, 7, 7]), SPECIAL_IDS, 12);
  close(baseline, -(Math.log(4 / 12) + Math.log(2 / 12) + 2 * Math.log(1 / 12)) / 4);
});

test('knowing nothing, it is the logarithm of the vocabulary; knowing the text itself, it is less', () => {
  const tokens = fc.array(fc.integer({ min: 5, max: 19 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(tokens, (tokens) => {
      const nothing = unigramEntropy(examplesOf([]), examplesOf(tokens), SPECIAL_IDS, 20);
      close(nothing, Math.log(16));
      const itself = unigramEntropy(examplesOf(tokens), examplesOf(tokens), SPECIAL_IDS, 20);
      assert.ok(itself <= nothing + 1e-9);
    }),
  );
});

test('special tokens held out count for nothing, and nothing held out is an error', () => {
  close(unigramEntropy(examplesOf([5]), examplesOf([4, 5, 4]), SPECIAL_IDS, 12), -Math.log(2 / 9));
  assert.throws(() => unigramEntropy(examplesOf([5]), examplesOf([4]), SPECIAL_IDS, 12), /got none: hold out more/);
  assert.throws(() => unigramEntropy(examplesOf([5]), examplesOf([30]), SPECIAL_IDS, 12), /ids below 12, got 30/);
});

test.run();
