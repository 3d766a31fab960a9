/**
 * What a fresh head reads, standardised. An encoder that has only been asked for one bit a token answers nearly the same
 * for all: of the squared norm of its last [CLS], 97 % may be the same for every text. A head then learns from what is left,
 * which is small, while every step also moves the rest. So, before the first step, the last layer norm is drawn to the task:
 * with mean μ and deviation σ of each channel over some examples,
 *
 *     LN(x) = gain · x̂ + bias    becomes    (gain / σ) · x̂ + (bias − μ) / σ
 *
 * Only values change, in two vectors, and the head is fresh anyway. A head that reads all layers gets the two vectors itself
 * (`norm`), since what one layer says the next one reads. An initialisation by data, as of Mishkin & Matas 2016
 * ("All you need is a good init") and Salimans & Kingma 2016 (weight normalization, §3); what it buys: docs/decisions.md.
 */
import type { TaskParams } from '../electra/heads.ts';
import { donating } from '../memory.ts';
import { div, maximum, mul, sqrt, square, sub } from '../ops/arith.ts';
import { reshape } from '../ops/axes.ts';
import { concat } from '../ops/move.ts';
import { sum } from '../ops/reduce.ts';
import { dims } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Hidden states […, c], and which of them count: 1 or 0, […]. */
export type HeadInput = readonly [hidden: Tensor, counts: Tensor];

/** A channel that varies less than this, as all do in a network that was never trained, is stretched tenfold and no more. */
const LEAST = 1e-2;

const rows = ([hidden, counts]: HeadInput): HeadInput => {
  const c = hidden.shape.at(-1)!;
  return [reshape(hidden, [-1, c]), reshape(counts, [-1, 1])];
};

/** The network whose last hidden states, as `read` finds them in the batches, have mean 0 and deviation 1. Both are donated. */
export const standardise = <Head, B>(params: TaskParams<Head>, batches: readonly B[], read: (params: TaskParams<Head>, batch: B) => HeadInput): TaskParams<Head> =>
  donating((params: TaskParams<Head>, batches: readonly B[]) => {
    const parts = batches.map((batch) => rows(read(params, batch)));
    const [hidden, counts] = [concat(parts.map(([x]) => x), 0), concat(parts.map(([, n]) => n), 0)];
    const { c } = dims(hidden, 'n c');
    const average = (x: Tensor) => reshape(div(sum(mul(x, counts), { axis: 0 }), sum(counts)), [c]);
    const mean = average(hidden);
    const deviation = sqrt(maximum(average(square(sub(hidden, mean))), LEAST));

    if (c > params.discriminator.encoder[0].feedForward.norm.gain.size) {
      return { ...params, task: { ...params.task, norm: { gain: div(1, deviation), bias: div(mul(mean, -1), deviation) } } };
    }
    const { encoder } = params.discriminator;
    const last = encoder[encoder.length - 1];
    const { norm } = last.feedForward;
    const drawn = { gain: div(norm.gain, deviation), bias: div(sub(norm.bias, mean), deviation) };
    return { ...params, discriminator: { ...params.discriminator, encoder: [...encoder.slice(0, -1), { ...last, feedForward: { ...last.feedForward, norm: drawn } }] } };
  })(params, batches);
