/**
 * 6. Attention. You will learn how a token finds what it needs elsewhere in the text: it asks (query), all tokens answer
 * (key), and softmax turns the answers into shares of what they offer (value). One head of attention learns to copy: the
 * letters before the bar must be written once more behind it. Then its attention map shows how it does that.
 */
import type { Tensor } from '../lib/index.ts';
import {
  add,
  applyUpdates,
  argmax,
  chain,
  concat,
  constant,
  donating,
  equal,
  fold,
  full,
  gather,
  grad,
  key,
  linear,
  matmul,
  mean,
  mul,
  normal,
  scaleByAdam,
  scaleBySchedule,
  scoped,
  slice,
  softmax,
  softmaxCrossEntropy,
  split,
  uniform,
  zeros,
} from '../lib/index.ts';
import { exercise, fixed, heading, lesson, say, table } from './course/lesson.ts';

const { steps } = await lesson('6. Attention copies', 100);

heading('The task');
const vocabulary = [...'abcdefghijklmnop|_'];
const [bar, blank] = [16, 17];
const [n, b] = [6, 32];
const t = 2 * n + 1;
say(`Six random letters, a bar, six blanks. For each blank the model must name the letter that belongs there. A blank by itself says
  nothing: only the place where it stands says what to look for.`);

/** `b` tasks: tokens i32 [b, t], and the letters to name, i32 [b, n]. */
const tasks = (k: Tensor) => {
  const answers = argmax(uniform(k, [b, n, 16])); // the place of the largest of 16 random numbers is a random letter
  return { tokens: concat([answers, full([b, 1], bar, 'i32'), full([b, n], blank, 'i32')], 1), answers };
};
const write = (ids: ArrayLike<number>) => Array.from(ids, (id) => vocabulary[id]).join(' ');
const keys = split(key(6), 'params', 'train', 'test');
const test = tasks(keys.test);
console.log(
  `\n  it sees   ${write((await test.tokens.data()).slice(0, t))}\n  it names  ${' '.repeat(2 * (n + 1))}${write((await test.answers.data()).slice(0, n))}`,
);

heading('The model');
say(`Each token is the sum of two rows: one for its letter, one for its place. Then one head, in three lines (q, k and v are dense
  layers of the tokens, d their width):`);
console.log('\n  scores = q · kᵀ / √d        how well does token j answer the question of token i?');
console.log('  shares = softmax(scores)    each row sums to 1');
console.log('  heard  = shares · v         a mixture of what the tokens offer');
const d = 32;
const draw = (k: Tensor, inputs: number, outputs: number) => ({
  kernel: mul(normal(k, [inputs, outputs]), 1 / Math.sqrt(inputs)),
  bias: zeros([outputs]),
});
const from = split(keys.params, 'letter', 'place', 'query', 'key', 'value', 'out');
const initial = {
  letter: normal(from.letter, [18, d]),
  place: normal(from.place, [t, d]),
  query: draw(from.query, d, d),
  key: draw(from.key, d, d),
  value: draw(from.value, d, d),
  out: draw(from.out, d, 16),
};
type Params = typeof initial;
const model = (params: Params, tokens: Tensor) => {
  const x = add(gather(params.letter, tokens), params.place);
  const [q, k, v] = [linear(params.query, x), linear(params.key, x), linear(params.value, x)];
  const shares = softmax(mul(matmul(q, k, { transposeB: true }), 1 / Math.sqrt(d)));
  const heard = matmul(shares, v);
  const logits = slice(linear(params.out, heard), [0, n + 1, 0], [b, n, 16]);
  return { shares, logits };
};

heading('Training');
const optimiser = chain(scaleByAdam({ biasCorrection: true }), scaleBySchedule(constant(0.01)));
type State = { params: Params; moments: unknown };
const step = donating(({ params, moments }: State, { tokens, answers }: ReturnType<typeof tasks>) => {
  const { grads, loss } = grad((p: Params) => ({ loss: softmaxCrossEntropy(model(p, tokens).logits, answers) }))(
    params,
  );
  const [updates, next] = optimiser.update(grads, moments, params);
  return [{ params: applyUpdates(params, updates), moments: next }, loss] as const;
});
const right = async (params: Params) =>
  (await scoped(() => mean(equal(argmax(model(params, test.tokens).logits), test.answers))).item()) * 100;

let state: State = { params: initial, moments: optimiser.init(initial) };
const rows: (string | number)[][] = [];
for (let i = 0; i < steps; i++) {
  const [next, loss] = step(
    state,
    scoped(() => tasks(fold(keys.train, i))),
  );
  state = next;
  if ([0, 4, 9, 14, 19, 29, steps - 1].includes(i))
    rows.push([i + 1, fixed(await loss.item()), `${fixed(await right(state.params), 0)} %`]);
}
table(['step', 'loss', 'letters right on fresh tasks'], rows);
say(`Naming one of 16 letters at random costs ln 16 = ${fixed(Math.log(16))} and is right 6 times in 100.`);

heading('The attention map');
say(`Every row is a token, and shows where that token looks: from blank (less than an eighth) over ░ ▒ ▓ to █ (all of it). Look at the rows of
  the blanks. None of this was told to the model.`);
const shares = await scoped(() => slice(model(state.params, test.tokens).shares, [0, 0, 0], [1, t, t])).data();
const tokens = Array.from(await test.tokens.data()).slice(0, t);
const shade = (share: number) => ' ░▒▓█'[Math.min(4, Math.round(4 * share))];
console.log(`\n       ${write(tokens)}`);
tokens.forEach((id, i) => {
  const row = Array.from({ length: t }, (_, j) => shade(shares[i * t + j]));
  console.log(`     ${vocabulary[id]} ${row.join(' ')}`.trimEnd());
});
const onTarget = Array.from({ length: n }, (_, i) => shares[(n + 1 + i) * t + i]).reduce((a, c) => a + c / n, 0);
say(`On average a blank gives ${fixed(100 * onTarget, 0)} % of its attention to the letter seven places before it: the diagonal. What the letters and the bar do
  does not matter here, for nobody asks them anything.`);

exercise(
  '06-attention',
  `A model that writes text must not look ahead. Write causal(scores), from scores [t t] to shares [t t]: softmax over the
  tokens up to and including one's own; what comes later gets 0. (Add a very negative number there, before the softmax.) ELECTRA and
  BERT do not need this: they read, and may look both ways.`,
);
