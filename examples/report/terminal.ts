/**
 * A sample in the colours of a terminal. Where a word was hidden, brackets hold what stood there and what the generator
 * put there; the more a word is suspected to be replaced, the redder it is. Without colours, suspects carry a `!`.
 */
import { Chalk } from 'chalk';
import type { ChalkInstance } from 'chalk';
import type { Word } from './sample.ts';
import { isContinuation, isFlagged, withoutHashes } from './sample.ts';

/** From unsuspicious to certainly replaced: no colour of its own, amber, orange, red. */
const SCALE = [undefined, '#d9a406', '#f2711c', '#ef4444'];

/** A text in the colour of how likely it was replaced; without colours, with a `!` if it is rather likely. */
export const paint = (text: string, probability: number, chalk: ChalkInstance): string => {
  const hue = SCALE[Math.min(SCALE.length - 1, Math.floor(probability * SCALE.length))];
  if (chalk.level === 0) return probability >= 0.5 ? `${text}!` : text;
  return hue === undefined ? text : chalk.hex(hue)(text);
};

interface Painted {
  text: string;
  /** Columns that it takes, which its colours hide. */
  width: number;
  glued: boolean;
}

const paintWord = (word: Word, chalk: ChalkInstance): Painted => {
  const text = withoutHashes(word.text);
  const flag = chalk.level === 0 && isFlagged(word) ? 1 : 0;
  const verdict = paint(word.hidden ? chalk.bold(text) : text, word.probability, chalk);
  const glued = isContinuation(word);
  if (!word.hidden) return { text: verdict, width: text.length + flag, glued };
  const was = word.replaced ? `${withoutHashes(word.original ?? '?')}→` : '=';
  return {
    text: `${chalk.dim(`[${was}`)}${verdict}${chalk.dim(']')}`,
    width: was.length + text.length + flag + 2,
    glued,
  };
};

/** What the colours mean. */
export const paintScale = (chalk: ChalkInstance): string =>
  chalk.level === 0 ? '! suspected' : `suspected: ${paint('a little', 0.4, chalk)} ${paint('rather', 0.6, chalk)} ${paint('surely', 1, chalk)}`;

/** What the signs and colours mean, in one line. */
export const paintLegend = (chalk: ChalkInstance = new Chalk()): string => {
  const colours = paintScale(chalk);
  return `${chalk.dim('[was→')}${chalk.bold('now')}${chalk.dim(']')} replaced   ${chalk.dim('[=')}${chalk.bold('same')}${chalk.dim(']')} hidden, guessed right   ${colours}`;
};

/** The words of a sample in lines of at most `columns`, coloured by how surely the discriminator calls them replaced. */
export const paintSample = (words: readonly Word[], columns = 80, chalk: ChalkInstance = new Chalk()): string => {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const { text, width, glued } of words.map((word) => paintWord(word, chalk))) {
    const space = glued || used === 0 ? 0 : 1;
    if (used > 0 && used + space + width > columns) {
      lines.push(line);
      line = '';
      used = 0;
    }
    line += used > 0 && space ? ` ${text}` : text;
    used += width + (used > 0 ? space : 0);
  }
  return [...lines, line].join('\n');
};
