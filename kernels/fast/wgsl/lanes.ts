/**
 * How the threads of a workgroup add up, or compare, what each of them has. A row of numbers has some threads, its lanes,
 * which take every so many-th element each. Where the adapter has subgroups, lanes of one exchange what they have with the
 * lane 1, 2, 4, … away, by which all get the same sum; then every lane reads what all lanes of its row, or all subgroups of
 * them, have, in order, from workgroup memory. The numbers go four to a vector where rows come in whole vectors: shaders are
 * written for a type `T`, either of both.
 */

/** Threads in a workgroup. */
export const THREADS = 64;

/** Numbers to a vector, where lines of n come in whole ones. */
export const widthFor = (n: number): 1 | 4 => (n % 4 === 0 ? 4 : 1);

/** Lanes for a row of n elements: few, since they have to wait for each other; all of a workgroup for long ones. */
export const lanesFor = (n: number): number =>
  Math.min(THREADS, Math.max(4, 2 ** Math.ceil(Math.log2(Math.max(n, 1) / 16))));

/** How a shader begins: the type T; the places in a row of the numbers of its element c; and one number of an element. */
export const elements = (width: 1 | 4, subgroup = 1): string => `
${subgroup === 1 ? '' : 'enable subgroups;'}
alias T = ${width === 4 ? 'vec4f' : 'f32'};
const WIDTH = ${width}u;
fn places(c: u32) -> T { return ${width === 4 ? 'vec4f(vec4u(4 * c) + vec4u(0, 1, 2, 3))' : 'f32(c)'}; }
fn component(value: T, i: u32) -> f32 { return ${width === 4 ? 'value[i]' : 'value'}; }`;

type Combine = (a: string, b: string) => string;

/** `total(value, thread)`, `largest` and `smallest`: over the lanes of the thread's row; each of them gets the result. */
export const reductions = (width: 1 | 4, lanes: number, subgroup: number): string => {
  const together = Math.min(lanes, subgroup);
  const distances = [1, 2, 4, 8, 16, 32].filter((distance) => distance < together);
  const meet = (combine: Combine) => `
  turn = ${THREADS} - turn;
  if (thread % ${together} == 0) { meeting[turn + thread / ${together}] = own; }
  workgroupBarrier();
  let first = turn + thread / ${lanes} * ${lanes / together};
  own = meeting[first];
  for (var i = 1u; i < ${lanes / together}; i++) { own = ${combine('own', 'meeting[first + i]')}; }`;
  const reduction = (name: string, combine: Combine) => `
fn ${name}(value: T, thread: u32) -> f32 {
  var own = ${width === 4 ? ['value.y', 'value.z', 'value.w'].reduce(combine, 'value.x') : 'value'};
  ${distances.map((distance) => `own = ${combine('own', `subgroupShuffleXor(own, ${distance})`)};`).join(' ')}
  ${lanes === together ? '' : meet(combine)}
  return own;
}`;
  // Two places in turn: who writes for the next meeting disturbs nobody who still reads from this one.
  return [
    `var<workgroup> meeting: array<f32, ${2 * THREADS}>;`,
    'var<private> turn = 0u;',
    reduction('total', (a, b) => `(${a} + ${b})`),
    reduction('largest', (a, b) => `max(${a}, ${b})`),
    reduction('smallest', (a, b) => `min(${a}, ${b})`),
  ].join('\n');
};
