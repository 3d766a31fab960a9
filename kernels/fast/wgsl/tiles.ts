/**
 * The shader of a matrix product in tiles. A workgroup computes a square tile of the result. It walks along k in steps of 16:
 * its threads carry the next 16 columns of A and rows of B into workgroup memory, both turned so that neighbours along the
 * result lie together, four to a vector; then each thread multiplies what its 8×8 (or 4×4) elements of the result need, which
 * it keeps in registers. While they multiply, the numbers of the next step are on their way. The source is Volkov and Demmel
 * 2008, "Benchmarking GPUs to tune dense linear algebra"; the layout of threads is that of CUTLASS.
 */
import { declare } from './dispatch.ts';

/** How far a tile goes along k at once. */
export const STEP = 16;

/** A matrix of each head: the heads of a token lie side by side, or each head's matrix by itself. */
interface Headed {
  readonly sideBySide: boolean;
}

/** A side of the product: is it contiguous along k, and do its contiguous lines come in whole vectors? */
interface Side extends Headed {
  readonly alongInner: boolean;
  readonly vectors: boolean;
}

/** Which product, and how it is cut. */
export interface Shader {
  readonly tile: number;
  readonly each: number;
  readonly a: Side;
  readonly b: Side;
  readonly bias: boolean;
  /** Whether the sums of the columns of B come behind the result, packed with it. */
  readonly sums: boolean;
  /** Whether rows of the result come in whole vectors. */
  readonly vectors: boolean;
  readonly y: Headed;
  /** Whether A and B wait in workgroup memory as f16, which halves it; sums are f32 all the same. */
  readonly f16: boolean;
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const list = (n: number, f: (i: number) => string, separator = '\n') => range(n).map(f).join(separator);

/** Which line of memory is line i of matrix z, of `lines` lines. */
const lineOf = (z: string, lines: string, i: string, { sideBySide }: Headed) =>
  sideBySide ? `(((${z}) / u.heads * ${lines} + ${i}) * u.heads + (${z}) % u.heads)` : `((${z}) * ${lines} + ${i})`;

/** `read_a(z, i, k, end)`: four numbers of row i of A (column i of B) from k on, or of i and the next three at k; 0 from `end` on. */
const reader = (name: string, extent: string, side: Side): string => {
  const { alongInner, vectors } = side;
  const at = (i: string, k: string) =>
    alongInner
      ? `${lineOf('z', `u.${extent}`, `min(${i}, u.${extent} - 1)`, side)} * u.inner + ${k}`
      : `${lineOf('z', 'u.inner', k, side)} * u.${extent} + min(${i}, u.${extent} - ${vectors ? 4 : 1})`;
  const single = (i: number) =>
    alongInner
      ? `select(0.0, ${name}[${at('i', `min(k + ${i}, end - 1)`)}], k + ${i} < end)`
      : `${name}[${at(`i + ${i}`, 'k')}]`;
  return `
fn read_${name}(z: u32, i: u32, k: u32, end: u32) -> vec4f {
  if (k >= end) { return vec4f(); }
  return ${vectors ? `${name}[(${at('i', 'k')}) / 4]` : `vec4f(${list(4, single, ', ')})`};
}`;
};

/**
 * How a thread carries its part of a side, 4×4 numbers, into workgroup memory: thread n of the side reads four vectors into
 * registers, and later stores them at [k, i / 4]. Eight neighbouring threads store to eight neighbouring places, free of
 * bank conflicts.
 */
const carrier = (name: string, tile: number, { alongInner }: Side, n: string, register: string) => {
  const width = tile / 4;
  return alongInner
    ? {
        // Vector j is row 4i + j, from k on: they are turned when they are stored.
        place: `let i = (${n} & 7) + 8 * (${n} >> 5); let k = 4 * ((${n} >> 3) & 3);`,
        read: (j: number) => `${register}${j} = read_${name}(z, ${name}_first + 4 * i + ${j}, start + k, end);`,
        store: (j: number) =>
          `tile_${name}[(k + ${j}) * ${width} + i] = Kept(vec4f(${list(4, (r) => `${register}${r}[${j}]`, ', ')}));`,
      }
    : {
        // Vector j is four neighbours at k + 4j.
        place: `let i = ${n} % ${width}; let k = ${n} / ${width};`,
        read: (j: number) => `${register}${j} = read_${name}(z, ${name}_first + 4 * i, start + k + ${4 * j}, end);`,
        store: (j: number) => `tile_${name}[(k + ${4 * j}) * ${width} + i] = Kept(${register}${j});`,
      };
};

export const shader = ({ tile, each, a, b, bias, sums, vectors, y, f16 }: Shader): string => {
  const across = tile / each;
  const threads = across * across;
  const width = tile / 4;
  const parts = each / 4;
  const sides = [
    ['a', a],
    ['b', b],
  ] as const;
  // With as many threads as a side has parts, each carries one of A and one of B; with twice as many, one half carries A.
  const halves = threads === 2 * tile;
  const typeOf = (vectors: boolean) => (vectors ? 'vec4f' : 'f32');
  const registers = halves ? ['r'] : ['a', 'b'];
  const carry = (step: 'read' | 'store') =>
    sides
      .map(([name, side], s) => {
        const carried = carrier(name, tile, side, halves ? 'part' : 'thread', registers[s] ?? 'r');
        const condition = halves ? [`if (thread < ${tile})`, 'else'][s] : '';
        return `${condition} { ${carried.place} ${list(4, carried[step], ' ')} }`;
      })
      .join('\n  ');

  const multiply = list(
    parts,
    (p) =>
      `let left${p} = vec4f(tile_a[k * ${width} + ${p * across} + down]);\n      let right${p} = vec4f(tile_b[k * ${width} + ${p * across} + across]);`,
    '\n      ',
  );
  const products = list(
    each,
    (i) => list(parts, (p) => `y${i}_${p} = fma(vec4f(left${i >> 2}[${i & 3}]), right${p}, y${i}_${p});`, ' '),
    '\n      ',
  );

  const write = (sum: string, p: number) => {
    const value = `${sum}${bias ? ` + bias${p}` : ''}`;
    if (vectors) return `if (column${p} < u.columns) { y[(line + column${p}) / 4] = ${value}; }`;
    return `{ let value = ${value}; ${list(4, (j) => `if (column${p} + ${j} < u.columns) { y[line + column${p} + ${j}] = value[${j}]; }`, ' ')} }`;
  };
  // The first part of k brings the bias.
  const biases = (p: number) => {
    const values = vectors
      ? `bias[min(column${p}, u.columns - 4) / 4]`
      : `vec4f(${list(4, (j) => `bias[min(column${p} + ${j}, u.columns - 1)]`, ', ')})`;
    return `let bias${p} = select(vec4f(), ${values}, first == 0);`;
  };
  // One row of threads writes the sums, one workgroup the zeros up to where the next tensor of a packed one begins.
  const step = vectors ? 4 : 1;
  const zeros = (from: string, to: string) =>
    `for (var i = ${from} + ${step} * thread; i < ${to}; i += ${step * threads}) { y[(id.z * u.size + i) / ${step}] = ${typeOf(vectors)}(); }`;
  const writeSums = `
  if (id.y == 0 && down == 0) { let line = id.z * u.size + u.sums; ${list(parts, (p) => write(`sum${p}`, p), ' ')} }
  if (id.x == 0 && id.y == 0) { ${zeros('u.rows * u.columns', 'u.sums')} ${zeros('u.sums + u.columns', 'u.size')} }`;
  const arrays = [`a: ${typeOf(a.vectors)}`, `b: ${typeOf(b.vectors)}`, ...(bias ? [`bias: ${typeOf(vectors)}`] : [])];

  return `
${f16 ? 'enable f16;' : ''}
alias Kept = ${f16 ? 'vec4h' : 'vec4f'};
${declare('batch: u32, rows: u32, columns: u32, inner: u32, part: u32, size: u32, sums: u32, heads: u32', arrays, [`y: ${typeOf(vectors)}`])}
var<workgroup> tile_a: array<Kept, ${STEP * width}>;
var<workgroup> tile_b: array<Kept, ${STEP * width}>;
${reader('a', 'rows', a)}
${reader('b', 'columns', b)}
@compute @workgroup_size(${threads})
fn main(@builtin(local_invocation_index) thread: u32, @builtin(workgroup_id) id: vec3u) {
  // A group of 32 threads covers 4 × 8 of them, so that it reads as little of workgroup memory as can be.
  let across = (thread & 7) + 8 * ((thread >> 5) % ${across / 8});
  let down = ((thread >> 3) & 3) + 4 * ((thread >> 5) / ${across / 8});
  let z = id.z % u.batch;
  let first = id.z / u.batch * u.part;
  let end = min(u.inner, first + u.part);
  let a_first = id.y * ${tile};
  let b_first = id.x * ${tile};
  ${halves ? `let part = thread % ${tile};` : ''}
  ${registers.map((name) => list(4, (j) => `var ${name}${j}: vec4f;`, ' ')).join(' ')}
  ${list(each, (i) => list(parts, (p) => `var y${i}_${p} = vec4f();`, ' '), '\n  ')}
  ${sums ? list(parts, (p) => `var sum${p} = vec4f();`, ' ') : ''}
  var start = first;
  ${carry('read')}
  for (; start < end; ) {
    ${carry('store')}
    workgroupBarrier();
    start += ${STEP};
    ${carry('read')}
    for (var k = 0u; k < ${STEP}; k++) {
      ${multiply}
      ${products}
      ${sums ? list(parts, (p) => `sum${p} += right${p};`, ' ') : ''}
    }
    workgroupBarrier();
  }
  ${list(parts, (p) => `let column${p} = b_first + ${(p * tile) / parts} + 4 * across;`, ' ')}
  ${bias ? list(parts, biases, ' ') : ''}
  ${list(each, (i) => `{ let row = a_first + ${(i >> 2) * (tile / parts) + (i & 3)} + 4 * down; if (row < u.rows) { let line = ${y.sideBySide ? `${lineOf('z', 'u.rows', 'row', y)} * u.columns` : 'id.z * u.size + row * u.columns'}; ${list(parts, (p) => write(`y${i}_${p}`, p), ' ')} } }`, '\n  ')}
  ${sums ? writeSums : ''}
}`;
};
