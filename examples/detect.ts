/**
 * Colours each word of a text by how likely a discriminator thinks that it was replaced.
 *
 *     npx tsx examples/detect.ts runs/1 "The state of the banana is strong."
 *
 * Without a terminal, every word stands on a line of its own behind its probability. A word of several pieces has the
 * largest of theirs.
 */
import { Chalk } from 'chalk';
import type { ChalkInstance } from 'chalk';
import { Command } from 'commander';
import type { DeviceName } from '../lib/index.ts';
import { discriminate, key, scoped, sigmoid, useDevice } from '../lib/index.ts';
import type { Opened, Reading } from './models/open.ts';
import { openModel, readText } from './models/open.ts';
import { deviceOption, endClearly } from './models/program.ts';
import { isContinuation } from './report/sample.ts';
import { paint, paintScale } from './report/terminal.ts';

/** Code points [start, end) of a text, and how likely they were replaced. */
interface Judged {
  readonly start: number;
  readonly end: number;
  readonly probability: number;
}

/** The words of a text, in order. */
const judge = async (model: Opened, { batch, tokens, offsets }: Reading): Promise<Judged[]> => {
  const probabilities = await scoped(() =>
    sigmoid(discriminate(key(0), model.params, batch.tokens, batch, model.config)),
  ).data();
  const words: Judged[] = [];
  for (let i = 1; i < tokens.length - 1; i++) {
    const [start, end] = offsets[i];
    const last = words.at(-1);
    if (last && isContinuation({ text: tokens[i] }))
      words[words.length - 1] = { start: last.start, end, probability: Math.max(last.probability, probabilities[i]) };
    else words.push({ start, end, probability: probabilities[i] });
  }
  return words;
};

/** The text as it was written, in colours; without colours, a line for every word. */
const show = (text: string, words: readonly Judged[], chalk: ChalkInstance): string => {
  const characters = [...text];
  const between = (start: number, end?: number) => characters.slice(start, end).join('');
  if (chalk.level === 0)
    return [
      text,
      ...words.map(({ start, end, probability }) => `  ${probability.toFixed(4)}  ${between(start, end)}`),
      '',
    ].join('\n');
  let from = 0;
  const painted = words.map(({ start, end, probability }) => {
    const gap = between(from, start);
    from = end;
    return gap + paint(between(start, end), probability, chalk);
  });
  return painted.join('') + between(from);
};

const detect = async (path: string, texts: string[], { device }: { device?: DeviceName }): Promise<void> => {
  const chalk = new Chalk();
  await useDevice(device);
  const model = openModel(path, 'discriminator');
  const readings = texts.map((text) => readText(model, text));
  if (chalk.level > 0) console.log(paintScale(chalk));
  for (const [i, reading] of readings.entries()) console.log(show(texts[i], await judge(model, reading), chalk));
};

await endClearly(
  new Command('detect')
    .description('Colours each word of a text by how likely a discriminator thinks that it was replaced.')
    .argument('<model>', "a discriminator's folder, or that of a run")
    .argument('<text...>', 'texts, each in quotation marks')
    .addOption(deviceOption())
    .action(detect),
);
