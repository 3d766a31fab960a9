/**
 * A look inside a trained model, as data for its report: the attention heads that look most decidedly, and which words
 * the shared word table has come to hold alike.
 */
import type { Observation, Tensor, WordPiece } from '../../lib/index.ts';
import { div, gather, matmul, scoped, sqrt, square, sum, tensor, topIndices } from '../../lib/index.ts';
import type { Head, Neighbourhood } from '../report/inside.ts';

/** Mean entropy, in nats, of where a head looks: 0 for one that always looks at a single token, ln t for an even look. */
const entropyOf = (head: readonly number[][]): number =>
  head.flat().reduce((total, p) => total - (p > 0 ? p * Math.log(p) : 0), 0) / head.length;

/** The `most` heads of the discriminator that spread their attention least, in the order of the network. */
export const sharpestHeads = ({ corrupted, attention }: Observation, { vocab }: WordPiece, most = 6) => {
  const heads = attention.flatMap((layer, l) =>
    layer.map((weights, h): Head => ({ layer: l + 1, head: h + 1, entropy: entropyOf(weights), weights })),
  );
  const chosen = new Set([...heads].sort((a, b) => a.entropy - b.entropy).slice(0, most));
  const rounded = ({ weights, ...head }: Head): Head => ({
    ...head,
    weights: weights.map((row) => row.map((p) => Math.round(1000 * p) / 1000)),
  });
  return { tokens: corrupted.map((id) => vocab[id]), of: heads.length, heads: heads.filter((head) => chosen.has(head)).map(rounded) };
};

const unit = (x: Tensor): Tensor => div(x, sqrt(sum(square(x), { axis: -1, keepDims: true })));

/**
 * For the most frequent whole words of at least four letters: the tokens whose vectors in the word table [v, e] have the
 * largest cosine with theirs.
 */
export const neighbourhoods = async (table: Tensor, { vocab }: WordPiece, unigram: Float32Array, words = 12, near = 6): Promise<Neighbourhood[]> => {
  const asked = vocab
    .map((_, id) => id)
    .filter((id) => /^\p{L}{4,}$/u.test(vocab[id]))
    .sort((a, b) => unigram[b] - unigram[a])
    .slice(0, words);
  if (asked.length === 0) return [];
  const { cosines, nearest } = scoped(() => {
    const cosines = matmul(unit(gather(table, tensor(asked, [asked.length], 'i32'))), unit(table), { transposeB: true });
    return { cosines, nearest: topIndices(cosines, Math.min(near + 1, vocab.length)) };
  });
  const [values, ids] = await Promise.all([cosines.data(), nearest.data()]);
  return asked.map((word, row) => {
    const columns = [...ids.slice((row * ids.length) / asked.length, ((row + 1) * ids.length) / asked.length)];
    const others = columns.filter((id) => id !== word).slice(0, near);
    return { word: vocab[word], near: others.map((id): [string, number] => [vocab[id], Math.round(1000 * values[row * vocab.length + id]) / 1000]) };
  });
};
