/** What programs that use a trained network have in common: where they compute, and how they end. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { devices } from '../../lib/index.ts';
import { UserError } from '../../lib/node.ts';

/** For a text or two, `wasm` is done before a GPU is there. */
export const deviceOption = (): Option =>
  new Option('--device <name>', 'where to compute')
    .choices(devices)
    .default(process.env.AMBER_DEVICE ? undefined : 'wasm');

/**
 * Runs a program's command. A UserError is printed, and the exit code is 1; any other error is a mistake of ours, and thrown
 * on. When nobody reads its output any more, as behind `| head`, the program ends quietly.
 */
export const endClearly = (command: Command): Promise<unknown> => {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  return command.parseAsync().catch((error: Error) => {
    if (!(error instanceof UserError)) throw error;
    console.error(`${command.name()}: ${error.message}`);
    process.exitCode = 1;
  });
};
