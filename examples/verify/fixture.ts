/**
 * A folder of golden fixtures, and how far what we compute is from it. Numbers are stored in safetensors files, exact to
 * single precision; `tolerances.json` says of each tensor how far a computation in single precision may be off
 * (props/golden/README.md). A distance is an error in units of what is allowed, so everything up to 1 is right.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor } from '../../lib/index.ts';
import { leaves, paths, tensor, transpose } from '../../lib/index.ts';
import type { SafeTensor, Task } from '../../lib/node.ts';
import { clearly, decodeSafetensors, huggingFaceName, isTransposed } from '../../lib/node.ts';

/** Tensors by the fixture's names. */
export type Named = readonly (readonly [name: string, x: Tensor])[];

export interface Fixture {
  readonly dir: string;
  has(path: string): boolean;
  /** The names in a folder of it. */
  list(path: string): string[];
  /** The tensors of a file, which is named without its ending. */
  read(file: string): ReadonlyMap<string, SafeTensor>;
  /** One of them, on the current device. */
  tensor(file: string, name: string, dtype: 'f32' | 'i32'): Tensor;
  json<T>(path: string): T;
  /** The tolerances of a file's tensors. */
  tolerances(file: string): Record<string, { readonly atol: number }>;
}

export const openFixture = (dir: string): Fixture => {
  const files = new Map<string, ReadonlyMap<string, SafeTensor>>();
  const bytes = (path: string) => clearly(`read ${join(dir, path)}`, () => readFileSync(join(dir, path)));
  const json = <T>(path: string) => JSON.parse(bytes(path).toString()) as T;
  const read = (file: string) => {
    const tensors = files.get(file) ?? decodeSafetensors(bytes(`${file}.safetensors`)).tensors;
    files.set(file, tensors);
    return tensors;
  };
  return {
    dir,
    has: (path) => existsSync(join(dir, path)),
    list: (path) => readdirSync(join(dir, path)),
    read,
    tensor(file, name, dtype) {
      const stored = read(file).get(name);
      if (stored === undefined) throw new Error(`${join(dir, file)}.safetensors: expected a tensor '${name}'`);
      return tensor(Array.from(stored.data as ArrayLike<number>), stored.shape, dtype);
    },
    json,
    tolerances: (file) => json<Record<string, Record<string, { atol: number }>>>('tolerances.json')[file] ?? {},
  };
};

/** A tree of parameters, or of their gradients, under HuggingFace's names, each behind what `owner` says of its path. */
export const named = (tree: unknown, owner: (path: string) => string, task?: Task): Named => {
  const list = paths(tree);
  return leaves(tree).map((x, i) => [
    `${owner(list[i])}${huggingFaceName(list[i], task)}`,
    isTransposed(list[i]) ? transpose(x, [1, 0]) : x,
  ]);
};

/** What was found of one group of a file's tensors, or of one number. */
export interface Finding {
  readonly file: string;
  readonly group: string;
  readonly count: number;
  /** The worst error in units of what is allowed there, and both of them. */
  readonly distance: number;
  readonly error: number;
  readonly tolerance: number;
  readonly where: string;
}

/** Half a unit in the last place of a float32: how far a stored number is, relatively, from the one that was computed. */
const ROUNDING = 2 ** -24;

const worse = (a: Finding, b: Finding): Finding => (b.distance > a.distance ? b : a);

/** The words of a name that say whose tensor it is and of which part: layers of one encoder are one group. */
const GROUP =
  /^(?:(?:gen|disc|shared|discriminator|generator|electra|qa|seqcls|tokcls|\w+_loss_only|no_padding_idx)\.)*\w+/;

const measure = async (
  file: string,
  name: string,
  stored: SafeTensor | undefined,
  x: Tensor | undefined,
  allowed: (wanted: number) => number,
) => {
  const finding = { file, group: GROUP.exec(name)![0], count: 1, distance: Infinity, error: Infinity, tolerance: 0 };
  if (stored === undefined) return { ...finding, where: `${name}: the file has no such tensor` };
  if (x === undefined) return { ...finding, where: `${name}: nothing computes this` };
  if (String(stored.shape) !== String(x.shape))
    return { ...finding, where: `${name}: shape ${x.shape}, not ${stored.shape}` };
  const values = await x.data();
  const wanted = stored.data as ArrayLike<number>;
  let worst: Finding = { ...finding, distance: 0, error: 0, tolerance: allowed(wanted[0] ?? 0), where: name };
  for (let i = 0; i < values.length; i++) {
    const error = Math.abs(values[i] - wanted[i]);
    const tolerance = allowed(wanted[i]);
    const distance = error === 0 ? 0 : error / tolerance;
    if (!(distance <= worst.distance)) {
      const where = `${name}[${i}]: ${values[i]}, not ${wanted[i]}`;
      worst = { ...worst, distance: Number.isNaN(distance) ? Infinity : distance, error, tolerance, where };
    }
  }
  return worst;
};

/**
 * Compares tensors with those of a file, group by group; what only one side has is infinitely far. With `exact`, numbers
 * may be off by no more than the rounding of the stored ones: what double precision must reach.
 */
export const compare = async (
  fixture: Fixture,
  file: string,
  tensors: Named,
  { exact = false, expected }: { exact?: boolean; expected?: readonly string[] } = {},
): Promise<Finding[]> => {
  const stored = fixture.read(file);
  const tolerances = fixture.tolerances(file);
  const computed = new Set(tensors.map(([name]) => name));
  const lacking = (expected ?? [...stored.keys()]).filter((name) => !computed.has(name));
  const groups = new Map<string, Finding>();
  for (const [name, x] of [...tensors, ...lacking.map((name) => [name, undefined] as const)]) {
    const atol = tolerances[name]?.atol ?? 0;
    const allowed = (wanted: number) => (exact ? Math.abs(wanted) * ROUNDING + 1e-10 : atol);
    const found = await measure(file, name, stored.get(name), x, allowed);
    const before = groups.get(found.group);
    groups.set(found.group, before === undefined ? found : { ...worse(before, found), count: before.count + 1 });
  }
  return [...groups.values()];
};

/** Numbers as computed in double and in single precision. */
export interface Both {
  readonly float64: Readonly<Record<string, number>>;
  readonly float32: Readonly<Record<string, number>>;
}

/**
 * Compares single numbers: 2e-6 of their size, or eight times what single precision made of them there. (google's losses
 * were computed with denominators in single precision, so that `exact` cannot be asked of them.)
 */
export const compareNumbers = (
  file: string,
  { float64, float32 }: Both,
  computed: Readonly<Record<string, number>>,
  exact = false,
): Finding[] =>
  Object.keys(float64).map((name) => {
    const [wanted, came] = [float64[name], computed[name]];
    const tolerance =
      exact && !name.startsWith('google_')
        ? Math.abs(wanted) * 1e-12
        : Math.max(Math.abs(wanted) * 2e-6, 8 * Math.abs(float32[name] - wanted));
    const error = came === undefined ? Infinity : Math.abs(came - wanted);
    const distance = error === 0 ? 0 : error / tolerance;
    return {
      file,
      group: name,
      count: 1,
      distance: Number.isNaN(distance) ? Infinity : distance,
      error,
      tolerance,
      where: `${name}: ${came}, not ${wanted}`,
    };
  });
