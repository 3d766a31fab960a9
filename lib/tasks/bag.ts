/**
 * The bag of words: a logistic regression on which words and pairs of neighbouring words a text has, in lower case and with
 * no order beyond that. What a pre-trained network is worth shows beside it. A feature f of a text weighs
 *
 *     x_f = (1 + ln count_f) · (1 + ln((1 + N) / (1 + N_f))),   divided by the length of x
 *
 * where N_f of the N training texts have it (tf-idf; Salton & Buckley 1988), and logits are W x + b: an embedding bag, so
 * rows of W are gathered by feature, weighed and added up by text. Adam on the mean cross-entropy (squared error for values)
 * from W = 0 stops early instead of shrinking W.
 */
import { classificationLoss } from '../electra/heads.ts';
import { grad } from '../grad.ts';
import { donating, scoped } from '../memory.ts';
import { add, mul, zeros } from '../ops/arith.ts';
import { gather, scatterAdd } from '../ops/gather.ts';
import { softmax } from '../ops/softmax.ts';
import { scaleByAdam } from '../optim/adam.ts';
import { scaleBySchedule, warmupLinearDecay } from '../optim/schedule.ts';
import { applyUpdates, chain } from '../optim/transform.ts';
import type { Moments } from '../optim/transform.ts';
import type { Tensor } from '../tensor.ts';
import { tensor } from '../tensor.ts';
import type { HostKey } from '../text/order.ts';
import { derive, permutation } from '../text/order.ts';
import { labelsOf } from './labels.ts';
import type { Baseline, Guess, TextRow } from './task.ts';

type Texts = Pick<TextRow, 'text' | 'pair'>;
type Weighed = readonly { readonly feature: number; readonly weight: number }[];

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{M}\p{N}]/gu) ?? [];

const grams = (text: string, of: string): string[] => {
  const words = wordsOf(text);
  return words.flatMap((word, i) => (i === 0 ? [of + word] : [of + word, `${of}${words[i - 1]} ${word}`]));
};

/** How often a text, or a pair of them, has each word and pair of words. */
const countsOf = ({ text, pair }: Texts): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const gram of [...grams(text, ''), ...(pair === undefined ? [] : grams(pair, '\n'))])
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  return counts;
};

/** The features that two training texts or more have, and how a text is weighed by them. */
const weigher = (counted: readonly Map<string, number>[]) => {
  const having = new Map<string, number>();
  for (const counts of counted) for (const gram of counts.keys()) having.set(gram, (having.get(gram) ?? 0) + 1);
  const kept = [...having].filter(([, texts]) => texts >= 2);
  const features = new Map(
    kept.map(([gram, texts], feature) => [gram, { feature, rarity: 1 + Math.log((1 + counted.length) / (1 + texts)) }]),
  );
  const weigh = (counts: Map<string, number>): Weighed => {
    const found = [...counts].flatMap(([gram, count]) => {
      const known = features.get(gram);
      return known ? [{ feature: known.feature, weight: (1 + Math.log(count)) * known.rarity }] : [];
    });
    const length = Math.hypot(...found.map(({ weight }) => weight));
    return found.map(({ feature, weight }) => ({ feature, weight: weight / length }));
  };
  return { size: features.size, weigh };
};

interface Linear {
  readonly kernel: Tensor;
  readonly bias: Tensor;
}

/** The logits [b, n] of weighed texts: the rows of all their features, one text behind the other, are added up by text. */
const logitsOf = ({ kernel, bias }: Linear, texts: readonly Weighed[]): Tensor => {
  const all = texts.flat();
  const features = tensor(
    all.map(({ feature }) => feature),
    [all.length],
    'i32',
  );
  const weights = tensor(
    all.map(({ weight }) => weight),
    [all.length, 1],
  );
  const owners = tensor(
    texts.flatMap((text, i) => text.map(() => i)),
    [all.length],
    'i32',
  );
  return add(scatterAdd(owners, mul(gather(kernel, features), weights), texts.length), bias);
};

// Chosen on SMS Spam, SNIPS and BANKING77 (docs/decisions.md); small sets are gone through more often.
const [BATCH, LEARNING_RATE, EPOCHS, LEAST_UPDATES] = [128, 0.05, 10, 300];

/**
 * Trains a bag of words on rows with labels: a baseline that predicts classes, or values. All chance follows from the key;
 * `labels` are the classes in the order of their probabilities.
 *
 * Throws a RangeError without rows.
 */
export const bagOfWords = async (
  key: HostKey,
  rows: readonly TextRow[],
  labels = labelsOf({}, rows),
): Promise<Baseline<TextRow>> => {
  if (rows.length === 0) throw new RangeError('bagOfWords: expected rows to train on, got none');
  const regression = typeof rows[0].label === 'number';
  const outputs = regression ? 1 : labels.length;
  const counted = rows.map(countsOf);
  const { size, weigh } = weigher(counted);
  const weighed = counted.map(weigh);
  const number = new Map(labels.map((label, i) => [label, i]));
  const targets = rows.map(({ label }) => (typeof label === 'number' ? label : (number.get(label ?? '') ?? 0)));

  const perEpoch = Math.ceil(rows.length / BATCH);
  const epochs = Math.max(EPOCHS, Math.ceil(LEAST_UPDATES / perEpoch));
  const optimiser = chain(
    scaleByAdam({ biasCorrection: true, epsilon: 1e-8 }),
    scaleBySchedule(warmupLinearDecay({ learningRate: LEARNING_RATE, warmupSteps: 0, steps: epochs * perEpoch })),
  );
  const step = donating((params: Linear, moments: Moments, texts: readonly Weighed[], truth: readonly number[]) => {
    const { grads } = grad((params: Linear) => ({
      loss: classificationLoss(logitsOf(params, texts), tensor(truth, [truth.length], regression ? 'f32' : 'i32')),
    }))(params);
    const [updates, next] = optimiser.update(grads, moments, params);
    return [applyUpdates(params, updates), next] as const;
  });
  let params: Linear = { kernel: zeros([Math.max(1, size), outputs]), bias: zeros([outputs]) };
  let moments = optimiser.init(params);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = permutation(rows.length, derive(key, epoch));
    for (let at = 0; at < rows.length; at += BATCH) {
      const batch = order.slice(at, at + BATCH);
      [params, moments] = step(
        params,
        moments,
        batch.map((row) => weighed[row]),
        batch.map((row) => targets[row]),
      );
    }
    await params.bias.data();
  }
  params = donating((params: Linear, _: Moments) => params)(params, moments);

  const predict = async (rows: readonly Texts[]) => {
    const guesses: Guess<TextRow>[] = [];
    for (let at = 0; at < rows.length; at += 256) {
      const texts = rows.slice(at, at + 256).map((row) => weigh(countsOf(row)));
      const out = await scoped(() => {
        const logits = logitsOf(params, texts);
        return regression ? logits : softmax(logits);
      }).data();
      for (const i of texts.keys()) {
        const own = Array.from(out.subarray(i * outputs, (i + 1) * outputs));
        const likeliest = labels[own.indexOf(Math.max(...own))];
        guesses.push(regression ? { predicted: own[0] } : { predicted: likeliest, probabilities: own });
      }
    }
    return guesses;
  };
  return { name: 'bag of words', predict };
};
