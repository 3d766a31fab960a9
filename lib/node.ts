/** Everything of index.ts, and what touches files: for Node. */
export * from './index.ts';
export { BLANK_LINES, LONG_STRETCHES, readCorpus } from './io/corpus.ts';
export { clearly, UserError } from './io/error.ts';
export { writeFileAtomic } from './io/atomic.ts';
export { decodeSafetensors, encodeSafetensors } from './io/safetensors.ts';
export type { SafeTensor } from './io/safetensors.ts';
export { loadSafetensors, saveSafetensors } from './io/tensors.ts';
export { loadModel, readVocabulary, saveModel } from './io/model.ts';
export type { Model } from './io/model.ts';
export { checkpointSteps, latestCheckpoint, loadCheckpoint, saveCheckpoint } from './io/checkpoint.ts';
export type { Checkpoint } from './io/checkpoint.ts';
export { openRun } from './io/run.ts';
export type { Run } from './io/run.ts';
export { appendMetrics, readMetrics, writeMetrics } from './io/metrics.ts';
export type { Measured, MetricsRecord } from './io/metrics.ts';
export { cached, hashOf } from './io/cache.ts';
export type { CachedArray } from './io/cache.ts';
export { huggingFaceName, isTransposed } from './io/names.ts';
