/**
 * Makes the page of a finished run again, or of a fine-tuned model, or lays runs over each other.
 *
 *     npm run report runs/1             # writes runs/1/report.html
 *     npm run report runs/finetune-1    # the same of a fine-tuned model
 *     npm run report runs/1 runs/2      # writes runs/1/comparison.html
 */
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { UserError, writeFileAtomic } from '../lib/node.ts';
import { MOST, renderComparison } from './report/comparison.ts';
import { readReport } from './report/folder.ts';
import { isFineTuned, readFineTuned, renderFineTuned } from './report/finetuned.ts';
import { renderReport } from './report/page.ts';

const main = (): void => {
  const command = new Command('report')
    .description('Makes the page of a finished run again, or lays runs over each other.')
    .argument('<dir...>', `the folder of a run, or up to ${MOST} to be compared`)
    .option('--out <file>', 'where to write the page (default: report.html or comparison.html in the first folder)')
    .parse();
  const folders = command.args;
  const { out } = command.opts<{ out?: string }>();
  if (folders.length > MOST) throw new UserError(`${folders.length} runs are too many for one picture; give at most ${MOST}`);

  const [folder] = folders;
  if (folders.length === 1 && isFineTuned(folder)) {
    const path = out ?? join(folder, 'report.html');
    writeFileAtomic(path, renderFineTuned(readFineTuned(folder)));
    process.stdout.write(`${resolve(path)}\n`);
    return;
  }
  const runs = folders.map((folder) => ({ name: folder.replace(/\/+$/, ''), report: readReport(folder) }));
  const [page, file] = runs.length === 1 ? [renderReport(runs[0].report), 'report.html'] : [renderComparison(runs), 'comparison.html'];
  const path = out ?? join(folders[0], file);
  writeFileAtomic(path, page);
  process.stdout.write(`${resolve(path)}\n`);
};

try {
  main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
