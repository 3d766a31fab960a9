/**
 * The output folder of a training run:
 *
 *     DIR/checkpoints/STEP/   all that is needed to go on from that step
 *     DIR/discriminator/      the trained models, as HuggingFace keeps them
 *     DIR/generator/
 *     DIR/metrics.jsonl       what was measured on the way
 *     DIR/report.json         what else its report shows: settings, the last evaluation, attention, neighbourhoods
 *     DIR/report.html         the report
 *     DIR/lock                the process that is writing here
 *
 * and, next to it, a cache of tokenised text that runs share. A new run needs a folder of its own, so that no run is ever
 * overwritten. The lock names a process by its number and its time of birth: a lock whose process has died, however it
 * died, holds nobody up.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isPartial, makeFolder, removePartials } from './atomic.ts';
import { checkpointSteps } from './checkpoint.ts';
import { clearly, UserError } from './error.ts';

export interface Run {
  readonly folder: string;
  readonly checkpoints: string;
  readonly discriminator: string;
  readonly generator: string;
  readonly metrics: string;
  /** What the report is made from, besides the metrics. */
  readonly findings: string;
  readonly report: string;
  readonly cache: string;
  /** Gives the folder free for others. */
  close(): void;
}

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0); // sends nothing, only asks
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'; // alive, but another user's
  }
};

/** A process by its number and, where the system tells it, its birth, since numbers are used again; none if it died. */
const identityOf = (pid: number): string | undefined => {
  if (!isAlive(pid)) return undefined;
  // On Linux, proc(5): state and time of birth are fields 3 and 22, counted behind the name in brackets.
  const fields = read(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ');
  if (fields === undefined) return `${pid}`;
  return fields[0] === 'Z' ? undefined : `${pid} ${fields[19]}`;
};

/** Takes the lock, also from a process that has died. */
const takeLock = (folder: string): void => {
  const path = join(folder, 'lock');
  const owner = read(path);
  if (owner !== undefined) {
    const pid = Number.parseInt(owner, 10);
    if (pid > 0 && identityOf(pid) === owner) {
      throw new UserError(
        `${folder} is in use by the running process ${pid}; wait for it, end it, or choose another folder`,
      );
    }
    rmSync(path);
  }
  writeFileSync(path, `${identityOf(process.pid)}`, { flag: 'wx' });
};

/**
 * Opens the output folder: a new or empty one for a new run, with `resume` the one of a run that is to go on. What a run
 * left that was killed before its first checkpoint counts as nothing.
 *
 * Throws a UserError, and changes nothing, when the folder holds something else, cannot be written to, or is in use.
 */
export const openRun = (path: string, { resume = false }: { resume?: boolean } = {}): Run => {
  const folder = resolve(path);
  const checkpoints = join(folder, 'checkpoints');
  clearly(`write to ${folder}`, () => {
    if (!resume) makeFolder(folder);
    const content = readdirSync(folder).filter((name) => name !== 'lock' && !isPartial(name));
    const isRun = checkpointSteps(checkpoints).length > 0;
    const isFree = content.every((name) => name === 'checkpoints' && readdirSync(checkpoints).every(isPartial));
    if (resume && !isRun) {
      throw new UserError(`${folder} holds no run that could go on, for it has no checkpoint; start one with --out`);
    }
    if (!resume && !isFree) {
      throw new UserError(
        isRun
          ? `${folder} holds another run; go on with it (--resume), or choose another folder`
          : `${folder} is not empty: it holds ${content[0]}; choose a new folder`,
      );
    }
    takeLock(folder);
    removePartials(folder);
    if (existsSync(checkpoints)) removePartials(checkpoints);
  });
  return {
    folder,
    checkpoints,
    discriminator: join(folder, 'discriminator'),
    generator: join(folder, 'generator'),
    metrics: join(folder, 'metrics.jsonl'),
    findings: join(folder, 'report.json'),
    report: join(folder, 'report.html'),
    cache: join(dirname(folder), '.amber-cache'),
    close: () => rmSync(join(folder, 'lock'), { force: true }),
  };
};
