/**
 * 3. A line fitted. You will learn what training is, on the smallest model there is: y = slope · x + intercept. Make up
 * data whose truth you know, measure how wrong the line is, and let every step go a little downhill. All that follows,
 * ELECTRA included, is this loop with a larger model in it.
 */
import type { Tensor } from '../lib/index.ts';
import {
  add,
  applyUpdates,
  chain,
  constant,
  donating,
  globalNorm,
  grad,
  key,
  live,
  mean,
  mul,
  normal,
  scaleByAdam,
  scaleBySchedule,
  split,
  square,
  sub,
  tensor,
  uniform,
  valueAndGrad,
} from '../lib/index.ts';
import { draw, exercise, fixed, heading, lesson, say, table } from './course/lesson.ts';

const { steps } = await lesson('3. A line fitted', 200);

heading('The data');
const truth = { slope: 2, intercept: -1 };
say(`Forty points on the line y = ${truth.slope}x − 1, each pushed off it by a random 0.3 or so. The line is what a model must
  find; it sees the points alone.`);
const keys = split(key(3), 'x', 'noise');
const x = sub(mul(uniform(keys.x, [40]), 2), 1);
const y = add(add(mul(x, truth.slope), truth.intercept), mul(normal(keys.noise, [40]), 0.3));

heading('The model and the loss');
say(`The parameters are a plain object of tensors, the model is a function of parameters and input, and the loss is the mean
  of the squared errors.`);
type Line = { slope: Tensor; intercept: Tensor };
const predict = ({ slope, intercept }: Line, x: Tensor) => add(mul(slope, x), intercept);
const lossOf = (line: Line) => mean(square(sub(predict(line, x), y)));
const flat = (): Line => ({ slope: tensor([0], []), intercept: tensor([0], []) });

heading('Downhill');
const rate = 0.1;
say(`One step: θ ← θ − ${rate} · dL/dθ. The function is wrapped in donating, so that the line of the step before is freed when the
  new one is made.`);
const step = donating((line: Line) => {
  const [loss, slopes] = valueAndGrad(lossOf)(line);
  const updates = { slope: mul(slopes.slope, -rate), intercept: mul(slopes.intercept, -rate) };
  return [applyUpdates(line, updates), { loss, length: globalNorm(slopes) }] as const;
});

let line = flat();
const before = live();
const rows: (string | number)[][] = [];
for (let i = 0; i < steps; i++) {
  const [next, { loss, length }] = step(line);
  line = next;
  if ([0, 1, 2, 5, 10, 20, 50, 100, steps - 1].includes(i)) {
    const [l, a, b, g] = await Promise.all([loss, line.slope, line.intercept, length].map((t) => t.item()));
    rows.push([i + 1, fixed(l, 4), fixed(a), fixed(b), g.toExponential(1)]);
  }
}
table(['step', 'loss', 'slope', 'intercept', 'length of the gradient'], rows);
const [slope, intercept] = [await line.slope.item(), await line.intercept.item()];
say(`Found: y = ${fixed(slope)} x ${intercept < 0 ? '−' : '+'} ${fixed(Math.abs(intercept))}; the truth was ${truth.slope} x − 1. It cannot be hit exactly, for forty noisy points do not determine it: the loss that
  remains is about the variance of the noise in these forty, which scatters around 0.3² = 0.09. The gradient's length says how near the bottom is.
  Buffers alive: ${before} before the loop, ${live()} after ${steps} steps, the loss and the
  length of the last step among them: no step leaves anything behind but what it returns.`);

const [xs, ys] = [await x.data(), await y.data()];
const [columns, lines] = [64, 17];
const column = (x: number) => Math.round(((x + 1) / 2) * (columns - 1));
const row = (y: number) => Math.round(((1.5 - y) / 5.5) * (lines - 1));
const points = new Set(Array.from(xs, (x, i) => `${column(x)} ${row(ys[i])}`));
console.log('');
draw(columns, lines, (c, r) =>
  points.has(`${c} ${r}`) ? 'o' : row(slope * ((2 * c) / (columns - 1) - 1) + intercept) === r ? '·' : ' ',
);

heading('The same with an optimiser');
say(`Updates come from a chain of transformations: Adam divides each slope by its usual size, a schedule says how far to go.
  ELECTRA's optimiser is such a chain, with two more links.`);
const optimiser = chain(scaleByAdam({ biasCorrection: true }), scaleBySchedule(constant(0.1)));
type State = { line: Line; moments: unknown };
const adamStep = donating(({ line, moments }: State) => {
  const [updates, next] = optimiser.update(grad(lossOf)(line), moments, line);
  return { line: applyUpdates(line, updates), moments: next };
});
const start = flat();
let state: State = { line: start, moments: optimiser.init(start) };
for (let i = 0; i < steps; i++) state = adamStep(state);
say(
  `After ${steps} steps: slope ${fixed(await state.line.slope.item())}, intercept ${fixed(await state.line.intercept.item())}, loss ${fixed(await lossOf(state.line).item(), 4)}.`,
);

exercise(
  '03-line',
  `For a line, the bottom can be had without descending. Write leastSquares(x, y), from tensors of n numbers each to
  { slope, intercept }: slope = Σ (x − x̄)(y − ȳ) / Σ (x − x̄)², intercept = ȳ − slope · x̄. The law takes the gradient of the loss
  at your answer: it must vanish.`,
);
