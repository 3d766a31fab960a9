/**
 * Amber's public names, in the order in which a reader should meet them. What touches files is in node.ts.
 */

// Shapes, trees, tensors: what everything is made of.
export { dims } from './shape.ts';
export type { DType, Shape } from './shape.ts';
export { leaves, map, mapPaths, paths } from './tree.ts';
export { live, Tensor, tensor } from './tensor.ts';
export { donating, scoped } from './memory.ts';
export { devices, useDevice } from '../kernels/device/choose.ts';

// Operations: pure functions of tensors.
export { add, differs, div, equal, exp, full, less, log, maximum, minimum, mul, neg, ones, sigmoid, sqrt, square, sub, tanh, where, zeros } from './ops/arith.ts';
export { broadcastTo, reshape } from './ops/axes.ts';
export { argmax, max, mean, sum } from './ops/reduce.ts';
export { concat, slice, stack, transpose } from './ops/move.ts';
export { dense, matmul } from './ops/matmul.ts';
export { gather, gatherPositions, pick, scatterAdd } from './ops/gather.ts';
export { erf, erfinv, gelu } from './ops/gelu.ts';
export { logSoftmax, maskedSoftmax, softmax } from './ops/softmax.ts';
export { layerNorm } from './ops/layernorm.ts';
export { sigmoidCrossEntropy, softmaxCrossEntropy } from './ops/loss.ts';
export { put, topIndices } from './ops/choose.ts';

// Differentiation.
export { grad, stopGradient, valueAndGrad, vjp } from './grad.ts';
export { checkGradients } from './check.ts';

// Randomness.
export { categorical, fold, gumbel, key, normal, split, truncatedNormal, uniform } from './key.ts';
export { dropout } from './ops/dropout.ts';
