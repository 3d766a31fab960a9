/**
 * Which generic law held for which operation on which device. The measure of these tests is this table, not their number:
 * an operation that is registered and has an empty cell fails the run.
 */
import type { DeviceName } from '../../kernels/device/device.ts';
import { registry } from '../../lib/op.ts';
import { present } from './present.ts';

/** Cells that were checked, and whether the law held. */
const cells = new Map<string, boolean>();
const laws = new Map<string, boolean>();

const cell = (op: string, law: string, device: DeviceName) => `${op} × ${law} × ${device}`;

/** Announces a law; `ofGradients` when operations without a vjp are exempt from it. */
export const expect = (law: string, ofGradients: boolean): void => {
  laws.set(law, ofGradients);
};

/** Notes that a law was checked, and whether it held. */
export const mark = (op: string, law: string, device: DeviceName, held: boolean): void => {
  cells.set(cell(op, law, device), held);
};

/** The table of all operations × laws × devices, and the cells that were not checked. */
export const coverage = (): { table: string; missing: string[] } => {
  const names = [...laws.keys()];
  if (names.length === 0) return { table: '', missing: [] };
  const missing: string[] = [];
  const width = Math.max(...[...registry.keys()].map((name) => name.length));
  const column = (law: string) => Math.max(law.length, present.length) + 2;
  const line = (first: string, entry: (law: string) => string) =>
    first.padEnd(width + 2) + names.map((law) => entry(law).padEnd(column(law))).join('');
  const rows = [...registry.values()].map((op) =>
    line(op.name, (law) => {
      if (laws.get(law) && op.vjp === undefined) return '–'.repeat(present.length);
      const marks = present.map((device) => {
        const held = cells.get(cell(op.name, law, device));
        if (held === undefined) missing.push(cell(op.name, law, device));
        return held === undefined ? ' ' : held ? '✓' : '✗';
      });
      return marks.join('');
    }),
  );
  const head = [line('', (law) => law), line('', () => present.map((device) => device[0]).join(''))];
  const legend = `✓ held, ✗ did not, – has no gradient; devices: ${present.join(', ')}`;
  return { table: [...head, ...rows, legend].join('\n'), missing };
};
