/**
 * 9. One step of ELECTRA. You will learn the whole method on one sentence, with every value in between: some words are
 * masked, the generator guesses them, its samples replace them, the discriminator judges every word, both losses are added,
 * and gradients flow, but not everywhere. Every number below comes from the functions of which lib/electra/step.ts is made.
 *
 * So that the guesses are worth looking at, both networks train for some seconds first (`--steps`). A sentence of your own:
 * `npx tsx examples/09-electra-step.ts "It is what it is."`
 */
import type { Params, Tensor } from '../lib/index.ts';
import {
  applyUpdates,
  chain,
  clipByGlobalNorm,
  constant,
  differs,
  discriminate,
  generate,
  globalNorm,
  grad,
  initElectra,
  initState,
  key,
  maskTokens,
  pretrainLoss,
  pretrainStep,
  replaceTokens,
  sampleTokens,
  scaleByAdam,
  scaleBySchedule,
  scoped,
  sigmoidCrossEntropy,
  softmax,
  softmaxCrossEntropy,
  split,
  stopGradient,
  tensor,
  warmupLinearDecay,
  weighted,
} from '../lib/index.ts';
import { exercise, fixed, heading, lesson, say, table } from './course/lesson.ts';
import { batchOf, lessonText } from './course/text.ts';

const { steps, words } = await lesson('9. One step of ELECTRA on one sentence', 400);
const { config: usual, tokenizer, unigram, batch } = lessonText(steps);
const { vocab } = tokenizer;
const read = async (x: Tensor) => Array.from(await x.data());

heading('Before anything is learned');
const fresh = scoped(() => initElectra(key(9), { ...usual, initialisation: 'published' }));
const first = scoped(() => pretrainLoss(key(9), fresh, batch(0), usual));
say(`With the published initialisation all guesses are about alike, and so are all verdicts. The losses must then be near ln V = ${fixed(Math.log(vocab.length))}
  and ln 2 = ${fixed(Math.LN2)}. They are ${fixed(await first.mlm.item())} and ${fixed(await first.rtd.item())}. Remember the two: a first loss far from them is a bug.`);
const optimiser = chain(
  clipByGlobalNorm(usual.training.clipNorm),
  scaleByAdam(),
  scaleBySchedule(warmupLinearDecay(usual.training)),
);
const train = pretrainStep(usual, optimiser);
let state = initState(usual, optimiser, 9, tensor(unigram));
for (let i = 0; i < steps; i++) [state] = train(state, batch(i));
const { params } = state;
say(
  `Now the networks have trained for ${steps} steps on ${(steps * usual.training.batchSize).toLocaleString('en')} other sequences. From here on they are left as they are.`,
);

heading('1. Mask');
const config = { ...usual, maskProbability: 0.25 };
const text = words.join(' ') || 'Tonight I can report to the American people that the state of our union is strong.';
const sentence = batchOf(tokenizer, text);
const { hide, choose, dropG, dropD } = split(key(9), 'hide', 'choose', 'dropG', 'dropD');
const masked = maskTokens(hide, sentence, config);
const [tokens, seen, at, hidden, answers] = await Promise.all(
  [sentence.tokens, masked.tokens, masked.at, masked.hidden, masked.answers].map(read),
);
say(`A quarter of the tokens is chosen here (15 % in a long sequence), never [CLS] or [SEP]. Of those, 85 % are hidden behind [MASK]; the rest stay
  visible, but are guessed and replaced all the same.`);
say(`text       ${tokens.map((id) => vocab[id]).join(' ')}`);
say(`it sees    ${seen.map((id) => vocab[id]).join(' ')}`);
say(
  `chosen     ${at.map((position, j) => `${position} ${vocab[answers[j]]}${hidden[j] === 1 ? '' : ' (visible)'}`).join(',  ')}`,
);

heading('2. Guess: the generator');
const guesses = generate(dropG, params, masked, config);
const probabilities = await softmax(guesses).data();
const p = (slot: number, id: number) => probabilities[slot * vocab.length + id];
const best = (slot: number) => [...vocab.keys()].sort((a, b) => p(slot, b) - p(slot, a)).slice(0, 3);
const percent = (x: number) => `${fixed(100 * x, 1)} %`;
const mlm = softmaxCrossEntropy(guesses, masked.answers, masked.weights);
say(
  `At each chosen position it gives a probability to each of ${vocab.length.toLocaleString('en')} pieces. Its loss there is −ln p(answer); L_MLM is the mean:`,
);
table(
  ['position', 'answer', 'p(answer)', '−ln p', 'its best guesses'],
  at.map((position, j) => [
    position,
    vocab[answers[j]],
    percent(p(j, answers[j])),
    fixed(-Math.log(p(j, answers[j]))),
    best(j)
      .map((id) => `${vocab[id]} ${percent(p(j, id))}`)
      .join('  '),
  ]),
);
say(`L_MLM = ${fixed(await mlm.item())}`);

heading('3. Sample and replace');
const chosen = sampleTokens(choose, stopGradient(guesses), config.temperature);
const corrupted = replaceTokens(sentence.tokens, masked.at, chosen);
const [samples, judged] = await Promise.all([chosen, corrupted].map(read));
say(`One token is drawn at each position, with those probabilities: not the best one, or the same few words would always come. A draw that hits the
  answer is luck, and nothing is replaced.`);
table(
  ['position', 'answer', 'drawn', 'p(drawn)', ''],
  at.map((position, j) => [
    position,
    vocab[answers[j]],
    vocab[samples[j]],
    percent(p(j, samples[j])),
    samples[j] === answers[j] ? 'lucky: counts as original' : 'replaced',
  ]),
);

heading('4. Judge: the discriminator');
const replaced = differs(corrupted, sentence.tokens);
const logits = discriminate(dropD, params, corrupted, sentence, config);
const rtd = sigmoidCrossEntropy(logits, replaced, sentence.attend);
const [labels, verdicts] = await Promise.all([replaced, logits].map(read));
say(`It sees the text with the samples in it, and no [MASK] anywhere: that is how a text looks when the model is used later. For every token, also those
  never chosen, it gives the probability that it was replaced. Its loss is −ln of the probability of what is true; L_Disc is the mean.`);
table(
  ['position', 'token', 'was', 'label', 'P(replaced)', 'loss', ''],
  judged.map((id, i) => {
    const suspicion = 1 / (1 + Math.exp(-verdicts[i]));
    const loss = -Math.log(labels[i] === 1 ? suspicion : 1 - suspicion);
    return [
      i,
      vocab[id],
      labels[i] === 1 ? vocab[tokens[i]] : '',
      labels[i],
      percent(suspicion),
      fixed(loss),
      '█'.repeat(Math.round(40 * suspicion)),
    ];
  }),
);
say(`L_Disc = ${fixed(await rtd.item())}`);

heading('5. Add');
const { generatorWeight, discriminatorWeight } = config;
const loss = weighted([generatorWeight, mlm], [discriminatorWeight, rtd]);
say(`L = L_MLM + λ · L_Disc = ${fixed(await mlm.item())} + ${discriminatorWeight} · ${fixed(await rtd.item())} = ${fixed(await loss.item())}. A choice of two costs far less than a choice of a thousand; λ = ${discriminatorWeight} lets it
  count all the same.`);

heading('6. Where gradients flow');
/** Both losses as functions of the parameters: the lines above once more, in one place. */
const losses = (params: Params) => {
  const guesses = generate(dropG, params, masked, config);
  const mlm = softmaxCrossEntropy(guesses, masked.answers, masked.weights);
  const chosen = sampleTokens(choose, stopGradient(guesses), config.temperature);
  const corrupted = replaceTokens(sentence.tokens, masked.at, chosen);
  const replaced = differs(corrupted, sentence.tokens);
  const rtd = sigmoidCrossEntropy(discriminate(dropD, params, corrupted, sentence, config), replaced, sentence.attend);
  return { mlm, rtd, loss: weighted([generatorWeight, mlm], [discriminatorWeight, rtd]) };
};
const parts: [string, (params: Params) => unknown][] = [
  ['embeddings (shared)', (x) => x.embeddings],
  ['generator: encoder', (x) => x.generator.encoder],
  ['generator: head', (x) => x.generator.head],
  ['discriminator: encoder', (x) => x.discriminator.encoder],
  ['discriminator: head', (x) => x.discriminator.head],
];
const [fromMlm, fromRtd] = [
  grad((params: Params) => losses(params).mlm)(params),
  grad((params: Params) => losses(params).rtd)(params),
];
const length = async (tree: unknown) => fixed(await globalNorm(tree).item(), 4);
table(
  ['length of the gradient for', 'from L_MLM', 'from L_Disc'],
  await Promise.all(
    parts.map(async ([name, part]) => [name, await length(part(fromMlm)), await length(part(fromRtd))]),
  ),
);
const leak = await globalNorm(fromRtd.generator).item();
say(`The discriminator's loss does not reach the generator: ${leak === 0 ? 'those lengths are exactly 0' : `but here it does, with length ${leak}!`}. Drawing a token is a choice, and a choice has no slope. So the
  generator is not trained to deceive, as in a GAN; it only learns to guess well. What both have in common is the embeddings, and there the two gradients add up.`);

heading('7. One step downhill');
const small = chain(clipByGlobalNorm(config.training.clipNorm), scaleByAdam(), scaleBySchedule(constant(1e-4)));
const { grads } = grad(losses)(params);
const [updates] = small.update(grads, small.init(params), params);
const after = losses(applyUpdates(params, updates));
say(
  `Clip the gradient, scale it by Adam, go a small way. The same sentence, masked and sampled with the same keys, before and after:`,
);
table(
  ['', 'L_MLM', 'L_Disc', 'L'],
  [
    ['before', fixed(await mlm.item(), 4), fixed(await rtd.item(), 4), fixed(await loss.item(), 4)],
    ['after', fixed(await after.mlm.item(), 4), fixed(await after.rtd.item(), 4), fixed(await after.loss.item(), 4)],
  ],
);
say(`That was all of ELECTRA. Training repeats it with other sentences, some thousand or a million times; afterwards the generator is
  put away, and the discriminator's encoder is what one keeps. Now read lib/electra/step.ts: you know every line of it.`);

exercise(
  '09-electra-step',
  `A discriminator that has understood nothing may still know how many tokens are replaced, and say the same of each. Write
  ignorance(rate), from the part of the tokens that is replaced to { logit, loss }: the one logit that is best for all tokens, and the loss that
  it has. A real discriminator must get below that loss. The law takes the slope there: it must vanish.`,
);
