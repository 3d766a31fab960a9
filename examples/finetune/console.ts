/** What a fine-tuning shows while it runs: a progress bar, a line for each epoch, and Ctrl-C's two meanings. */
import { SingleBar } from 'cli-progress';
import type { Epoch, Watch } from '../../lib/index.ts';

export interface Console {
  say(line: string): void;
  /** Begins one of the runs, and watches over it. */
  run(name: string, metric: string): Watch;
  /** Whether somebody asked to stop; a second Ctrl-C ends the program at once. */
  interrupted(): boolean;
  close(): void;
}

export const openConsole = (quiet: boolean): Console => {
  let stop = false;
  const bar = new SingleBar({
    format: '{bar} {value}/{total} steps  loss {loss}  {eta_formatted} left  {name}',
    barsize: 16,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
    noTTYOutput: false,
    etaBuffer: 20,
  });
  const say = (line: string) => void (quiet || process.stdout.write(`${line}\n`));
  const interrupt = () => {
    if (stop) process.exit(130);
    stop = true;
    say('\nfinishing this step, measuring and saving; once more to stop at once');
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  process.once('exit', () => bar.stop());

  return {
    say,
    run(name, metric) {
      let begun = false;
      const payload = { name, loss: '-' };
      return {
        step(done, steps, loss) {
          if (quiet) return;
          if (!begun) bar.start(steps, done, payload);
          begun = true;
          payload.loss = loss.toFixed(3);
          bar.update(done, payload);
        },
        epoch({ epoch, loss, score }: Epoch) {
          bar.stop();
          begun = false;
          say(`${name}, epoch ${Number(epoch.toFixed(2))}: loss ${loss.toFixed(3)}, dev ${metric} ${score.toFixed(4)}`);
        },
        stopped: () => stop,
      };
    },
    interrupted: () => stop,
    close() {
      bar.stop();
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
    },
  };
};
