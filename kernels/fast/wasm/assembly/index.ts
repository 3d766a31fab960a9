/** Everything in one module: the thread's functions, and the kernels, each `(arguments, from, to)` over its items. */
export { enter, serve, work } from './thread';
export { multiply } from './matmul';
export { packColumns } from './panels';
export * from './elementwise';
export { crossEntropy, crossEntropySlope, logSoftmax, maskedSoftmax, softmax, softmaxSlope } from './rows';
export { layerNorm, layerNormSlope, normalSums } from './norm';
export { argmax, max_ as max, sumColumns, sumRows, sumSquares } from './reduce';
export { concat, copy, pack, pad, strided } from './move';
export { gather, pick, put, scatterAdd, topIndices, unpick } from './choose';
export { deriveKey, dropout, fold, gumbel, uniform } from './random';
