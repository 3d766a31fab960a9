/**
 * Amber's public names, in the order in which a reader should meet them. What touches files is in node.ts.
 */

// Shapes, trees, tensors: what everything is made of.
export { dims } from './shape.ts';
export type { DType, Shape } from './shape.ts';
export { leaves, map, mapPaths, paths } from './tree.ts';
export { launches, live, Tensor, tensor } from './tensor.ts';
export { donating, scoped } from './memory.ts';
export { devices, useDevice } from '../kernels/device/choose.ts';
export { DeviceError } from '../kernels/device/queue.ts';
export type { DeviceName } from '../kernels/device/device.ts';

// Operations: pure functions of tensors.
export { add, differs, div, equal, exp, full, less, log, maximum, minimum, mul, neg, ones, sigmoid, sqrt, square, sub, tanh, where, zeros } from './ops/arith.ts';
export { broadcastTo, reshape } from './ops/axes.ts';
export { argmax, max, mean, sum, sumSquares } from './ops/reduce.ts';
export { concat, slice, stack, transpose } from './ops/move.ts';
export { pack, unpack } from './ops/pack.ts';
export { dense, matmul } from './ops/matmul.ts';
export { attentionContext, attentionScores } from './ops/heads.ts';
export { gather, gatherPositions, oneHot, pick, scatterAdd } from './ops/gather.ts';
export { erf, erfinv, gelu } from './ops/gelu.ts';
export { logSoftmax, maskedSoftmax, softmax } from './ops/softmax.ts';
export { layerNorm } from './ops/layernorm.ts';
export { crossEntropy, sigmoidCrossEntropy, softmaxCrossEntropy } from './ops/loss.ts';
export { put, topIndices } from './ops/choose.ts';

// Differentiation.
export { grad, stopGradient, valueAndGrad, vjp } from './grad.ts';
export { checkGradients } from './check.ts';

// Randomness.
export { categorical, fold, gumbel, key, normal, rowKeys, split, truncatedNormal, uniform } from './key.ts';
export { dropout } from './ops/dropout.ts';

// Networks: layers are functions of parameters and input.
export { attention } from './nn/attention.ts';
export { drop, linear, norm } from './nn/dense.ts';
export { embed } from './nn/embed.ts';
export { encode } from './nn/encoder.ts';
export { glorot, truncated } from './nn/init.ts';

// Optimisers: chains of transformations of gradients.
export { addDecayedWeights, isDecayed } from './optim/decay.ts';
export { applyUpdates, chain, stateless } from './optim/transform.ts';
export type { Moments, Schedule, Transform } from './optim/transform.ts';
export { clipByGlobalNorm, globalNorm } from './optim/clip.ts';
export { constant, scaleBySchedule, warmupLinearDecay } from './optim/schedule.ts';
export { scaleByAdam } from './optim/adam.ts';
export { scaleByPath } from './optim/scale.ts';

// ELECTRA, in the order of the paper's section 2.
export { configs, parseConfig, poolings, withoutDropout } from './electra/config.ts';
export type { ConfigName, ElectraConfig, Pooling } from './electra/config.ts';
export { initElectra } from './electra/params.ts';
export type { Params } from './electra/params.ts';
export { maskSlots, maskTokens, replaceTokens } from './electra/mask.ts';
export type { Batch, Masked } from './electra/mask.ts';
export { generate, sampleTokens } from './electra/generator.ts';
export { discriminate } from './electra/discriminator.ts';
export { answer, answeringLoss, classificationLoss, classify, initTaskHead, tag, taggingLoss, withTaskHead } from './electra/heads.ts';
export type { HeadStyle, Spans, Task, TaskHead, TaskParams } from './electra/heads.ts';
export { answerAfter, answerBeam, initSpanHead, spanLoss } from './electra/spans.ts';
export type { PublishedSpans, SpanBeam, SpanHead, SpanOptions, SpanParams } from './electra/spans.ts';
export { pretrainLoss, weighted } from './electra/objective.ts';
export { initState, pretrainStep } from './electra/step.ts';
export type { State } from './electra/step.ts';
export { finetuneOptimiser, layerRate, pretrainOptimiser } from './electra/optimiser.ts';
export type { Finetuning, Optimisation } from './electra/optimiser.ts';
export { accumulatedStep } from './electra/accumulate.ts';
export { evaluator } from './electra/evaluate.ts';
export type { Evaluation } from './electra/evaluate.ts';
export { observer } from './electra/observe.ts';
export type { Observation, Slot } from './electra/observe.ts';
export { areaUnderCurve, confusion } from './electra/metrics.ts';
export { countParams, paramShapes, stepFlops } from './electra/shapes.ts';

// Text: from strings to training batches.
export { WordPiece } from './text/wordpiece.ts';
export { trainWordPiece } from './text/train.ts';
export { sentences } from './text/sentences.ts';
export { buildExamples, holdOut } from './text/examples.ts';
export type { Examples } from './text/examples.ts';
export { batchAt, batches, indicesAt, rowsAt } from './text/batch.ts';
export type { TokenBatch } from './text/batch.ts';
export { derive } from './text/order.ts';
export type { HostKey } from './text/order.ts';
export { unigramEntropy, unigramLogits } from './text/unigram.ts';

// A fine-tuned network in use: from a stream of texts to a stream of answers.
export { classifier, regressor, tagger } from './tasks/predict.ts';
export { embedder } from './tasks/embed.ts';
export type { Embedded } from './tasks/embed.ts';
export type { Classified, Prediction, Streaming, Tagged, Text, TrainedModel, Valued, Words } from './tasks/predict.ts';

// Metrics: from plain predictions and truths to a number and its interval.
export { accuracy, binaryF1, macroF1, matthews, microF1 } from './metrics/classification.ts';
export type { F1, Label } from './metrics/classification.ts';
export { pearson, spearman } from './metrics/correlation.ts';
export { bestThreshold, exactMatch, normaliseAnswer, scoreAnswers, tokenF1 } from './metrics/answers.ts';
export type { AnswerScore } from './metrics/answers.ts';
export { entityF1, taggedSpans } from './metrics/entities.ts';
export type { TaggedSpan } from './metrics/entities.ts';
export { bootstrap } from './metrics/bootstrap.ts';
export type { Interval } from './metrics/bootstrap.ts';

// Tasks: from files' texts to rows, and what is measured on them.
export { answerMetrics, metrics, questions, table, tagMetrics, tags } from './tasks/declare.ts';
export { tasks } from './tasks/tasks.ts';
export { goldOf, labelsOf, requireLabels } from './tasks/labels.ts';
export { splitRows } from './tasks/split.ts';
export type { Split } from './tasks/split.ts';
export { evaluateTask } from './tasks/evaluate.ts';
export type { Measurement } from './tasks/evaluate.ts';
export { baselinesOf, majority, majorityTag, tagPerWord } from './tasks/baselines.ts';
export { bagOfWords } from './tasks/bag.ts';
export { paste } from './tasks/read/lines.ts';
export type { Column, Format } from './tasks/read/records.ts';
export type { Baseline, FileName, Gold, Guess, Metric, Placed, Predicted, QuestionRow, Reading, Recipe, Row, TaggedRow, TaskDeclaration, TextRow } from './tasks/task.ts';

// Fine-tuning: from a task's rows to a network that does it.
export { alike, batchesOf, batchOf, encodeTexts, encodeWords } from './tasks/encode.ts';
export type { Encoded, EncodedWords } from './tasks/encode.ts';
export { finetune, finetuneStep } from './tasks/finetune.ts';
export type { HeadInput } from './tasks/standardise.ts';
export type { Epoch, Learner, Settings, TaskBatch, Tuned, TunedState, Watch } from './tasks/finetune.ts';
export { completed, inRange, rangeOf, tagExamples, tagLearner, textExamples, textLearner, withDropout } from './tasks/learn.ts';
export type { LabelledBatch, Range, TagExample, TextExample } from './tasks/learn.ts';
export { finetuneTask, judge } from './tasks/tune.ts';
export type { Judgement, Start, TaskSettings, TunedModel } from './tasks/tune.ts';
export { mostContext, positionsIn, textOf, windower } from './tasks/windows.ts';
export type { TokenSpan, Window, WindowedQuestion, Windowing } from './tasks/windows.ts';
export { answerExamples, answerLearner, answerQuestions, bestAnswer, decodeAnswers, NO_ANSWER_THRESHOLD } from './tasks/answering.ts';
export type { AnswerBatch, AnsweredQuestion, AnswerExample, Answering, AnswerParams, Decoding, FoundAnswer, Likely } from './tasks/answering.ts';
export { minimalPairs, originality, pseudoLikelihood } from './tasks/minimalpairs.ts';
export type { MinimalPair, Scorer } from './tasks/minimalpairs.ts';
