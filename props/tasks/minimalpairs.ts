/** Laws of minimal pairs: scores are the sums that their formulas say, whatever else is in a batch. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import { withoutDropout } from '../../lib/electra/config.ts';
import { discriminate } from '../../lib/electra/discriminator.ts';
import { generate } from '../../lib/electra/generator.ts';
import { initElectra } from '../../lib/electra/params.ts';
import { key } from '../../lib/key.ts';
import { ones, zeros } from '../../lib/ops/arith.ts';
import { logSoftmax } from '../../lib/ops/softmax.ts';
import { minimalPairs, originality, pseudoLikelihood } from '../../lib/tasks/minimalpairs.ts';
import { tensor } from '../../lib/tensor.ts';
import { SPECIAL_TOKENS, WordPiece } from '../../lib/text/wordpiece.ts';
import { small } from '../electra/small.ts';

const test = suite('minimal pairs');
test.before.each(async () => void (await useDevice('reference')));

const tokenizer = new WordPiece([...SPECIAL_TOKENS, ...'abcdefgh', '##a', '##b'], { lowerCase: true });
const config = { ...withoutDropout(small), special: tokenizer.special };
const params = () => initElectra(key(1), config);
const scorers = { 'the generator': pseudoLikelihood, 'the discriminator': originality };

const batch = (ids: number[]) => {
  const shape = [1, ids.length];
  return { tokens: tensor(ids, shape, 'i32'), types: zeros(shape, 'i32'), attend: ones(shape) };
};

/** The two formulas, a sentence at a time and a hidden word at a time. */
const byHand = {
  'the generator': async (text: string): Promise<number> => {
    const { ids } = tokenizer.encode(text);
    let sum = 0;
    for (let i = 1; i < ids.length - 1; i++) {
      const hidden = ids.map((id, j) => (i === j ? tokenizer.special.mask : id));
      const logits = generate(key(0), params(), { ...batch(hidden), at: tensor([i], [1, 1], 'i32') }, config);
      sum += (await logSoftmax(logits).data())[ids[i]];
    }
    return sum;
  },
  'the discriminator': async (text: string): Promise<number> => {
    const one = batch(tokenizer.encode(text).ids);
    const logits = Array.from(await discriminate(key(0), params(), one.tokens, one, config).data());
    return logits.slice(1, -1).reduce((sum, x) => sum + Math.log(1 - 1 / (1 + Math.exp(-x))), 0);
  },
};

const sentence = fc.array(fc.constantFrom('a', 'ba', 'c', 'd', 'zz', 'ea'), { maxLength: 6 }).map((words) => words.join(' '));

for (const name of ['the generator', 'the discriminator'] as const) {
  test(`the score by ${name} is its formula's without dropout, alone and beside other sentences in batches of any size`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sentence, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 60 }), async (sentences, batchTokens) => {
        const dropping = { ...config, dropout: 0.5, attentionDropout: 0.5 };
        const scores = await scorers[name](params(), dropping, tokenizer, { batchTokens })(sentences);
        for (const [i, text] of sentences.entries()) {
          const expected = await byHand[name](text);
          assert.ok(Math.abs(scores[i] - expected) < 1e-6 * (1 + Math.abs(expected)), `${text}: ${scores[i]}, not ${expected}`);
        }
      }),
      { numRuns: 12 },
    );
  });
}

test('pairs keep their sentences, phenomenon and place, and lines that are none are refused by number', () => {
  const line = (fields: object) => JSON.stringify(fields);
  const whole = { sentence_good: 'Cats sleep.', sentence_bad: 'Cats sleeps.', linguistics_term: 'agreement', UID: 'number', pairID: '0' };
  const file = `\uFEFF${line(whole)}\r\n\n${line({ sentence_good: 'a', sentence_bad: 'b' })}\n`;
  assert.equal(minimalPairs(file, 'x.jsonl'), [
    { where: 'x.jsonl:1', good: 'Cats sleep.', bad: 'Cats sleeps.', phenomenon: 'agreement', paradigm: 'number' },
    { where: 'x.jsonl:3', good: 'a', bad: 'b', phenomenon: 'x.jsonl', paradigm: 'x.jsonl' },
  ]);
  assert.throws(() => minimalPairs(`${line(whole)}\n{"sentence_good": "a"}`, 'x.jsonl'), /x\.jsonl:2: expected texts 'sentence_good' and 'sentence_bad', got sentence_good/);
  assert.throws(() => minimalPairs('{}', 'x.jsonl'), /x\.jsonl:1: expected texts .* got neither/);
  assert.throws(() => minimalPairs('{', 'x.jsonl'), /x\.jsonl:1: expected one JSON object a line/);
  assert.throws(() => minimalPairs('\n', 'x.jsonl'), /x\.jsonl: there are no rows in it/);
});

test.run();
