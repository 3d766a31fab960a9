/** Laws of the GELU and the error function. */
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import { add, erf, erfinv, gelu, grad, mul, neg, sub, sum, tensor } from '../../lib/index.ts';
import { onEveryDevice, forSizes, read, same } from '../laws/everywhere.ts';

const everywhere = onEveryDevice(test);

everywhere('gelu(x) − gelu(−x) = x', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const x = mul(real(m, n), 3);
    await same(device, () => [sub(gelu(x), gelu(neg(x))), x]);
  }),
);

everywhere('the slopes of gelu at x and −x add up to 1', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const x = mul(real(m, n), 3);
    const slope = (y: typeof x) => grad((t: typeof x) => sum(gelu(t)))(y);
    await same(device, () => [add(slope(x), slope(neg(x))), add(mul(x, 0), 1)]);
  }),
);

everywhere('erf is odd, and erf⁻¹ undoes it', (device) =>
  forSizes('m n', async ({ m, n }, real) => {
    const x = mul(real(m, n), 0.8);
    await same(device, () => [erf(neg(x)), neg(erf(x))], 0);
    await same(device, () => [erfinv(erf(x)), x], 1e-4);
  }),
);

everywhere('erf and gelu have their published values', async (device) => {
  const close = (came: number[], expected: number[]) =>
    came.forEach((y, i) =>
      assert.ok(Math.abs(y - expected[i]) < 1e-6, `element ${i} is ${y}, expected ${expected[i]}`),
    );
  // Abramowitz & Stegun, table 7.1.
  const x = [0, 0.5, 1, 1.5, 2, 3];
  const table = [0, 0.5204998778, 0.8427007929, 0.9661051465, 0.995322265, 0.9999779095];
  close(await read(device, () => erf(tensor(x))), table);
  // x · Φ(x), with Φ(1) = 0.8413447461, Φ(2) = 0.9772498681.
  close(
    await read(device, () => gelu(tensor([-2, -1, 0, 1, 2]))),
    [-0.0455002639, -0.1586552539, 0, 0.8413447461, 1.9544997361],
  );
});

everywhere('far out gelu is 0 on the left and x on the right, and so is its slope 0 and 1', async (device) => {
  const far = () => tensor([-1e4, -40, 40, 1e4]);
  const limits = await read(device, () => gelu(far()));
  limits.forEach((y, i) => assert.ok(Math.abs(y - [0, 0, 40, 1e4][i]) < 1e-3, `gelu gives ${limits}`));
  const slopes = await read(device, () => grad((x: ReturnType<typeof far>) => sum(gelu(x)))(far()));
  slopes.forEach((y, i) => assert.ok(Math.abs(y - [0, 0, 1, 1][i]) < 1e-6, `its slope is ${slopes}`));
});

test.run();
