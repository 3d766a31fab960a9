/** What the page and its trainer, a worker, tell each other. */
import type { DeviceName } from '../../lib/index.ts';
import type { MetricsRecord } from '../../lib/node.ts';
import type { Word } from '../report/sample.ts';

export type Point = Pick<MetricsRecord, 'step' | 'split'> & Partial<MetricsRecord>;

/** The configurations that the page offers. */
export type Size = 'tiny' | 'demo';

export type ToTrainer =
  /** Learns a vocabulary from the text and makes a new model; steps that were asked for meanwhile follow. */
  | { readonly kind: 'begin'; readonly text: string; readonly size: Size; readonly device?: DeviceName }
  /** Does so many steps, Infinity until `pause`. */
  | { readonly kind: 'go'; readonly steps: number }
  | { readonly kind: 'pause' };

export type FromTrainer =
  | { readonly kind: 'doing'; readonly what: string }
  | { readonly kind: 'begun'; readonly device: string; readonly vocabulary: number; readonly examples: number; readonly parameters: number; readonly unigramLoss: number }
  /** A step is done; `speed` in tokens a second. */
  | { readonly kind: 'step'; readonly point: Point; readonly speed: number }
  /** The held-out text was measured. */
  | { readonly kind: 'measured'; readonly point: Point; readonly words: Word[] }
  | { readonly kind: 'paused' }
  | { readonly kind: 'failed'; readonly message: string };
