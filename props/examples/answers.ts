/** Laws of the exercises of the course: what each asks for, in one sentence. Put your own answer in place of ours, and run them. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { standardise } from '../../examples/answers/01-tensors.ts';
import { slope } from '../../examples/answers/02-gradients.ts';
import { leastSquares } from '../../examples/answers/03-line.ts';
import { collapse } from '../../examples/answers/04-spiral.ts';
import { shuffle } from '../../examples/answers/05-keys.ts';
import { causal } from '../../examples/answers/06-attention.ts';
import { bestPair } from '../../examples/answers/07-wordpiece.ts';
import { maskOne } from '../../examples/answers/08-masked-language-model.ts';
import { ignorance } from '../../examples/answers/09-electra-step.ts';
import { chosenOnly } from '../../examples/answers/10-electra-against-mlm.ts';
import { pairsInOrder } from '../../examples/answers/11-reading-a-discriminator.ts';
import {
  add,
  areaUnderCurve,
  full,
  grad,
  key,
  layerNorm,
  linear,
  maskTokens,
  mean,
  mul,
  normal,
  ones,
  replaceTokens,
  sigmoidCrossEntropy,
  slice,
  softmax,
  split,
  square,
  sub,
  tensor,
  trainWordPiece,
  useDevice,
  zeros,
} from '../../lib/index.ts';
import type { Tensor } from '../../lib/index.ts';
import { small } from '../electra/small.ts';

const test = suite('answers');
test.before.each(async () => {
  await useDevice('reference');
});

const seeds = fc.nat();
const sizes = fc.integer({ min: 2, max: 9 });

/** Fails unless two tensors agree in shape and, to 1e-6, in value. */
const same = async (a: Tensor, b: Tensor): Promise<void> => {
  assert.equal(a.shape, b.shape);
  const [x, y] = [await a.data(), await b.data()];
  x.forEach((value, i) => assert.ok(Math.abs(value - y[i]) < 1e-6, `element ${i}: ${value}, expected ${y[i]}`));
};

const law = <T extends unknown[]>(
  title: string,
  draws: { [K in keyof T]: fc.Arbitrary<T[K]> },
  holds: (...drawn: T) => Promise<void>,
) =>
  test(title, () =>
    fc.assert(
      fc.asyncProperty(fc.tuple(...draws), (drawn) => holds(...(drawn as T))),
      { numRuns: 20 },
    ),
  );

law<[number, number, number]>(
  '1: standardise(x) is the layer norm of x with gain 1 and bias 0',
  [seeds, sizes, sizes],
  async (seed, b, c) => {
    const x = add(mul(normal(key(seed), [b, c]), 3), 5);
    await same(standardise(x), layerNorm(x, ones([c]), zeros([c]), 0));
  },
);

law<[number, number]>(
  "2: slope(x, z) is the gradient of the discriminator's loss",
  [fc.double({ min: -9, max: 9, noNaN: true }), fc.constantFrom(0, 1)],
  async (x, z) => {
    const byGrad = grad((x: Tensor) => sigmoidCrossEntropy(x, tensor([z])))(tensor([x]));
    await same(tensor([slope(x, z)]), byGrad);
  },
);

law<[number, number]>(
  '3: at leastSquares(x, y) the gradient of the mean squared error vanishes',
  [seeds, sizes],
  async (seed, n) => {
    const keys = split(key(seed), 'x', 'y');
    const [x, y] = [normal(keys.x, [n]), normal(keys.y, [n])];
    const slopes = grad(({ slope, intercept }: { slope: Tensor; intercept: Tensor }) =>
      mean(square(sub(add(mul(slope, x), intercept), y))),
    )(leastSquares(x, y));
    await same(slopes.slope, zeros([]));
    await same(slopes.intercept, zeros([]));
  },
);

law<[number, number, number, number]>(
  '4: collapse(first, second) computes what both layers compute',
  [seeds, sizes, sizes, sizes],
  async (seed, n, m, k) => {
    const keys = split(key(seed), 'a', 'b', 'c', 'd', 'x');
    const first = { kernel: normal(keys.a, [n, m]), bias: normal(keys.b, [m]) };
    const second = { kernel: normal(keys.c, [m, k]), bias: normal(keys.d, [k]) };
    const x = normal(keys.x, [4, n]);
    await same(linear(collapse(first, second), x), linear(second, linear(first, x)));
  },
);

law<[number, number]>(
  '5: shuffle(key, n) is an order of 0 … n − 1, the same for the same key',
  [seeds, fc.integer({ min: 1, max: 40 })],
  async (seed, n) => {
    const order = await shuffle(key(seed), n).data();
    assert.equal(
      Array.from(order).sort((a, b) => a - b),
      Array.from({ length: n }, (_, i) => i),
    );
    assert.equal(await shuffle(key(seed), n).data(), order);
  },
);

test('5: shuffle with another key is another order', async () => {
  const [a, b] = [await shuffle(key(1), 40).data(), await shuffle(key(2), 40).data()];
  assert.not.equal(a, b);
});

law<[number, number]>(
  '6: row i of causal(scores) is the softmax of its first i + 1 scores, then zeros',
  [seeds, sizes],
  async (seed, t) => {
    const scores = normal(key(seed), [t, t]);
    const shares = causal(scores);
    for (let i = 0; i < t; i++) {
      await same(slice(shares, [i, 0], [1, i + 1]), softmax(slice(scores, [i, 0], [1, i + 1])));
      await same(slice(shares, [i, i + 1], [1, t - i - 1]), zeros([1, t - i - 1]));
    }
  },
);

const word = fc.array(fc.constantFrom(...'abc'), { minLength: 2, maxLength: 5 }).map((letters) => letters.join(''));
law<[string[]]>(
  '7: no pair occurs more often than bestPair, and trainWordPiece merges one of that count first',
  [fc.array(word, { minLength: 3, maxLength: 30 })],
  async (words) => {
    const pieces = words.map((word) => [...word].map((letter, i) => (i === 0 ? letter : `##${letter}`)));
    const count = (left: string, right: string) =>
      pieces.reduce((n, word) => n + word.filter((piece, i) => piece === left && word[i + 1] === right).length, 0);
    const best = count(...bestPair(pieces));
    const alphabet = new Set(pieces.flat());
    const vocabulary = trainWordPiece([words.join(' ')], {
      size: 5 + alphabet.size + 1,
      lowerCase: true,
      minFrequency: 1,
    });
    const merged = vocabulary[vocabulary.length - 1];
    const firstCounts = [...alphabet].flatMap((left) =>
      [...alphabet]
        .filter((right) => right.startsWith('##') && left + right.slice(2) === merged)
        .map((right) => count(left, right)),
    );
    assert.ok(
      firstCounts.includes(best),
      `bestPair occurs ${best} times; '${merged}' was merged first, which occurs ${firstCounts} times`,
    );
  },
);

const rowOf = (ids: number[]) => ({
  tokens: tensor(ids, [1, ids.length], 'i32'),
  types: zeros([1, ids.length], 'i32'),
  attend: ones([1, ids.length]),
});

law<[number[], number]>(
  '8: maskOne hides one position, and its answer restores the text',
  [fc.array(fc.integer({ min: 5, max: 17 }), { minLength: 2, maxLength: 9 }), fc.nat()],
  async (ids, draw) => {
    const [batch, position] = [rowOf(ids), draw % ids.length];
    const masked = maskOne(batch, position, 4);
    await same(masked.tokens, tensor(ids.with(position, 4), [1, ids.length], 'i32'));
    await same(masked.at, tensor([position], [1, 1], 'i32'));
    await same(replaceTokens(masked.tokens, masked.at, masked.answers), batch.tokens);
    await same(masked.weights, ones([1, 1]));
    await same(masked.hidden, ones([1, 1]));
  },
);

law<[number, number]>(
  '9: at the logit of ignorance(rate) the loss is the one it says, and its slope is 0',
  [fc.integer({ min: 1, max: 9 }), seeds],
  async (replaced, _) => {
    const labels = tensor(Array.from({ length: 10 }, (_, i) => Number(i < replaced)));
    const lossAt = (logit: Tensor) => sigmoidCrossEntropy(mul(ones([10]), logit), labels);
    const { logit, loss } = ignorance(replaced / 10);
    await same(lossAt(tensor([logit], [])), tensor([loss], []));
    await same(grad(lossAt)(tensor([logit], [])), zeros([]));
  },
);

law<[number]>('10: chosenOnly weighs the chosen positions with 1 and all others with 0', [seeds], async (seed) => {
  const [b, t] = [3, 12];
  const batch = { tokens: full([b, t], 7, 'i32'), types: zeros([b, t], 'i32'), attend: ones([b, t]) };
  const masked = maskTokens(key(seed), batch, { ...small, maskProbability: 0.3 });
  const at = Array.from(await masked.at.data());
  const expected = new Float64Array(b * t);
  at.forEach((position, i) => {
    if (position >= 0) expected[Math.floor((i * b) / at.length) * t + position] = 1;
  });
  await same(chosenOnly(masked), tensor(expected, [b, t]));
});

law<[{ score: number; replaced: boolean }[]]>(
  '11: pairsInOrder is the area under the ROC curve',
  [
    fc.array(fc.record({ score: fc.integer({ min: -3, max: 3 }), replaced: fc.boolean() }), {
      minLength: 2,
      maxLength: 12,
    }),
  ],
  async (tokens) => {
    fc.pre(new Set(tokens.map(({ replaced }) => replaced)).size === 2);
    const [scores, labels] = [tokens.map(({ score }) => score), tokens.map(({ replaced }) => Number(replaced))];
    assert.ok(Math.abs(pairsInOrder(scores, labels) - areaUnderCurve(scores, labels).value) < 1e-9);
  },
);

test.run();
