/** What a run shows while it runs: a progress bar, a held-out sentence now and then, and Ctrl-C's two meanings. */
import chalk from 'chalk';
import { SingleBar } from 'cli-progress';
import type { ElectraConfig, Evaluation } from '../../lib/index.ts';
import type { Word } from '../report/sample.ts';
import { paintSample } from '../report/terminal.ts';
import type { Options } from './options.ts';
import type { Text } from './prepare.ts';

export interface Progress {
  readonly mlm: number;
  readonly rtd: number;
  readonly epochs: number;
  readonly tokens: number;
}

export interface Console {
  step(done: number, progress: Progress): void;
  sample(measured: { words: Word[]; heldOut: Evaluation }): void;
  /** Whether somebody asked to stop; a second Ctrl-C ends the program at once. */
  interrupted(): boolean;
  /** Tokens a second since the program started; NaN before the first step. */
  tokensPerSecond(): number;
  /** Time that the run has taken, before it was resumed too. */
  seconds(): number;
  /** Prints the result and where everything is. */
  close(summary: string[], folder: string): void;
}

const columns = () => Math.min(process.stdout.columns ?? 100, 100);

/** Opens the console of a run, or of one that goes on after `from` steps and `spent` seconds. */
export const openConsole = (
  { quiet }: Options,
  { training }: ElectraConfig,
  { unigramLoss, train, heldOut, tokenizer }: Text,
  { from = 0, spent = 0 }: { from?: number; spent?: number } = {},
): Console => {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  let tokens = 0;
  let stop = false;
  let step = from;

  const interrupt = () => {
    if (stop) process.exit(130);
    stop = true;
    if (!quiet) process.stdout.write('\nfinishing this step and saving; once more to stop at once\n');
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  // However the program ends, also by an error, the cursor that the bar hides comes back.
  process.once('exit', () => bar.stop());

  const bar = new SingleBar({
    format: '{bar} {value}/{total} steps  mlm {mlm}  rtd {rtd}  {speed} tokens/s  epoch {epochs}  {eta_formatted} left',
    barsize: 16,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: false,
    noTTYOutput: false,
    etaBuffer: 20,
  });
  const payload = { mlm: '-', rtd: '-', speed: '-', epochs: '0.00' };

  if (!quiet) {
    process.stdout.write(
      `${train.count.toLocaleString('en')} examples to train on, ${heldOut.count.toLocaleString('en')} held out; ` +
        `${tokenizer.vocab.length.toLocaleString('en')} tokens in the vocabulary\n` +
        `guessing by frequency alone costs ${unigramLoss.toFixed(3)} nats a token: below that, context is at work\n`,
    );
    bar.start(training.steps, from, payload);
  }

  return {
    step(done, progress) {
      tokens += progress.tokens;
      step = done;
      const speed = Math.round(tokens / seconds()).toLocaleString('en');
      Object.assign(payload, { mlm: progress.mlm.toFixed(3), rtd: progress.rtd.toFixed(3), speed, epochs: progress.epochs.toFixed(2) });
      if (!quiet) bar.update(done, payload);
    },
    sample({ words, heldOut: { mlmMaskedLoss, rtdAuc, sampledAccuracy } }) {
      if (quiet) return;
      bar.stop();
      const gain = unigramLoss - mlmMaskedLoss;
      const measured = `held out: masked MLM ${mlmMaskedLoss.toFixed(3)} (${Math.abs(gain).toFixed(3)} ${gain >= 0 ? 'below' : 'above'} unigram), AUC ${rtdAuc.value.toFixed(3)}, samples right ${(100 * sampledAccuracy).toFixed(0)} %`;
      process.stdout.write(`\n${paintSample(words, columns())}\n${chalk.dim(measured)}\n`);
      bar.start(training.steps, step, payload);
    },
    interrupted: () => stop,
    tokensPerSecond: () => (tokens === 0 ? NaN : tokens / seconds()),
    seconds: () => spent + seconds(),
    close(summary, folder) {
      bar.stop();
      if (!quiet) process.stdout.write(`\n${summary.join('\n')}\n\n${folder}: discriminator, generator, checkpoints, report.html\n`);
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
    },
  };
};
