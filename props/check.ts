/** Laws of checkGradients, the public check of gradients: it lets right ones pass, and names what is wrong with others. */
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import type { Tensor } from '../lib/index.ts';
import {
  checkGradients,
  dense,
  exp,
  gather,
  gelu,
  layerNorm,
  live,
  mul,
  stopGradient,
  sum,
  tensor,
  useDevice,
} from '../lib/index.ts';
import { onEveryDevice } from './laws/everywhere.ts';

const everywhere = onEveryDevice(test);

const complaint = (promise: Promise<void>) =>
  promise.then(
    () => 'nothing',
    (error: Error) => error.message,
  );

everywhere('right gradients pass, of trees and several arguments, ids left alone', async () => {
  const x = tensor([0.3, -1.2, 0.7, 1.1], [2, 2]);
  const params = { kernel: tensor([0.5, -0.4, 0.2, 0.9], [2, 2]), bias: tensor([0.1, -0.1]) };
  await checkGradients((x: Tensor, p: typeof params) => gelu(dense(x, p.kernel, p.bias)), x, params);
  await checkGradients((table: Tensor, ids: Tensor) => exp(gather(table, ids)), x, tensor([1, 0, 1], [3], 'i32'));
  await checkGradients((x: Tensor) => sum(layerNorm(x, tensor([1, 2]), tensor([0, 1]), 0.1)), x);
});

everywhere('a wrong one is named: argument, place in the tree, element, claim and measurement', async () => {
  const good = tensor([1, 2]);
  const tree = { inner: [tensor([0.5], []), tensor([1, 2, 3, 4], [2, 2])] };
  // Nothing flows through the second argument's second tensor, though the value depends on it.
  const f = (x: Tensor, t: typeof tree) => mul(mul(sum(x), t.inner[0]), stopGradient(t.inner[1]));
  const said = await complaint(checkGradients(f, good, tree));
  assert.match(said, /checkGradients: argument 2, inner\.1, element \[0 0\]: the gradient says 0, differences say/);
});

test('on the reference device an error of one part in ten thousand is found, in the element where it is', async () => {
  await useDevice('reference');
  const mask = tensor([0, 0, 1e-4, 0]);
  const f = (x: Tensor) => mul(x, exp(mul(mask, stopGradient(x))));
  const said = await complaint(checkGradients(f, tensor([1, 2, 3, 4])));
  assert.match(said, /argument 1, element \[2\]: the gradient says/);
});

everywhere('checking leaves no more buffers alive than its arguments', async () => {
  const x = tensor([0.5, 1]);
  const before = live();
  await checkGradients((t: Tensor) => exp(t), x);
  assert.is(live(), before);
});

test('arguments without a tensor are refused', async () => {
  assert.match(await complaint(checkGradients((n: number) => tensor([n]), 3)), /expected at least one tensor/);
});

test.run();
