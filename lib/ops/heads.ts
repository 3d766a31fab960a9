/**
 * The two products of attention, head by head (Vaswani et al. 2017, §3.2.2): the heads of a token lie side by side, as the
 * layers before and after have them, and no copy puts each head's matrix together. Each is the other's derivative.
 */
import * as kernels from '../../kernels/heads.ts';
import { operation } from '../op.ts';
import type { Shape } from '../shape.ts';
import { show } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

const scoresOp = operation({
  name: 'attentionScores',
  about: 's[b, h, i, j] = Σ_d q[b, i, h, d] · k[b, j, h, d]',
  domain: { inputs: [{ dims: 'b i h d' }, { dims: 'b j h d' }] },
  shape([q, k]) {
    const [[b, i, h, d], [batch, j, heads, width]] = [q.shape, k.shape];
    if (q.shape.length !== 4 || k.shape.length !== 4 || b !== batch || h !== heads || d !== width) {
      throw new Error(`attentionScores: expected queries [b, i, h, d] and keys [b, j, h, d], got ${show(q.shape)} and ${show(k.shape)}`);
    }
    return { shape: [b, h, i, j], dtype: 'f32' };
  },
  reference([q, k], s, _, [{ shape }, keys]) {
    const [b, rows, h, width] = shape;
    const columns = keys.shape[1];
    for (let z = 0; z < b * h; z++) {
      const [batch, head] = [Math.floor(z / h), z % h];
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          let sum = 0;
          for (let d = 0; d < width; d++) sum += q[((batch * rows + i) * h + head) * width + d] * k[((batch * columns + j) * h + head) * width + d];
          s[(z * rows + i) * columns + j] = sum;
        }
      }
    }
  },
  launches(_, [q, k]) {
    const [b, rows, h, width] = q.shape;
    const columns = k.shape[1];
    return [{ kernel: kernels.attentionScores, arrays: [0, 1], integers: [h, rows, columns, width], output: [columns, rows, b * h] }];
  },
  vjp: (ds, { inputs: [q, k] }) => [attentionContext(ds, k), attentionContext(ds, q, { transpose: true })],
  keeps: [0, 1],
});

/** How well each key answers each query, head by head: q [b, i, h, d], k [b, j, h, d] → [b, h, i, j]. Throws when sizes differ. */
export const attentionScores = (q: Tensor, k: Tensor): Tensor => scoresOp({}, q, k);

export interface Context {
  /** The probabilities are [b, h, j, i]. */
  readonly transpose?: boolean;
}

/** The sizes of a context: of probabilities, transposed or not, and values. */
const sizesOf = (p: Shape, [, , , width]: Shape, { transpose = false }: Context) => {
  const [b, h, first, second] = p;
  const [rows, inner] = transpose ? [second, first] : [first, second];
  return { b, h, rows, inner, width, rowStep: transpose ? 1 : inner, innerStep: transpose ? rows : 1 };
};

const contextOp = operation<Context>({
  name: 'attentionContext',
  about: 'y[b, i, h, d] = Σⱼ p[b, h, i, j] · v[b, j, h, d]',
  domain: [
    { inputs: [{ dims: 'b h i j' }, { dims: 'b j h d' }] },
    { inputs: [{ dims: 'b h j i' }, { dims: 'b j h d' }], params: () => ({ transpose: true }) },
  ],
  shape([p, v], params) {
    const { b, h, rows, inner, width } = sizesOf(p.shape, v.shape, params);
    if (p.shape.length !== 4 || v.shape.length !== 4 || b !== v.shape[0] || h !== v.shape[2] || inner !== v.shape[1]) {
      throw new Error(`attentionContext: expected probabilities [b, h, ${params.transpose ? 'j, i' : 'i, j'}] and values [b, j, h, d], got ${show(p.shape)} and ${show(v.shape)}`);
    }
    return { shape: [b, rows, h, width], dtype: 'f32' };
  },
  reference([p, v], y, params, specs) {
    const { b, h, rows, inner, width, rowStep, innerStep } = sizesOf(specs[0].shape, specs[1].shape, params);
    for (let z = 0; z < b * h; z++) {
      const [batch, head] = [Math.floor(z / h), z % h];
      for (let i = 0; i < rows; i++) {
        for (let d = 0; d < width; d++) {
          let sum = 0;
          for (let j = 0; j < inner; j++) sum += p[z * rows * inner + i * rowStep + j * innerStep] * v[((batch * inner + j) * h + head) * width + d];
          y[((batch * rows + i) * h + head) * width + d] = sum;
        }
      }
    }
  },
  launches(params, [p, v]) {
    const { b, h, rows, inner, width, rowStep, innerStep } = sizesOf(p.shape, v.shape, params);
    return [{ kernel: kernels.attentionContext, arrays: [0, 1], integers: [h, rows, inner, width, rowStep, innerStep], output: [h * width, rows, b] }];
  },
  vjp(dy, { inputs: [p, v], params: { transpose = false } }) {
    return [transpose ? attentionScores(v, dy) : attentionScores(dy, v), attentionContext(p, dy, { transpose: !transpose })];
  },
  keeps: [0, 1],
});

/**
 * What each query takes of all values, head by head: p [b, h, i, j], v [b, j, h, d] → [b, i, h, d]; `transpose` reads p as
 * [b, h, j, i]. Throws when sizes differ.
 */
export const attentionContext = (p: Tensor, v: Tensor, params: Context = {}): Tensor => contextOp(params, p, v);
