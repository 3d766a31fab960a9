/** Everything in one module: the thread's two functions, and the kernels, each `(arguments, from, to)` over its items. */
export { enter, serve, work } from './thread';
export { multiply, packColumns } from './matmul';
export { copy } from './move';
