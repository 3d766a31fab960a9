/**
 * 8. A masked language model. You will learn the task that BERT is trained on and that ELECTRA's generator keeps: some
 * words are hidden, the model guesses them from the rest. It trains for some seconds, and you see its guesses for a
 * held-out sentence turn from the most frequent words to those that depend on the neighbours. You also learn which
 * number tells whether it uses context at all.
 */
import type { Batch, Params, Tensor } from '../lib/index.ts';
import {
  applyUpdates,
  chain,
  clipByGlobalNorm,
  crossEntropy,
  donating,
  fold,
  generate,
  grad,
  initElectra,
  key,
  maskTokens,
  scaleByAdam,
  scaleBySchedule,
  scoped,
  softmax,
  softmaxCrossEntropy,
  split,
  tensor,
  warmupLinearDecay,
} from '../lib/index.ts';
import { exercise, fixed, heading, lesson, say, table } from './course/lesson.ts';
import { lessonText } from './course/text.ts';

const { steps } = await lesson('8. A masked language model', 450);
const { config: demo, tokenizer, unigram, unigramLoss, batch, heldOut } = lessonText(steps);
const { vocab, special } = tokenizer;

heading('The task');
// The network is ELECTRA's generator, here as wide as the discriminator.
const config = { ...demo, generator: demo.discriminator, training: { ...demo.training, learningRate: 2e-3 } };
const keys = split(key(8), 'params', 'train', 'test');
const held = [...heldOut(256)].map((text, i) => ({ text, masked: maskTokens(fold(keys.test, i), text, config) }));
const [{ text, masked: heldMasked }] = held;
const t = config.training.sequenceLength;
const firstRow = async (x: Batch['tokens']) => Array.from(await x.data()).slice(0, x.shape[1]);
const [tokens, seen, at, hidden] = await Promise.all(
  [text.tokens, heldMasked.tokens, heldMasked.at, heldMasked.hidden].map(firstRow),
);
const words = (ids: number[]) =>
  ids
    .filter((id) => id !== special.pad)
    .map((id) => vocab[id])
    .join(' ');
say(`A held-out sequence of ${t} tokens, and what the model sees of it. Of all tokens 15 % are chosen to be guessed; of those, 85 % are hidden
  behind [MASK] and the others stay visible, so that [MASK] is not all that the model ever has to think about.`);
say(words(tokens));
say(words(seen));

heading('The model and the loss');
const all = initElectra(keys.params, config, tensor(unigram));
const { embeddings, generator } = all;
type Mlm = Pick<Params, 'embeddings' | 'generator'>;
const logits = (mlm: Mlm, masked: typeof heldMasked) => generate(keys.train, { ...all, ...mlm }, masked, config);
say(`Embeddings, two transformer layers of width ${config.generator.hiddenSize}, and at each chosen position a score for each of the ${vocab.length.toLocaleString('en')} pieces. softmax
  makes probabilities of them; the loss is −ln p(the word that was there), on average. Three marks on that scale, in nats:`);
table(
  ['', 'loss', 'like a choice among'],
  [
    ['every piece alike: ln V', fixed(Math.log(vocab.length)), Math.round(vocab.length)],
    ['by frequency alone (unigram)', fixed(unigramLoss), Math.round(Math.exp(unigramLoss))],
    ['certain and right', fixed(0), 1],
  ],
);
say(
  'Whoever stays above the unigram line knows which words are frequent, and nothing else. Below it, context is at work.',
);

heading('Training');
const { training } = config;
const optimiser = chain(
  clipByGlobalNorm(training.clipNorm),
  scaleByAdam(),
  scaleBySchedule(warmupLinearDecay(training)),
);
type State = { mlm: Mlm; moments: unknown };
const step = donating(({ mlm, moments }: State, text: Batch, k: Tensor) => {
  const masked = maskTokens(k, text, config);
  const slopes = grad((mlm: Mlm) => softmaxCrossEntropy(logits(mlm, masked), masked.answers, masked.weights))(mlm);
  const [updates, next] = optimiser.update(slopes, moments, mlm);
  return { mlm: applyUpdates(mlm, updates), moments: next };
});

/** The losses at the hidden positions of the held-out text, and the three best guesses at those of its first row. */
const measure = async (mlm: Mlm) => {
  const losses: number[] = [];
  for (const { masked } of held) {
    const values = scoped(() => crossEntropy(logits(mlm, masked), masked.answers));
    const [all, counted] = [await values.data(), await masked.hidden.data()];
    losses.push(...all.filter((_, i) => counted[i] === 1));
  }
  const loss = losses.reduce((a, b) => a + b / losses.length, 0);
  const deviation = Math.sqrt(losses.reduce((a, b) => a + (b - loss) ** 2 / losses.length, 0));
  const p = await scoped(() => softmax(logits(mlm, heldMasked))).data();
  const best = at.map((_, slot) => {
    const row = p.slice(slot * vocab.length, (slot + 1) * vocab.length);
    const order = [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, 3);
    return order.map((id) => `${vocab[id]} ${Math.round(100 * row[id])} %`).join('  ');
  });
  return { loss, best, error: deviation / Math.sqrt(losses.length) };
};

let state: State = { mlm: { embeddings, generator }, moments: optimiser.init({ embeddings, generator }) };
const shown = [0, Math.round(steps / 3), steps];
const marks = new Set([0, 1, 2, 3, 4, 5].map((i) => Math.round((i * steps) / 5)).concat(shown));
const curve: (string | number)[][] = [];
const guesses: string[][] = [];
for (let i = 0; i <= steps; i++) {
  if (marks.has(i)) {
    const { loss, best, error } = await measure(state.mlm);
    curve.push([i, fixed(loss), fixed(error), fixed(unigramLoss - loss)]);
    if (shown.includes(i)) guesses.push(best);
  }
  if (i < steps) state = step(state, batch(i), fold(keys.train, i));
}
table(['step', 'loss of hidden words', 'its standard error', 'nats below unigram'], curve);
say(`It starts at the unigram line, give or take the standard error, because its output bias was set to the word frequencies; otherwise it would start near ln V and spend
  its first steps on learning those. All of it is measured on held-out text, over the hidden words alone: the visible ones of the
  chosen need only be copied.`);

heading('Its guesses');
say('The hidden words of the sequence above, with the three best guesses, before, on the way and at the end:');
table(
  ['hidden', ...shown.map((i) => `step ${i}`)],
  at.flatMap((position, slot) =>
    hidden[slot] === 1 ? [[vocab[tokens[position]], ...guesses.map((best) => best[slot])]] : [],
  ),
);
say(`After ${steps} steps this is a weak model: it knows which little word belongs between its neighbours. Of each sequence it was asked about
  one position in seven, for only 15 % are chosen, and the others teach nothing directly. That waste is what ELECTRA mends; on to lesson 9.`);

exercise(
  '08-masked-language-model',
  `You want to ask about one word of your own choice. Write maskOne(batch, position, mask), for a batch of one row and
  the id of [MASK]: the Masked value with one slot, in which that one position is hidden. Its fields are explained in
  lib/electra/mask.ts. The law puts the answer back and expects the text that was there.`,
);
