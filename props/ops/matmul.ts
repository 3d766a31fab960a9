/** Laws of matrix products. */
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import {
  add,
  broadcastTo,
  concat,
  dense,
  matmul,
  reshape,
  slice,
  stack,
  tensor,
  transpose,
  zeros,
} from '../../lib/index.ts';
import { onEveryDevice, forSizes, same } from '../laws/everywhere.ts';

const everywhere = onEveryDevice(test);

everywhere('(AB)ᵀ = BᵀAᵀ', (device) =>
  forSizes('z m k n', async ({ z, m, k, n }, real) => {
    const [a, b] = [real(z, m, k), real(z, k, n)];
    await same(device, () => [transpose(matmul(a, b)), matmul(transpose(b), transpose(a))]);
  }),
);

everywhere('the transposed flags equal explicit transposes', (device) =>
  forSizes('z m k n', async ({ z, m, k, n }, real) => {
    const [a, b] = [real(z, m, k), real(z, k, n)];
    const [at, bt] = [transpose(a), transpose(b)];
    await same(device, () => [matmul(at, b, { transposeA: true }), matmul(a, b)]);
    await same(device, () => [matmul(a, bt, { transposeB: true }), matmul(a, b)]);
    await same(device, () => [matmul(at, bt, { transposeA: true, transposeB: true }), matmul(a, b)]);
  }),
);

everywhere('(AB)C = A(BC)', (device) =>
  forSizes('m k n p', async ({ m, k, n, p }, real) => {
    const [a, b, c] = [real(m, k), real(k, n), real(n, p)];
    await same(device, () => [matmul(matmul(a, b), c), matmul(a, matmul(b, c))], 1e-4);
  }),
);

everywhere('A(B + C) = AB + AC, and A·1 = A', (device) =>
  forSizes('m k n', async ({ m, k, n }, real) => {
    const [a, b, c] = [real(m, k), real(k, n), real(k, n)];
    await same(device, () => [matmul(a, add(b, c)), add(matmul(a, b), matmul(a, c))], 1e-4);
    const unit = Float32Array.from({ length: k * k }, (_, i) => Number(i % (k + 1) === 0));
    await same(device, () => [matmul(a, tensor(unit, [k, k])), a], 0);
  }),
);

everywhere('a batch is its products one by one, and leading axes broadcast', (device) =>
  forSizes('y z m k n', async ({ y, z, m, k, n }, real) => {
    const [a, b, c] = [real(z, m, k), real(z, k, n), real(k, n)];
    const one = (i: number) =>
      matmul(reshape(slice(a, [i, 0, 0], [1, m, k]), [m, k]), reshape(slice(b, [i, 0, 0], [1, k, n]), [k, n]));
    await same(device, () => [matmul(a, b), stack(Array.from({ length: z }, (_, i) => one(i)))]);
    await same(device, () => [matmul(a, c), matmul(a, broadcastTo(c, [z, k, n]))]);
    await same(device, () => [matmul(transpose(a), c, { transposeA: true }), matmul(a, c)]);
    const wide = real(y, 1, m, k);
    await same(device, () => [matmul(wide, b), matmul(broadcastTo(wide, [y, z, m, k]), broadcastTo(b, [y, z, k, n]))]);
  }),
);

everywhere('dense is a product and a sum, and a bias is a row of the kernel for an input of 1', (device) =>
  forSizes('b m k n', async ({ b, m, k, n }, real) => {
    const [x, w, bias] = [real(b, m, k), real(k, n), real(n)];
    await same(device, () => [dense(x, w, bias), add(matmul(x, w), bias)]);
    const one = add(zeros([b, m, 1]), 1);
    await same(device, () => [dense(x, w, bias), matmul(concat([x, one], 2), concat([w, reshape(bias, [1, n])], 0))]);
  }),
);

everywhere('products of large odd sizes agree with products of their blocks', async (device) => {
  await forSizes('m', async ({ m }, real) => {
    const [rows, inner, columns] = [60 + m, 130 + m, 70 + m];
    const [a, b] = [real(rows, inner), real(inner, columns)];
    const half = (first: number, size: number) =>
      matmul(slice(a, [0, first], [rows, size]), slice(b, [first, 0], [size, columns]));
    await same(device, () => [matmul(a, b), add(half(0, 65), half(65, inner - 65))], 1e-3);
  });
});

test('sizes that do not fit are refused as one writes them', () => {
  assert.throws(() => matmul(zeros([2, 3]), zeros([4, 5])), /matmul: inner sizes differ: \[2 3\]·\[4 5\]/);
  assert.throws(() => matmul(zeros([3, 2]), zeros([4, 5]), { transposeA: true }), /\[3 2\]ᵀ·\[4 5\]/);
  assert.throws(() => matmul(zeros([3]), zeros([3, 5])), /matmul: expected matrices, got \[3\]·\[3 5\]/);
  assert.throws(
    () => dense(zeros([2, 3]), zeros([3, 4]), zeros([3])),
    /dense: expected x \[…, k\].*got \[2 3\], \[3 4\], \[3\]/,
  );
});

test.run();
