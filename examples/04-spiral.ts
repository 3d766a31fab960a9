/**
 * 4. A small network. You will learn why layers are stacked, and what must stand between them: two spirals wind around
 * each other, no straight line parts them, and a network with two hidden layers does. You watch its decision, drawn in the
 * terminal, bend around the points as it trains.
 */
import chalk from 'chalk';
import type { Tensor } from '../lib/index.ts';
import {
  add,
  applyUpdates,
  chain,
  constant,
  donating,
  equal,
  gelu,
  glorot,
  key,
  leaves,
  less,
  linear,
  mean,
  mul,
  normal,
  reshape,
  scaleByAdam,
  scaleBySchedule,
  scoped,
  sigmoidCrossEntropy,
  split,
  tensor,
  valueAndGrad,
  zeros,
} from '../lib/index.ts';
import { draw, exercise, fixed, heading, lesson, say, table } from './course/lesson.ts';

const { steps } = await lesson('4. A small network on two spirals', 400);

heading('The data');
say(
  `Two arms of 100 points each, o and x, a little noisy, one and a half turns long. A point is two numbers; its label is 0 or 1.`,
);

/** Two arms of `n` points: places [2n, 2] and labels [2n, 1]. */
const spirals = (noise: Tensor, n: number) => {
  const points = Array.from({ length: 2 * n }, (_, i) => {
    const [arm, along] = [i % 2, Math.sqrt((i + 1) / (2 * n))];
    const angle = 3 * Math.PI * along + arm * Math.PI;
    return [along * Math.cos(angle), along * Math.sin(angle)];
  });
  const labels = Array.from({ length: 2 * n }, (_, i) => i % 2);
  const places = tensor(points.flat(), [2 * n, 2]);
  return { places: add(places, mul(normal(noise, [2 * n, 2]), 0.02)), labels: tensor(labels, [2 * n, 1]) };
};
const keys = split(key(4), 'data', 'fresh', 'one', 'two', 'three');
const data = spirals(keys.data, 100);
const fresh = spirals(keys.fresh, 100);

heading('The model');
say(`A dense layer is x · kernel + bias. Between the layers stands gelu, x · Φ(x): almost x where x is large, almost 0 where it is
  very negative. Without such a bend, layers on layers would be one layer (see the exercise). The last layer gives one logit a
  point: above 0 means x. The loss is the discriminator's in ELECTRA, sigmoid cross-entropy.`);
const layer = (k: Tensor, inputs: number, outputs: number) => ({
  kernel: glorot(k, [inputs, outputs]),
  bias: zeros([outputs]),
});
const deep = { one: layer(keys.one, 2, 32), two: layer(keys.two, 32, 32), out: layer(keys.three, 32, 1) };
type Deep = typeof deep;
const network = ({ one, two, out }: Deep, x: Tensor) => linear(out, gelu(linear(two, gelu(linear(one, x)))));
const flat = { out: layer(keys.three, 2, 1) };
const straight = ({ out }: typeof flat, x: Tensor) => linear(out, x);
const size = (params: unknown) => leaves(params).reduce((n, x) => n + x.size, 0);
say(`The network has ${size(deep)} numbers to learn; a straight line has ${size(flat)}.`);

/** A donating step of Adam for any model that gives logits. */
const trainer = <P>(model: (params: P, x: Tensor) => Tensor) => {
  const optimiser = chain(scaleByAdam({ biasCorrection: true }), scaleBySchedule(constant(0.01)));
  const begin = (params: P) => ({ params, moments: optimiser.init(params) });
  const step = donating(({ params, moments }: ReturnType<typeof begin>) => {
    const [loss, slopes] = valueAndGrad((p: P) => sigmoidCrossEntropy(model(p, data.places), data.labels))(params);
    const [updates, next] = optimiser.update(slopes, moments, params);
    return [{ params: applyUpdates(params, updates), moments: next }, loss] as const;
  });
  return { begin, step };
};

/** How many points of each hundred lie on the right side. */
const right = async <P>(model: (params: P, x: Tensor) => Tensor, params: P, { places, labels }: typeof data) =>
  100 * (await scoped(() => mean(equal(less(0, model(params, places)), labels))).item());

heading('A straight line');
const line = trainer(straight);
let simple = line.begin(flat);
for (let i = 0; i < Math.min(steps, 200); i++) [simple] = line.step(simple);
say(
  `It gets ${fixed(await right(straight, simple.params, data), 0)} % of the points right. Always saying o gets 50 %.`,
);

heading('The network');
const [columns, rows] = [64, 25];
const cells = Array.from({ length: columns * rows }, (_, i) => {
  const [c, r] = [i % columns, Math.floor(i / columns)];
  return [(2.2 * c) / (columns - 1) - 1.1, 1.1 - (2.2 * r) / (rows - 1)];
});
const canvas = tensor(cells.flat(), [columns * rows, 2]);
const places = await data.places.data();
const points = new Map<string, string>();
for (let i = 0; i < places.length / 2; i++) {
  const [c, r] = [((places[2 * i] + 1.1) / 2.2) * (columns - 1), ((1.1 - places[2 * i + 1]) / 2.2) * (rows - 1)];
  points.set(`${Math.round(c)} ${Math.round(r)}`, i % 2 === 0 ? chalk.cyan('o') : chalk.yellow('x'));
}
const picture = async (params: Deep) => {
  const logits = await scoped(() => reshape(network(params, canvas), [columns * rows])).data();
  draw(columns, rows, (c, r) => points.get(`${c} ${r}`) ?? (logits[r * columns + c] > 0 ? chalk.dim(':') : ' '));
};

const { begin, step } = trainer(network);
let state = begin(deep);
const shown = [Math.round(steps / 10), Math.round(steps / 4), steps];
const curve: (string | number)[][] = [];
for (let i = 1; i <= steps; i++) {
  const [next, loss] = step(state);
  state = next;
  if (i === 1 || shown.includes(i)) {
    const [seen, unseen] = [await right(network, state.params, data), await right(network, state.params, fresh)];
    curve.push([i, fixed(await loss.item(), 4), `${fixed(seen, 0)} %`, `${fixed(unseen, 0)} %`]);
  }
  if (shown.includes(i)) {
    say(`After ${i} steps the network says x where the field is dotted:`);
    console.log('');
    await picture(state.params);
  }
}
table(['step', 'loss', 'right', 'right on fresh points'], curve);
say(`A coin's loss is ln 2 = ${fixed(Math.LN2)}: that is about where the first step stands. The fresh points are drawn like the others, but
  never trained on. They are the ones that count.`);

exercise(
  '04-spiral',
  `Leave out the gelu, and two layers become one. Write collapse(first, second), from two dense layers { kernel, bias }
  to the single one that computes linear(second, linear(first, x)) for every x.`,
);
