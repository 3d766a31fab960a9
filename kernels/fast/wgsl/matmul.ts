/**
 * Matrix products in tiles. A workgroup computes a square tile of the result. It walks along k in steps of 16: its threads
 * carry the next 16 columns of A and rows of B into workgroup memory, both turned so that neighbours along the result lie
 * together, four to a vector; then each thread multiplies what its 8×8 (or 4×4) elements of the result need, which it keeps
 * in registers. While they multiply, the numbers of the next step are on their way. Products with a long k and a small result
 * are cut along k too, and the parts summed in order. The slope of a kernel comes with that of its bias: the sums of B's columns,
 * whose numbers pass the threads anyway. The source is Volkov and Demmel 2008, "Benchmarking GPUs to tune dense
 * linear algebra"; the layout of threads is that of CUTLASS.
 */
import { ALIGNED, rowsOf, startsOf } from '../../../lib/shape.ts';
import type { Dispatch, Plan, Replacement } from './dispatch.ts';
import { MOST, OUTPUT, declare } from './dispatch.ts';
import { sumDispatches } from './sum.ts';

/** How far a tile goes along k at once. */
const STEP = 16;

/** Tiles, largest first, and how many elements a thread computes along each side. */
const TILES = [
  { tile: 128, each: 8 },
  { tile: 64, each: 8 },
  { tile: 32, each: 4 },
] as const;

/** Workgroups that keep a large GPU busy: about two for each of its processors. */
const BUSY = 256;

/** The shortest part of k that is worth a workgroup of its own. */
const SHORTEST = 512;

/** A result so small, of sums so short, is left to a thread for each element. */
const SMALL = 512;

/** A matrix of each head: the heads of a token lie side by side, or each head's matrix by itself. */
interface Headed {
  readonly sideBySide: boolean;
}

/** A side of the product: is it contiguous along k, and do its contiguous lines come in whole vectors? */
interface Side extends Headed {
  readonly alongInner: boolean;
  readonly vectors: boolean;
}

interface Shader {
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
          `tile_${name}[(k + ${j}) * ${width} + i] = vec4f(${list(4, (r) => `${register}${r}[${j}]`, ', ')});`,
      }
    : {
        // Vector j is four neighbours at k + 4j.
        place: `let i = ${n} % ${width}; let k = ${n} / ${width};`,
        read: (j: number) => `${register}${j} = read_${name}(z, ${name}_first + 4 * i, start + k + ${4 * j}, end);`,
        store: (j: number) => `tile_${name}[(k + ${4 * j}) * ${width} + i] = ${register}${j};`,
      };
};

const shader = ({ tile, each, a, b, bias, sums, vectors, y }: Shader): string => {
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
      `let left${p} = tile_a[k * ${width} + ${p * across} + down];\n      let right${p} = tile_b[k * ${width} + ${p * across} + across];`,
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
${declare('batch: u32, rows: u32, columns: u32, inner: u32, part: u32, size: u32, sums: u32, heads: u32', arrays, [`y: ${typeOf(vectors)}`])}
var<workgroup> tile_a: array<vec4f, ${STEP * width}>;
var<workgroup> tile_b: array<vec4f, ${STEP * width}>;
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

interface Product {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** A bias is added to every row. */
  readonly bias?: boolean;
  /** The sums of the columns of B are asked for too. */
  readonly sums?: boolean;
  /** The matrices are the heads of sequences: how many heads, and which of A, B and y have them side by side. */
  readonly heads?: { readonly count: number; readonly a?: boolean; readonly b?: boolean; readonly y?: boolean };
}

const whole = (n: number) => n % 4 === 0;

/** The largest tile with which there is enough to do for all, and of which at most half lies outside the result. */
const tileFor = ({ batch, rows, columns, inner }: Product) => {
  const parts = Math.max(1, Math.floor(inner / SHORTEST));
  const sized = TILES.map(({ tile, each }) => ({
    tile,
    each,
    groups: batch * Math.ceil(rows / tile) * Math.ceil(columns / tile),
  }));
  return (
    sized.find(({ tile, groups }) => groups * parts >= BUSY && groups * tile * tile <= 2 * batch * rows * columns) ??
    sized[TILES.length - 1]
  );
};

const plan = (product: Product): Plan | undefined => {
  const {
    batch,
    rows,
    columns,
    inner,
    transposeA,
    transposeB,
    bias = false,
    sums = false,
    heads = { count: 1 },
  } = product;
  const { tile, each, groups } = tileFor(product);
  // Parts of a result whose rows lie apart could not be summed as they lie.
  const parts = heads.y ? 1 : Math.max(1, Math.min(Math.floor(inner / SHORTEST), Math.ceil(BUSY / groups)));
  const grid = [Math.ceil(columns / tile), Math.ceil(rows / tile), batch * parts] as const;
  const isSmall = Math.max(batch * rows * columns, inner) <= SMALL;
  if (isSmall || grid.some((count) => count === 0 || count > MOST)) return undefined;
  const code = shader({
    tile,
    each,
    a: { alongInner: !transposeA, vectors: whole(transposeA ? rows : inner), sideBySide: heads.a ?? false },
    b: { alongInner: transposeB, vectors: whole(transposeB ? inner : columns), sideBySide: heads.b ?? false },
    y: { sideBySide: heads.y ?? false },
    bias,
    sums,
    vectors: whole(columns),
  });
  const starts = startsOf([rows * columns, columns]).map((start) => ALIGNED * start);
  /** Numbers of one matrix of the result. */
  const size = sums ? starts[2] : rows * columns;
  const multiply = (into: string): Dispatch => ({
    code,
    buffers: [0, 1, ...(bias ? [2] : []), into],
    integers: [batch, rows, columns, inner, STEP * Math.ceil(inner / parts / STEP), size, starts[1], heads.count],
    groups: grid,
  });
  if (parts === 1) return { dispatches: [multiply(OUTPUT)] };
  const sum = sumDispatches({ outer: 1, along: parts, inner: batch * size }, 'parts', OUTPUT);
  return {
    dispatches: [multiply('parts'), ...sum.dispatches],
    scratch: { parts: parts * batch * size, ...sum.scratch },
  };
};

export const matmul: Replacement<{ transposeA?: boolean; transposeB?: boolean }> = ({ params, definition }) => {
  const [{ integers, output: grid }] = definition();
  const [columns, rows, batch] = grid;
  const { transposeA = false, transposeB = false } = params;
  return plan({ batch, rows, columns, inner: integers![0], transposeA, transposeB });
};

export const attentionScores: Replacement = ({ specs: [q, k] }) => {
  const [batch, rows, count, inner] = q.shape;
  return plan({
    batch: batch * count,
    rows,
    columns: k.shape[1],
    inner,
    transposeA: false,
    transposeB: true,
    heads: { count, a: true, b: true },
  });
};

export const attentionContext: Replacement<{ transpose?: boolean }> = ({
  params: { transpose = false },
  specs: [, v],
  spec,
}) => {
  const [batch, inner, count, columns] = v.shape;
  return plan({
    batch: batch * count,
    rows: spec.shape[1],
    columns,
    inner,
    transposeA: transpose,
    transposeB: false,
    heads: { count, b: true, y: true },
  });
};

export const dense: Replacement = ({ specs: [x, w] }) => {
  const [inner, columns] = w.shape;
  return plan({
    batch: 1,
    rows: rowsOf(x.shape).rows,
    columns,
    inner,
    transposeA: false,
    transposeB: false,
    bias: true,
  });
};

export const denseSlope: Replacement = ({ specs }) => {
  const [[inner, rows], [, columns]] = specs.map(({ shape }) => shape);
  return plan({ batch: 1, rows, columns, inner, transposeA: true, transposeB: false, sums: true });
};
