/**
 * Adam (Kingma & Ba 2015): each element's step is its average gradient over the root of its average squared gradient,
 * m / (√v + ε), with m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g². ELECTRA, like BERT, leaves out the paper's bias
 * correction (m and v start at 0 and are too small at first), which `biasCorrection` restores.
 */
import * as kernels from '../../kernels/adam.ts';
import type { Kernel } from '../../kernels/device/device.ts';
import { each, elementwise, operation, sameShapes } from '../op.ts';
import { add, div, exp, mul, sub, zeros } from '../ops/arith.ts';
import type { Tensor } from '../tensor.ts';
import { mapPacked, together } from './packed.ts';
import type { Transform } from './transform.ts';

/** A fused elementwise operation of two tensors and one number. */
const fused = (
  name: string,
  about: string,
  f: (a: number, b: number, parameter: number) => number,
  kernel: Kernel,
  gradient: { vjp?: (dy: Tensor, parameter: number) => Tensor[] } = {},
  second: { range?: readonly [number, number] } = {},
) =>
  operation<{ parameter: number }>({
    name,
    about,
    domain: { inputs: [{ dims: 'm n' }, { dims: 'm n', ...second }], params: (_, pick) => ({ parameter: (1 + pick(9)) / 10 }) },
    shape: sameShapes(name),
    reference: ([a, b], y, { parameter }) => each((a, b) => f(a, b, parameter))([a, b], y),
    launches: ({ parameter }, _, y) => [{ kernel, arrays: [0, 1], floats: [parameter], output: elementwise(y) }],
    ...(gradient.vjp && { vjp: (dy: Tensor, { params }: { params: { parameter: number } }) => gradient.vjp!(dy, params.parameter) }),
  });

// Averages move by the rate 1 − β, which the host rounds once: 1 − 0.999 in single precision would be off by 1e-5.
const average = fused('average', 'y = a + r·(b − a)', (a, b, rate) => a + rate * (b - a), kernels.average, {
  vjp: (dy, rate) => [mul(dy, 1 - rate), mul(dy, rate)],
});

const averageSquare = fused('averageSquare', 'y = a + r·(b² − a)', (a, b, rate) => a + rate * (b * b - a), kernels.averageSquare);

const direction = fused('adamDirection', 'y = m / (√v + ε)', (m, v, epsilon) => m / (Math.sqrt(v) + epsilon), kernels.adamDirection, {}, { range: [0.1, 2] });

export interface Adam {
  /** Decay of the average gradient; 0.9. */
  readonly beta1?: number;
  /** Decay of the average squared gradient; 0.999. */
  readonly beta2?: number;
  /** Added to the root, outside it; 1e-6 in ELECTRA. */
  readonly epsilon?: number;
  /** Divide m by 1 − β₁ᵗ and v by 1 − β₂ᵗ at the t-th update; false in ELECTRA. */
  readonly biasCorrection?: boolean;
}

/** What ε is at least, so that 0 / (√0 + ε) is 0: without gradients nothing moves. */
const LEAST_EPSILON = 1e-30;

/** Adam's direction for every element: the update before decay and learning rate. */
export const scaleByAdam = ({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-6, biasCorrection = false }: Adam = {}): Transform => ({
  init(params) {
    const still = () => mapPacked((p) => zeros(p.shape), params);
    return { m: still(), v: still(), updates: zeros([], 'i32') };
  },
  update(gradients, state, _) {
    const old = state as { m: typeof gradients; v: typeof gradients; updates: Tensor };
    const updates = add(old.updates, 1);
    // With bias correction m̂ / (√v̂ + ε), where 1 − βᵗ = 1 − e^(t ln β).
    const missing = (beta: number) => sub(1, exp(mul(updates, Math.log(beta))));
    const corrected = (average: Tensor, beta: number) => (biasCorrection ? div(average, missing(beta)) : average);
    const [u, m, v] = together(
      (g, oldM, oldV) => {
        const m = average({ parameter: 1 - beta1 }, oldM, g);
        const v = averageSquare({ parameter: 1 - beta2 }, oldV, g);
        return [direction({ parameter: Math.max(epsilon, LEAST_EPSILON) }, corrected(m, beta1), corrected(v, beta2)), m, v];
      },
      gradients,
      old.m,
      old.v,
    );
    return [u, { m, v, updates }];
  },
});
