/** Reports of run folders: what a page is made from lies in the folder as data, so that the page can be made again. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../../lib/node.ts';
import { readMetrics, UserError, writeFileAtomic } from '../../lib/node.ts';
import type { Findings, Report } from './page.ts';
import { renderReport } from './page.ts';

/** Numbers that are no JSON, such as the precision of a discriminator that suspects nothing, are null in it. */
const restore = (_: string, value: unknown): unknown => (value === null ? NaN : value);

/** What a finished run left for its report. Throws a UserError when the folder holds no finished run. */
export const readReport = (folder: string): Report => {
  const [findings, metrics] = [join(folder, 'report.json'), join(folder, 'metrics.jsonl')];
  const missing = [findings, metrics].find((path) => !existsSync(path));
  if (missing !== undefined) throw new UserError(`${folder} holds no finished run: ${missing} is missing; give the folder of a run that has ended`);
  try {
    return { ...(JSON.parse(readFileSync(findings, 'utf8'), restore) as Findings), records: readMetrics(metrics) };
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new UserError(`${findings} is no JSON: ${cause.message}; run again, or restore the file`, { cause });
    throw cause;
  }
};

/** Writes what was found at the end of a run, and the report. */
export const writeReport = (run: Pick<Run, 'folder' | 'findings' | 'report'>, findings: Findings): void => {
  writeFileAtomic(run.findings, `${JSON.stringify(findings)}\n`);
  writeFileAtomic(run.report, renderReport(readReport(run.folder)));
};
