/**
 * Prints what a generator would put in the place of every [MASK] of a text, with probabilities.
 *
 *     npx tsx examples/fill.ts runs/1 "The [MASK] of the union is strong." --top 3
 */
import { Command } from 'commander';
import type { DeviceName } from '../lib/index.ts';
import { generate, key, scoped, softmax, tensor, useDevice } from '../lib/index.ts';
import { UserError } from '../lib/node.ts';
import type { Opened, Reading } from './models/open.ts';
import { openModel, readText } from './models/open.ts';
import { deviceOption, endClearly } from './models/program.ts';
import { number } from './pretrain/options.ts';

interface Guess {
  readonly token: string;
  readonly probability: number;
}

/** The `top` best guesses for every [MASK], best first. */
const guess = async (
  { config, params, tokenizer: { vocab } }: Opened,
  { batch }: Reading,
  at: number[],
  top: number,
): Promise<Guess[][]> => {
  const places = tensor(at, [1, at.length], 'i32');
  const probabilities = await scoped(() => softmax(generate(key(0), params, { ...batch, at: places }, config))).data();
  return at.map((_, i) => {
    const row = probabilities.subarray(i * config.vocabSize, (i + 1) * config.vocabSize);
    const best = [...vocab.keys()].sort((a, b) => row[b] - row[a]).slice(0, top);
    return best.map((id) => ({ token: vocab[id], probability: row[id] }));
  });
};

const fill = async (
  path: string,
  texts: string[],
  { top, device }: { top: number; device?: DeviceName },
): Promise<void> => {
  await useDevice(device);
  const model = openModel(path, 'generator');
  const gaps = texts.map((text) => {
    const reading = readText(model, text);
    const at = [...reading.ids.keys()].filter((i) => reading.ids[i] === model.tokenizer.special.mask);
    if (at.length === 0) throw new UserError(`expected a text with [MASK] in it, got ${JSON.stringify(text)}`);
    return { text, reading, at };
  });
  for (const [i, { text, reading, at }] of gaps.entries()) {
    console.log(`${i > 0 ? '\n' : ''}${text}`);
    for (const [j, guesses] of (await guess(model, reading, at, top)).entries()) {
      if (at.length > 1) console.log(`[MASK] ${j + 1} of ${at.length}`);
      for (const { token, probability } of guesses) console.log(`  ${probability.toFixed(4)}  ${token}`);
    }
  }
};

await endClearly(
  new Command('fill')
    .description('Prints what a generator would put in the place of every [MASK] of a text, with probabilities.')
    .argument('<model>', "a generator's folder, or that of a run")
    .argument('<text...>', 'texts with [MASK] in them, each in quotation marks')
    .option('--top <k>', 'guesses for each [MASK]', number(1), 5)
    .addOption(deviceOption())
    .action(fill),
);
