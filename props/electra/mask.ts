/** Laws of masking: which tokens may be chosen and how many, what of them is hidden, and that nothing of the text is lost. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { useDevice } from '../../kernels/device/choose.ts';
import type { ElectraConfig } from '../../lib/electra/config.ts';
import { maskSlots, maskTokens, replaceTokens } from '../../lib/electra/mask.ts';
import { fold, key } from '../../lib/key.ts';
import { scoped } from '../../lib/memory.ts';
import { full } from '../../lib/ops/arith.ts';
import type { Tensor } from '../../lib/tensor.ts';
import { tensor } from '../../lib/tensor.ts';
import { present } from '../laws/present.ts';
import { batchOf, small, valuesOf } from './small.ts';

const test = suite('mask');
test.before.each(async () => void (await useDevice('reference')));

/** Rows of x. */
const rows = async (x: Tensor): Promise<number[][]> => {
  const values = [...(await x.data())];
  const [b, n] = x.shape;
  return Array.from({ length: b }, (_, r) => values.slice(r * n, (r + 1) * n));
};

const lengths = fc.array(fc.integer({ min: 2, max: 40 }), { minLength: 1, maxLength: 4 });
const cases = fc.record({ lengths, seed: fc.nat(), probability: fc.constantFrom(0.15, 0.25, 0.5) });

const mask = async (
  { lengths, seed, probability }: { lengths: number[]; seed: number; probability: number },
  change: Partial<ElectraConfig> = {},
) => {
  const batch = batchOf(lengths, { sequenceLength: 40 }, seed % 100);
  const masked = maskTokens(key(seed), batch, { ...small, maskProbability: probability, ...change });
  return { batch, masked, at: await rows(masked.at), tokens: await rows(batch.tokens) };
};

test('chosen positions are distinct, and never special tokens or padding', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (drawn) => {
      const { at, tokens } = await mask(drawn);
      at.forEach((row, r) => {
        const used = row.filter((position) => position !== -1);
        assert.is(new Set(used).size, used.length);
        for (const position of used)
          assert.ok(position < drawn.lengths[r] && tokens[r][position] > 4, `position ${position}`);
      });
    }),
  );
});

/** The nearest whole number; of two, the even one. */
const nearest = (x: number): number => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

test('of a row of n tokens, n · p are chosen, rounded, halves to even: at least one, at most its slots, as far as there are words', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (drawn) => {
      const { at, masked } = await mask(drawn);
      const slots = maskSlots(40, drawn.probability);
      assert.equal(masked.at.shape, [drawn.lengths.length, slots]);
      at.forEach((row, r) => {
        const n = drawn.lengths[r];
        const wanted = Math.min(slots, Math.max(1, nearest(n * drawn.probability)), n - 2);
        assert.is(row.filter((position) => position !== -1).length, wanted, `a row of ${n}`);
      });
    }),
  );
});

test('the slots of a row are those of the published code: 19 of 128, 79 of 512, 130 of 512 at a quarter', () => {
  assert.equal(
    [maskSlots(128, 0.15), maskSlots(512, 0.15), maskSlots(512, 0.25), maskSlots(3, 0.15)],
    [19, 79, 130, 1],
  );
});

test('hidden tokens are [MASK], all others are as they were, and putting the answers back restores the text', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (drawn) => {
      const { batch, masked, at, tokens } = await mask(drawn);
      const [seen, hidden, answers, weights] = await Promise.all(
        [masked.tokens, masked.hidden, masked.answers, masked.weights].map(rows),
      );
      at.forEach((row, r) => {
        const expected = [...tokens[r]];
        row.forEach((position, slot) => {
          assert.is(weights[r][slot], position === -1 ? 0 : 1);
          assert.is(answers[r][slot], position === -1 ? -1 : tokens[r][position]);
          if (hidden[r][slot] === 1) expected[position] = small.special.mask;
        });
        assert.equal(seen[r], expected);
      });
      const restored = replaceTokens(masked.tokens, masked.at, masked.answers);
      assert.equal(await restored.data(), await batch.tokens.data());
    }),
  );
});

test('with replacement, as many are chosen, of the same tokens, each as likely; some twice; and answers restore the text', async () => {
  let repeated = 0;
  await fc.assert(
    fc.asyncProperty(cases, async (drawn) => {
      const { batch, masked, at, tokens } = await mask(drawn, { maskWithReplacement: true });
      at.forEach((row, r) => {
        const used = row.filter((position) => position !== -1);
        const n = drawn.lengths[r];
        const wanted = n < 3 ? 0 : Math.min(row.length, Math.max(1, nearest(n * drawn.probability)));
        assert.is(used.length, wanted, `a row of ${n}`);
        for (const position of used) assert.ok(position < n && tokens[r][position] > 4, `position ${position}`);
        repeated += used.length - new Set(used).size;
      });
      const restored = replaceTokens(masked.tokens, masked.at, masked.answers, true);
      assert.equal(await restored.data(), await batch.tokens.data());
    }),
  );
  assert.ok(repeated > 0);
});

test('different tokens for one position become their mean, rounded down, as published, on every device', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(30521), { minLength: 1, maxLength: 20 }), fc.nat(30521), async (ids, alone) => {
      const mean = Math.floor(ids.reduce((a, b) => a + b) / ids.length);
      for (const device of present.filter((name) => name !== 'gpu')) {
        await useDevice(device);
        const at = tensor([...ids.map(() => 2), 0, -1], [1, ids.length + 2], 'i32');
        const chosen = tensor([...ids, alone, 7], at.shape, 'i32');
        const replaced = replaceTokens(tensor([5, 6, 7], [1, 3], 'i32'), at, chosen, true);
        assert.equal([...(await replaced.data())], [alone, 6, mean]);
      }
    }),
    { numRuns: 20 },
  );
});

test('an unused slot holds −1 and writes nothing', async () => {
  const { batch, masked, at } = await mask({ lengths: [2, 3, 40], seed: 1, probability: 0.15 });
  assert.ok(at[0].every((position) => position === -1) && at[1].slice(1).every((position) => position === -1));
  const overwritten = await rows(replaceTokens(batch.tokens, masked.at, full(masked.at.shape, 99, 'i32')));
  assert.equal(
    overwritten.map((row) => row.filter((token) => token === 99).length),
    [0, 1, 6],
  );
});

test('every word is as likely to be chosen, and 85 % of the chosen are hidden', async () => {
  const counts = new Array<number>(20).fill(0);
  let hidden = 0;
  const rounds = 100;
  const batch = batchOf(new Array<number>(32).fill(20), { sequenceLength: 20 });
  for (let i = 0; i < rounds; i++) {
    const masked = scoped(() => maskTokens(fold(key(7), i), batch, small));
    for (const position of await masked.at.data()) counts[position]++;
    for (const h of await masked.hidden.data()) hidden += h;
  }
  const chosen = 3 * 32 * rounds;
  assert.is(counts[0] + counts[19], 0);
  // Five deviations of a binomial count.
  const near = (count: number, p: number) =>
    assert.ok(Math.abs(count - chosen * p) < 5 * Math.sqrt(chosen * p * (1 - p)), `${count} of ${chosen}, not ${p}`);
  counts.slice(1, -1).forEach((count) => near(count, 1 / 18));
  near(hidden, 0.85);
});

test('the same key hides the same tokens on every device, and another key others', async () => {
  const drawn = { lengths: [40, 40, 30, 11, 3, 2], seed: 5, probability: 0.15 };
  const on = async (device: (typeof present)[number], seed: number) => {
    await useDevice(device);
    const { at, answers, weights, hidden, tokens } = (await mask({ ...drawn, seed })).masked;
    return valuesOf({ at, answers, weights, hidden, tokens });
  };
  const expected = await on('reference', 5);
  for (const device of present) assert.equal(await on(device, 5), expected, device);
  assert.not.equal((await on('reference', 6)).at, expected.at);
});

test('a row of special tokens alone is left as it is', async () => {
  const ids = tensor([2, 3, 4, 0], [1, 4], 'i32');
  const masked = maskTokens(key(0), { tokens: ids, types: full([1, 4], 0, 'i32'), attend: full([1, 4], 1) }, small);
  assert.equal([...(await masked.at.data())], [-1]);
  assert.equal([...(await masked.tokens.data())], [2, 3, 4, 0]);
});

test.run();
