/**
 * 11. Reading a discriminator. You will learn to look into a trained model: how suspicious it is of every word, how often it
 * is right beside one who knows nothing, where its heads look, and which words it holds to be alike. Give it the folder of a
 * run of `npm start`, and a sentence of your own if you like; without a folder it trains a little model itself:
 *
 *     npx tsx examples/11-reading-a-discriminator.ts runs/1 "The state of the banana is strong."
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Batch, ElectraConfig, Params, Tensor, WordPiece } from '../lib/index.ts';
import {
  areaUnderCurve,
  buildExamples,
  discriminate,
  initState,
  key,
  pretrainOptimiser,
  pretrainStep,
  rowsAt,
  scoped,
  sentences,
  split,
  tensor,
  uniform,
  withoutDropout,
} from '../lib/index.ts';
import { loadModel } from '../lib/node.ts';
import { exercise, fixed, heading, lesson, say, table } from './course/lesson.ts';
import { batchOf, lessonText } from './course/text.ts';
import { toBatch } from './pretrain/prepare.ts';

const { steps, words } = await lesson('11. Reading a discriminator', 500);
const folder = words.find((word) => existsSync(join(word, 'discriminator')));
const sentence =
  words.find((word) => word !== folder) ??
  'We will work with the congress and the American people to make our nation strong.';

interface Reader {
  readonly config: ElectraConfig;
  readonly tokenizer: WordPiece;
  readonly params: Pick<Params, 'embeddings' | 'discriminator'>;
}

/** The model of a run. */
const fromFolder = (folder: string): Reader => {
  const { config, params, tokenizer } = loadModel(join(folder, 'discriminator'));
  if (tokenizer === undefined || !('discriminator' in params) || 'task' in params)
    throw new Error(`${folder}: expected a discriminator with its vocab.txt`);
  return { config, params, tokenizer };
};

/** A model that has learned for so many steps. */
const text = lessonText(steps);
const trained = (): Reader => {
  const { config, tokenizer } = text;
  const optimiser = pretrainOptimiser(config.training);
  const step = pretrainStep(config, optimiser);
  let state = initState(config, optimiser, 11, tensor(text.unigram));
  for (let i = 0; i < steps; i++) [state] = step(state, text.batch(i));
  return { config, tokenizer, params: state.params };
};

say(
  folder
    ? `The discriminator of ${folder}.`
    : `No folder was given, so a small model trains for ${steps} steps. (npm start makes a better one in some minutes.)`,
);
const { config, tokenizer, params } = folder ? fromFolder(folder) : trained();
const { vocab, special } = tokenizer;
const isText = (id: number) => !Object.values(special).includes(id);
// discriminate reads the discriminator's parameters alone, so a model without a generator will do.
const judge = (batch: Batch, look?: (name: string, x: Tensor) => void) =>
  discriminate(key(0), params as Params, batch.tokens, batch, withoutDropout(config), look);
const percent = (share: number) => `${fixed(100 * share, 1)} %`;

heading('Suspicion');
const batch = batchOf(tokenizer, sentence);
const ids = Array.from(await batch.tokens.data());
const place = Math.floor(((ids.length - 1) * 2) / 3);
const stranger = ['of', 'the', ',']
  .map((word) => tokenizer.id(word))
  .find((id) => !ids.slice(place - 1, place + 2).includes(id))!;
const tampered = ids.with(place, stranger);
say(`Every token gets a probability that it was put there by a generator. Here is a sentence as it stands, and once more with "${vocab[stranger]}" in the place
  of "${vocab[ids[place]]}". Look at that line, and at its neighbours:`);
const suspicions = async (ids: number[]) => {
  const logits = await scoped(() => judge({ ...batch, tokens: tensor(ids, [1, ids.length], 'i32') })).data();
  return Array.from(logits, (x) => 1 / (1 + Math.exp(-x)));
};
const [before, after] = [await suspicions(ids), await suspicions(tampered)];
table(
  ['as it stands', 'suspicion', 'tampered with', 'suspicion', ''],
  ids.map((id, i) => [
    vocab[id],
    percent(before[i]),
    i === place ? `→ ${vocab[stranger]}` : vocab[id],
    percent(after[i]),
    '█'.repeat(Math.round(40 * after[i])),
  ]),
);

heading('How often is it right?');
const examples = buildExamples(
  text.heldOutTexts.map((text) => sentences(text).map((sentence) => tokenizer.ids(sentence))),
  { seq: 32, special, key: [0, 11] },
);
const rows = Math.min(512, examples.count);
const original = rowsAt(
  examples,
  Array.from({ length: rows }, (_, i) => i),
);
const { which, source } = split(key(11), 'which', 'source');
const count = original.tokens.length;
const [draws, sources] = await Promise.all([uniform(which, [count]), uniform(source, [count])].map((x) => x.data()));
const corrupted = original.tokens.map((id, i) => {
  const fake = original.tokens[Math.floor(sources[i] * count)];
  return draws[i] < 0.15 && isText(id) && isText(fake) ? fake : id;
});
const logits = Array.from(await scoped(() => judge(toBatch({ ...original, tokens: corrupted }))).data());
const judged = [...logits.keys()].filter((i) => original.attend[i] === 1);
const scores = judged.map((i) => logits[i]);
const replaced = judged.map((i) => Number(corrupted[i] !== original.tokens[i]));
const rate = replaced.reduce((a, b) => a + b) / replaced.length;
const { value, low, high } = areaUnderCurve(scores, replaced);
say(`${rows} sequences of addresses ${folder ? 'which your run may have been trained on' : 'which it was not trained on'}; ${percent(rate)} of the tokens are replaced by others that were drawn from the same
  text. (Such fakes are easier than a generator's, since they fit nowhere.) A random replaced token looks more suspicious than a random original one
  in ${fixed(100 * value, 0)} of 100 pairs: the area under the ROC curve is ${fixed(value)}, with a 95 % interval from ${fixed(low)} to ${fixed(high)}; a coin has 0.5. Now raise the alarm
  above some suspicion. How many alarms are right, and how many fakes are found?`);
const alarms = [0.1, 0.2, 0.3, 0.5].map((limit) => {
  const raised = scores.map((x) => 1 / (1 + Math.exp(-x)) > limit);
  const all = raised.filter(Boolean).length;
  const right = raised.filter((alarm, i) => alarm && replaced[i] === 1).length;
  return [percent(limit), all, all === 0 ? 'none' : percent(right / all), percent(right / (rate * replaced.length))];
});
table(['alarm above', 'alarms', 'right (precision)', 'fakes found (recall)'], alarms);
say(
  `Alarms at random would be right ${percent(rate)} of the time. Accuracy would tell you little here: whoever never raises one is right for ${percent(1 - rate)} of the tokens.`,
);

heading('Where its heads look');
const maps: Tensor[] = [];
const sample = toBatch(
  rowsAt(
    examples,
    Array.from({ length: Math.min(64, rows) }, (_, i) => i),
  ),
);
judge(sample, (name, x) => name.startsWith('attention') && maps.push(x));
const attend = await sample.attend.data();
const offsets = [-2, -1, 0, 1, 2];
const heads: (string | number)[][] = [];
for (const [layer, map] of maps.entries()) {
  const [b, h, t] = map.shape;
  const shares = await map.data();
  for (let head = 0; head < h; head++) {
    const at = offsets.map((offset) => {
      let [sum, n] = [0, 0];
      for (let row = 0; row < b; row++) {
        for (let i = 2; i < t - 2; i++) {
          if (attend[row * t + i] === 0) continue;
          sum += shares[((row * h + head) * t + i) * t + i + offset];
          n++;
        }
      }
      return sum / n;
    });
    heads.push([`layer ${layer + 1}, head ${head + 1}`, ...at.map(percent), percent(1 - at.reduce((a, b) => a + b))]);
  }
}
say(
  'The mean share of its attention that a token gives to its neighbours, by their distance, and to all others together:',
);
table(['', '2 before', '1 before', 'itself', '1 after', '2 after', 'elsewhere'], heads);
say(`If single columns stand out: the initialisation of small models gives each head a neighbour to begin with (lib/electra/positional.ts), for with the
  published one such a model found none in a thousand steps (docs/decisions.md).`);

heading('Which words are alike');
const width = config.embeddingSize;
const rowsOfWords = Float64Array.from(await params.embeddings.word.data());
// A table with the same numbers and no meaning: every column is turned by another number of places.
const meaningless = rowsOfWords.map((_, i) => rowsOfWords[(i + (37 * (i % width) + 11) * width) % rowsOfWords.length]);
const cosine = (rows: Float64Array, a: number, b: number) => {
  let [ab, aa, bb] = [0, 0, 0];
  for (let c = 0; c < width; c++) {
    const [x, y] = [rows[a * width + c], rows[b * width + c]];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
};
const nearest = (rows: Float64Array, id: number) =>
  [...vocab.keys()]
    .filter((other) => other !== id && isText(other))
    .map((other) => ({ other, alike: cosine(rows, id, other) }))
    .sort((a, b) => b.alike - a.alike)
    .slice(0, 4);
const asked = ['he', 'this', 'must', 'american', 'years', 'war', '.'].filter(
  (word) => tokenizer.id(word) !== special.unk,
);
say(
  'Every piece is a row of the word table. Rows that point the same way (cosine near 1) belong to words that are used alike. The nearest of a few:',
);
table(
  ['word', 'nearest, with the cosine'],
  asked.map((word) => [
    word,
    nearest(rowsOfWords, tokenizer.id(word))
      .map(({ other, alike }) => `${vocab[other]} ${fixed(alike, 2)}`)
      .join('  '),
  ]),
);
const chance = asked
  .map((word) => nearest(meaningless, tokenizer.id(word))[0].alike)
  .reduce((a, b) => a + b / asked.length, 0);
say(`Among ${vocab.length.toLocaleString('en')} rows some are near by chance: in a table with the same numbers, shuffled, the nearest row has a cosine of ${fixed(chance, 2)} on
  average. Only what is well above that was learned. After a short training, that is little.`);

exercise(
  '11-reading-a-discriminator',
  `The area under the ROC curve was called a share of pairs. Take that at its word: write pairsInOrder(scores, replaced),
  from two lists of numbers (replaced: 0 or 1) to the share of pairs of a replaced and an original token in which the replaced one has the higher
  score; a tie counts half. The law compares it with areaUnderCurve, which sorts instead.`,
);
