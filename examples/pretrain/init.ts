/**
 * Starting from a trained model instead of from chance: the parameters, the sizes and the vocabulary of a model folder,
 * with fresh optimiser moments, since a model folder has none.
 */
import type { ElectraConfig, Params, State, Transform } from '../../lib/index.ts';
import { initState, parseConfig, scoped } from '../../lib/index.ts';
import type { WordPiece } from '../../lib/index.ts';
import { loadModel, UserError } from '../../lib/node.ts';

export interface Start {
  /** The sizes of the folders; all else as in `base`. */
  readonly config: ElectraConfig;
  readonly tokenizer: WordPiece;
  /** The generator's only if its folder was given. */
  readonly params: Pick<Params, 'embeddings' | 'discriminator'> & Partial<Pick<Params, 'generator'>>;
}

const load = (folder: string, network: 'discriminator' | 'generator') => {
  const model = loadModel(folder);
  if (!(network in model.params)) throw new UserError(`${folder} holds no ${network}; give --init the discriminator's folder, then the generator's`);
  return model;
};

const sameValues = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => a.length === b.length && Array.from(a).every((x, i) => x === b[i]);

/** A generator for a discriminator that came without one: as deep, and a quarter as wide (paper, figure 3). */
const quarter = ({ hiddenSize, layers }: ElectraConfig['discriminator']): ElectraConfig['generator'] => {
  const width = Math.ceil(hiddenSize / 4);
  const heads = Math.max(1, Math.floor(width / 64));
  return { hiddenSize: width, layers, heads: width % heads === 0 ? heads : 1, feedForwardSize: 4 * width };
};

/**
 * Reads the folder of a discriminator, and of the generator that it was trained with. Where both have the same word table,
 * as in the published models, they share it as in training; else each keeps its own.
 *
 * Throws a UserError when a folder holds another network, has no vocabulary, or the two do not belong together.
 */
export const loadStart = async ([first, second, ...more]: readonly string[], base: ElectraConfig): Promise<Start> => {
  if (more.length > 0) throw new UserError("--init takes a discriminator's folder and a generator's, no more");
  const d = load(first, 'discriminator');
  if (d.tokenizer === undefined) throw new UserError(`${first} has no vocab.txt, without which no text can be read for it; copy it there`);
  const { embeddings, discriminator } = d.params as Pick<Params, 'embeddings' | 'discriminator'>;
  const { vocabSize, embeddingSize, maxPositions, typeVocabSize, layerNormEpsilon, special } = d.config;
  const sizes = { vocabSize, embeddingSize, maxPositions, typeVocabSize, layerNormEpsilon, special, initialisation: 'published', discriminator: d.config.discriminator };
  if (second === undefined) {
    const config = parseConfig({ ...sizes, tying: 'embeddings', generator: quarter(d.config.discriminator) }, base);
    return { config, tokenizer: d.tokenizer, params: { embeddings, discriminator } };
  }
  const g = load(second, 'generator');
  if (g.config.vocabSize !== vocabSize) {
    throw new UserError(`${first} has ${vocabSize} words, ${second} has ${g.config.vocabSize}; give the generator that was trained with it`);
  }
  const { embeddings: own, generator } = g.params as Pick<Params, 'embeddings' | 'generator'>;
  const shared = sameValues(await own.word.data(), await embeddings.word.data());
  // Embeddings of its own are as wide as the generator and have as many positions and types as the discriminator's.
  const { generator: { hiddenSize }, ...its } = g.config;
  if (!shared && (its.embeddingSize !== hiddenSize || its.maxPositions !== maxPositions || its.typeVocabSize !== typeVocabSize)) {
    throw new UserError(`${second} has another word table than ${first}, and its embeddings fit no generator beside it; give the generator that was trained with it, or leave it out`);
  }
  const config = parseConfig({ ...sizes, tying: shared ? 'embeddings' : 'none', generator: g.config.generator }, base);
  return { config, tokenizer: d.tokenizer, params: { embeddings, discriminator, generator: shared ? generator : { embeddings: own, ...generator } } };
};

/** The state before the first step: what was read, the rest and the moments fresh. */
export const startState = ({ params }: Start, config: ElectraConfig, optimiser: Transform, seed: number): State =>
  scoped(() => {
    const fresh = initState(config, optimiser, seed);
    return { ...fresh, params: { ...fresh.params, ...params } };
  });
