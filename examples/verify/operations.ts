/**
 * The fixtures of single operations: given inputs and the gradient of each output, the outputs and the gradient of every
 * input that has one. A file is named after its operation, and what follows says which inputs: `softmax_large`.
 */
import type { Moments, Tensor } from '../../lib/index.ts';
import {
  add,
  addDecayedWeights,
  applyUpdates,
  chain,
  dense,
  erf,
  gather,
  gelu,
  grad,
  layerNorm,
  logSoftmax,
  maskedSoftmax,
  matmul,
  mul,
  reshape,
  scaleByAdam,
  sigmoid,
  sigmoidCrossEntropy,
  slice,
  softmax,
  softmaxCrossEntropy,
  sum,
  transpose,
} from '../../lib/index.ts';
import type { Fixture, Named } from './fixture.ts';

type Tensors = Record<string, Tensor>;
type Operation = (x: Tensors) => Tensors;

/** A mask [b, 1, 1, k] as ours are, [b, k]. */
const keys = (mask: Tensor): Tensor => reshape(mask, [mask.shape[0], mask.shape.at(-1)!]);

const attend: Operation = ({ q, k, v, mask }) => {
  const probs = maskedSoftmax(matmul(q, k, { transposeB: true }), keys(mask), 1 / Math.sqrt(q.shape.at(-1)!));
  return { probs, y: matmul(probs, v) };
};

/** The operations by the beginning of their files' names; the first that fits is meant. */
const OPERATIONS: readonly (readonly [prefix: string, operation: Operation])[] = [
  ['layernorm', ({ x, weight, bias }) => ({ y: layerNorm(x, weight, bias, 1e-12) })],
  ['gelu', ({ x }) => ({ y: gelu(x) })],
  ['erf', ({ x }) => ({ y: erf(x) })],
  ['sigmoid', ({ x }) => ({ y: sigmoid(x) })],
  ['softmax_masked', ({ x, mask }) => ({ y: maskedSoftmax(x, keys(mask), 1) })],
  ['softmax', ({ x }) => ({ y: softmax(x) })],
  ['log_softmax', ({ x }) => ({ y: logSoftmax(x) })],
  ['cross_entropy', ({ logits, labels }) => ({ loss: softmaxCrossEntropy(logits, labels) })],
  ['bce_with_logits', ({ logits, labels, weights }) => ({ loss: sigmoidCrossEntropy(logits, labels, weights) })],
  ['embedding', ({ table, ids }) => ({ y: gather(table, ids) })],
  ['matmul_batched_nt', ({ a, b }) => ({ y: matmul(a, b, { transposeB: true }) })],
  ['matmul', ({ a, b }) => ({ y: matmul(a, b) })],
  ['linear', ({ x, weight, bias }) => ({ y: dense(x, transpose(weight, [1, 0]), bias) })],
  ['attention', attend],
];

/** Inputs that are ids or masks stay integers, except where they are numbers to calculate with. */
const isInteger = (name: string) => name === 'ids';
const isClass = (file: string, name: string) => name === 'labels' && file.startsWith('cross_entropy');

/** Updates with given gradients and rates, with and without bias correction. */
const adam = ({ param0, grads, lrs }: Tensors): Named =>
  (['google', 'adamw_biascorr'] as const).flatMap((name): Named => {
    const optimiser = chain(scaleByAdam({ biasCorrection: name === 'adamw_biascorr' }), addDecayedWeights(0.01));
    const [count, ...shape] = grads.shape;
    let params = { kernel: param0 };
    let moments: Moments = optimiser.init(params);
    const after = Array.from({ length: count }, (_, i) => {
      const kernel = reshape(slice(grads, [i, ...shape.map(() => 0)], [1, ...shape]), shape);
      const [updates, next] = optimiser.update({ kernel }, moments, params);
      const rate = mul(reshape(slice(lrs, [i], [1]), []), -1);
      [params, moments] = [applyUpdates(params, { kernel: mul(updates.kernel, rate) }), next];
      return [`${name}.param${i + 1}`, params.kernel] as const;
    });
    const [{ m, v }] = moments as [{ m: typeof params; v: typeof params }];
    return [
      ...after,
      ...(name === 'google'
        ? ([
            [`${name}.m${count}`, m.kernel],
            [`${name}.v${count}`, v.kernel],
          ] as const)
        : []),
    ];
  });

/** Everything that a file has of an operation's outputs and gradients; nothing when the operation is not known. */
export const operate = (fixture: Fixture, file: string): Named => {
  const stored = fixture.read(file);
  const load = (name: string) => fixture.tensor(file, name, isInteger(name) || isClass(file, name) ? 'i32' : 'f32');
  const all: Tensors = Object.fromEntries(Array.from(stored.keys(), (name) => [name, load(name)]));
  if (file.startsWith('adam')) return adam(all);
  const operation = OPERATIONS.find(([prefix]) => file.startsWith(prefix))?.[1];
  if (operation === undefined) return [];
  const wanted = Object.keys(all).flatMap((name) => (name.startsWith('d_') ? [name.slice(2)] : []));
  const scalar = (inputs: Tensors) =>
    Object.entries(operation({ ...all, ...inputs }))
      .map(([name, y]) => sum(mul(y, all[`upstream_${name}`])))
      .reduce((a, b) => add(a, b));
  const slopes = grad(scalar)(Object.fromEntries(wanted.map((name) => [name, all[name]])));
  return [...Object.entries(operation(all)), ...wanted.map((name) => [`d_${name}`, slopes[name]] as const)];
};
