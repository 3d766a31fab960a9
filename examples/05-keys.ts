/**
 * 5. Keys. You will learn how a pure function can be random: its randomness is an argument, the key. The same key gives the
 * same numbers, today, tomorrow and on every device. Then you see what hidden randomness (Math.random) breaks: gradient
 * checks, comparisons and the way back to a bug.
 */
import type { Tensor } from '../lib/index.ts';
import {
  checkGradients,
  dropout,
  fold,
  key,
  mean,
  mul,
  normal,
  split,
  square,
  sub,
  sum,
  tensor,
  uniform,
} from '../lib/index.ts';
import { complaint, exercise, fixed, heading, lesson, say, show, table } from './course/lesson.ts';

await lesson('5. Keys: randomness as a value');

heading('A key is a small tensor');
say(
  'It is made from a seed, and uniform, normal and their kin turn it into numbers. Ask twice, and the answer is the same:',
);
const k = key(5);
await show('uniform(k, [4])', uniform(k, [4]));
await show('uniform(k, [4])', uniform(k, [4]));
say(
  'For other numbers, use another key. split derives keys by name; fold, by number, such as the step of a training run:',
);
const { words, order } = split(k, 'words', 'order');
await show('words', uniform(words, [4]));
await show('order', uniform(order, [4]));
await show('fold(words, 1)', uniform(fold(words, 1), [4]));
await show('fold(words, 2)', uniform(fold(words, 2), [4]));
say(`The names do what a counter cannot. Somebody adds a third key to the split, in front. With a generator that hands out one number
  after the other, everything behind the new draw would change, and so would every result. Here the others stay:`);
const wider = split(k, 'new', 'words', 'order');
await show('words', uniform(wider.words, [4]));

heading('One key, one use');
say(`The mistake that is left to make: one key for two purposes. Two sets of noise from one key are the same noise. Here is how much
  two sets of 10,000 normal numbers have in common (the mean of their products: 1 is all, 0 is nothing):`);
const common = async (a: Tensor, b: Tensor) =>
  fixed(await mean(mul(normal(a, [10_000]), normal(b, [10_000]))).item(), 2);
table(
  ['keys', 'in common'],
  [
    ['words and words', await common(words, words)],
    ['words and order', await common(words, order)],
  ],
);

heading('Hidden randomness hurts');
say(`Dropout zeroes some numbers at random. Below, the same function twice: once it takes a key, once it reaches for Math.random. A
  gradient check calls its function many times, and compares. With a key the function is a function, and the check passes:`);
const x = tensor([0.5, -1, 2, 1, -0.3, 1.4]);
const withKey = (x: Tensor) => sum(square(dropout(words, x, 0.5)));
await checkGradients(withKey, x);
console.log('  with a key: every slope agrees with its difference');
const hidden = (x: Tensor) => {
  const mask = Array.from({ length: x.size }, () => (Math.random() < 0.5 ? 0 : 2));
  return sum(square(mul(x, tensor(mask))));
};
say(`With Math.random it rejects: ${await complaint(() => checkGradients(hidden, x))}.`);
say(`The derivative is right, yet nobody can tell any more: the function is another one at every call. (These two numbers
  are the only ones of this lesson that change when you run it again.)`);

say(`Comparisons suffer, too. What does a change of 0.1 in a weight do to the loss? Five tries: with one key both
  sides meet the same dropout, and the difference is due to the change alone. With fresh randomness on both sides it drowns:`);
const lossAt = (shift: number, k: Tensor) => mean(square(sub(dropout(k, normal(order, [1000]), 0.5), shift)));
const differences = async (same: boolean) =>
  Promise.all(
    Array.from({ length: 5 }, async (_, i) => {
      const [a, b] = [fold(words, i), fold(words, same ? i : 100 + i)];
      return fixed((await lossAt(0.1, a).item()) - (await lossAt(0, b).item()));
    }),
  );
table(
  ['', '1', '2', '3', '4', '5'],
  [
    ['the same key on both sides', ...(await differences(true))],
    ['a key of its own each', ...(await differences(false))],
  ],
);

say(`And so a run of ELECTRA can be killed and resumed, and ends bit for bit where it would have ended: its state holds one key, and
  every step folds its number into it. lib/electra/step.ts begins with that line.`);

exercise(
  '05-keys',
  `Write shuffle(k, n): the numbers 0 to n − 1 in random order, as an i32 tensor [1 n], from uniform and
  topIndices(x, count), which gives the places of the largest numbers of each row. The same key must give the same order. (The masks
  of ELECTRA are drawn so: the first 15 % of such a shuffle.)`,
);
