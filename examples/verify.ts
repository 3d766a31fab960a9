/**
 * Checks that Amber computes what the published ELECTRA computes: every number in folders of golden fixtures, made by
 * HuggingFace's code (props/golden/README.md): activations, attention, losses, every gradient, the parameters after some
 * updates, the fine-tuning heads, and single operations.
 *
 *     npx tsx examples/verify.ts props/golden/tiny props/golden/ops --device wasm
 *
 * One line for each file and group of tensors: the worst error, what is allowed there, and the verdict. The exit code is 1
 * when anything is outside.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import chalk from 'chalk';
import { Command, Option } from 'commander';
import { devices, useDevice } from '../lib/index.ts';
import type { DeviceName } from '../lib/index.ts';
import { clearly, UserError } from '../lib/node.ts';
import { checksOf } from './verify/check.ts';
import type { Finding, Fixture } from './verify/fixture.ts';
import { openFixture } from './verify/fixture.ts';

/** The folders of fixtures at a path: itself, or those in it. */
const foldersAt = (path: string): Fixture[] => {
  const fixture = openFixture(path);
  if (checksOf(fixture).length > 0) return [fixture];
  const inside = clearly(`read ${path}`, () => readdirSync(path))
    .map((name) => join(path, name))
    .filter((entry) => statSync(entry).isDirectory())
    .map(openFixture)
    .filter((fixture) => checksOf(fixture).length > 0);
  if (inside.length === 0)
    throw new UserError(
      `${path}: expected a folder of golden fixtures: inputs.safetensors and tolerances.json, or operations and their tolerances.json`,
    );
  return inside;
};

const isRight = ({ distance }: Finding): boolean => distance <= 1;

const line = (finding: Finding): string => {
  const { file, group, count, error, tolerance, where } = finding;
  const numbers = `${error.toExponential(1).padStart(8)} of ${tolerance.toExponential(1).padStart(7)}`;
  const verdict = isRight(finding) ? chalk.green('ok') : chalk.red(`OUTSIDE  ${where}`);
  return `${file.padEnd(24)} ${group.padEnd(46)} ${String(count).padStart(3)}  ${numbers}  ${verdict}`;
};

const verify = async (paths: string[], { device }: { device?: DeviceName }): Promise<void> => {
  const { description } = await useDevice(device);
  const counts = { right: 0, wrong: 0 };
  for (const fixture of paths.flatMap(foldersAt)) {
    console.log(
      `\n${fixture.dir} on ${description}\n${'file'.padEnd(24)} ${'tensors'.padEnd(46)}   n  ${'worst error'.padEnd(19)}`,
    );
    for (const check of checksOf(fixture)) {
      for (const finding of await check(fixture)) {
        console.log(line(finding));
        counts[isRight(finding) ? 'right' : 'wrong']++;
      }
    }
  }
  console.log(`\n${counts.right} right, ${counts.wrong} outside`);
  process.exitCode = counts.wrong > 0 ? 1 : 0;
};

await new Command('verify')
  .description('Checks every number in folders of golden fixtures.')
  .argument('<dir...>', 'folders of fixtures, or folders that hold some')
  .addOption(new Option('--device <name>', 'where to compute').choices(devices))
  .action(verify)
  .parseAsync()
  .catch((error: Error) => {
    if (!(error instanceof UserError)) throw error;
    console.error(`verify: ${error.message}`);
    process.exitCode = 1;
  });
