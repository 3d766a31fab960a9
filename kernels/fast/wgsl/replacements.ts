/**
 * The tuned replacements of the `gpu` device, by the name of the operation: which shaders compute it, with which arguments.
 * What has no entry runs by its gpu.js definition.
 */
import type { Replacement } from './dispatch.ts';
import { of } from './dispatch.ts';
import { layerNorm, layerNormParameters, layerNormSlope } from './layernorm.ts';
import { attentionContext, attentionScores, dense, denseSlope, matmul } from './matmul.ts';
import { dropout, gumbel, uniform } from './random.ts';
import * as rows from './rows.ts';
import { scatterAdd } from './scatter.ts';
import { sumAxis } from './sum.ts';

export const replacements: Readonly<Record<string, Replacement>> = {
  matmul: of(matmul),
  attentionScores,
  attentionContext: of(attentionContext),
  dense,
  denseSlope,
  softmax: of(rows.softmax),
  logSoftmax: of(rows.logSoftmax),
  maskedSoftmax: of(rows.maskedSoftmax),
  softmaxSlope: of(rows.softmaxSlope),
  crossEntropy: of(rows.crossEntropy),
  crossEntropySlope: of(rows.crossEntropySlope),
  layerNorm: of(layerNorm),
  layerNormSlope: of(layerNormSlope),
  layerNormParameters: of(layerNormParameters),
  sumAxis: of(sumAxis),
  max: of(rows.max),
  argmax: of(rows.argmax),
  topIndices: of(rows.topIndices),
  scatterAdd: of(scatterAdd),
  uniform,
  gumbel,
  dropout: of(dropout),
};
