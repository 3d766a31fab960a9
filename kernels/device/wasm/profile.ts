/** Where the time goes: with AMBER_PROFILE=1, every operation runs by itself, is timed, and a table is printed at exit. */
import { inNode } from '../node.ts';

export interface Profile {
  /** Adds the time that `f` takes to the account of `name`. */
  time(name: string, f: () => void): void;
}

/** The profile of this program; undefined when nobody asked for one. */
export const openProfile = (): Profile | undefined => {
  if (!inNode() || process.env.AMBER_PROFILE !== '1') return undefined;
  const accounts = new Map<string, { calls: number; milliseconds: number }>();

  process.on('exit', () => {
    const total = [...accounts.values()].reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    const line = (name: string, calls: number | string, ms: string, share: string) =>
      console.error(`${name.padEnd(48)}${String(calls).padStart(8)}${ms.padStart(12)}${share.padStart(9)}`);
    line('operation', 'calls', 'ms', 'share');
    for (const [name, { calls, milliseconds }] of [...accounts].sort(([, a], [, b]) => b.milliseconds - a.milliseconds)) {
      line(name, calls, milliseconds.toFixed(1), `${((100 * milliseconds) / total).toFixed(1)} %`);
    }
  });

  return {
    time(name, f) {
      const start = performance.now();
      f();
      const account = accounts.get(name) ?? { calls: 0, milliseconds: 0 };
      accounts.set(name, account);
      account.calls++;
      account.milliseconds += performance.now() - start;
    },
  };
};
