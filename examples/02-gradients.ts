/**
 * 2. Gradients. You will learn reverse-mode differentiation by doing it: the gradient of one neuron step by step on paper,
 * then by `grad`, and then by differences, which need no calculus and so can judge the other two. At the end a gradient is
 * broken on purpose, and the check finds it. `npx tsx examples/02-gradients.ts break` breaks the one on paper, too.
 *
 * The lesson computes in double precision (device `reference`), where differences are exact enough to tell.
 */
import type { Tensor } from '../lib/index.ts';
import { checkGradients, grad, mul, stopGradient, sub, square, sum, tanh, tensor, useDevice } from '../lib/index.ts';
import { complaint, exercise, fixed, heading, lesson, say, show, table } from './course/lesson.ts';

const { words } = await lesson('2. Gradients');
await useDevice('reference');

heading('By hand');
say(`One neuron: it multiplies its input x by a weight w, squashes the product, and is punished by how far that is from the
  target y. The loss is L = (tanh(w·x) − y)². With x = 2, y = 1 and w = 0.3, forwards:`);
const [x, y, w] = [2, 1, 0.3];
const a = w * x;
const p = Math.tanh(a);
const loss = (p - y) ** 2;
table(
  ['', 'formula', 'value'],
  [
    ['product', 'a = w·x', fixed(a, 4)],
    ['output', 'p = tanh a', fixed(p, 4)],
    ['loss', 'L = (p − y)²', fixed(loss, 4)],
  ],
);

say(`How does L change with w? Walk back. Each line is the line above it times one local slope: that is the chain rule, and
  reverse mode is no more than this bookkeeping.`);
const two = words.includes('break') ? 1 : 2; // the derivative of (p − y)² is 2 (p − y)
const dp = two * (p - y);
const da = dp * (1 - p ** 2);
const dw = da * x;
table(
  ['', 'formula', 'value'],
  [
    ['dL/dp', '2 (p − y)', fixed(dp, 4)],
    ['dL/da', 'dL/dp · (1 − p²)', fixed(da, 4)],
    ['dL/dw', 'dL/da · x', fixed(dw, 4)],
  ],
);

heading('By grad');
say('grad(f) is the function that computes the gradient of f. Write the loss with tensors, and it is done:');
const neuron = (w: Tensor): Tensor => square(sub(tanh(mul(w, x)), y));
const byGrad = await grad(neuron)(tensor([w], [])).item();
console.log(`  grad(neuron)(w) = ${fixed(byGrad, 4)}`);

heading('By differences');
say(`The slope is what the loss does over a small step: (L(w + h) − L(w − h)) / 2h. No calculus, so it can judge. A large h
  cuts across the curve (the error falls with h²); a tiny h subtracts nearly equal numbers, and rounding takes over:`);
const at = async (w: number) => await neuron(tensor([w], [])).item();
const difference = async (h: number) => ((await at(w + h)) - (await at(w - h))) / (2 * h);
const rows: [string, string, string][] = [];
for (const exponent of [1, 2, 3, 5, 8, 11]) {
  const slope = await difference(10 ** -exponent);
  rows.push([`1e-${exponent}`, fixed(slope, 10), Math.abs(slope - byGrad).toExponential(1)]);
}
table(['h', 'slope', 'error'], rows);

const agree = Math.abs(dw - (await difference(1e-5))) < 1e-6;
say(
  `By hand ${fixed(dw, 6)}, by grad ${fixed(byGrad, 6)}, by differences ${fixed(await difference(1e-5), 6)}: ${
    agree
      ? 'all three agree.'
      : 'the one by hand is wrong! (You broke it: the factor 2 is missing. Grad and differences agree.)'
  }`,
);

heading('Gradients of many numbers, and of gradients');
say(`A gradient has the shape of what it is taken for: one slope for each number. And it is a tensor like any other, so it can
  be differentiated again. The sum of x⁴ has the slopes 4x³, and the slopes of their sum are 12x²:`);
const xs = tensor([-1, 0.5, 2]);
const quartic = (x: Tensor) => sum(square(square(x)));
await show('grad', grad(quartic)(xs));
await show('grad of grad', grad((x: Tensor) => sum(grad(quartic)(x)))(xs));

heading('A gradient check, and a gradient broken on purpose');
say(`checkGradients(f, …arguments) does all of this for you: every element of every argument, against differences. It resolves
  when all agree.`);
await checkGradients(quartic, xs);
console.log('  quartic: every slope agrees with its difference');
say(`Now break one. stopGradient(x) is x, but tells the tape to look away: the value is right, a path of the gradient is
  missing. mul(x, stopGradient(x)) is x² with the slope x instead of 2x, as if one factor had been forgotten:`);
const broken = (x: Tensor) => sum(mul(x, stopGradient(x)));
say(`It rejects with: ${await complaint(() => checkGradients(broken, xs))}.`);
say(`At −1 you may have expected −1 and −2. The check takes the slopes of a mixture of all outputs, with a fixed weight for each: the
  only one here has 2.34. What counts is that one is half of the other.`);
say(`Every operation of Amber passes such a check on every device, thousands of times over (npm test). And stopGradient has an
  honest use: in ELECTRA it says where the two networks must not talk (lesson 9).`);

exercise(
  '02-gradients',
  `The discriminator's loss for one token with logit x and label z (0 or 1) is L = ln(1 + eˣ) − x·z. Write
  slope(x, z), its derivative for x by hand, with plain numbers. It is simpler than it looks.`,
);
