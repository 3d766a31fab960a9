/**
 * 7. WordPiece. You will learn how text becomes the numbers that a model sees: words are cut into pieces, and which pieces
 * there are is learned from text by merging, again and again, the pair that occurs most often. Two centuries of State of the
 * Union addresses serve as text. `--steps N` reads only the last N of them.
 */
import { trainWordPiece, WordPiece } from '../lib/index.ts';
import { readCorpus } from '../lib/node.ts';
import { exercise, fixed, heading, lesson, say, table } from './course/lesson.ts';

const { steps } = await lesson('7. WordPiece: from text to numbers', 300);

heading('The text');
const documents = [...readCorpus()].slice(-steps);
const words = documents.flatMap((text) => text.toLowerCase().match(/\p{L}+/gu) ?? []);
const distinct = new Set(words).size;
say(`${documents.length} addresses, ${words.length.toLocaleString('en')} words, ${distinct.toLocaleString('en')} of them distinct. A vocabulary of whole words would need a row for each, and would not know the next new word. One
  of letters would need few rows, and make sentences several times as long. Pieces are the middle way.`);

heading('Merging');
say(`Every word begins as its letters; those inside a word are written with ## before them. Then the most frequent pair of neighbours
  becomes one piece, everywhere. Here are the first merges on our text, in order:`);
const sizes = [100, 300, 1000, 3000];
const vocabularies = sizes.map((size) => trainWordPiece(documents, { size, lowerCase: true }));
const largest = vocabularies[vocabularies.length - 1];
const merged = largest.filter((token) => [...token.replace('##', '')].length > 1 && !/^\[.*\]$/.test(token));
say(merged.slice(0, 24).join('  '));
say(
  `th, then the: frequent words grow together first. The last pieces of a vocabulary of ${largest.length.toLocaleString('en')} are rare words and parts of them:`,
);
say(merged.slice(-16).join('  '));

heading('Cutting');
say(
  'A word is cut from the left into the longest pieces that there are. The same words with vocabularies of four sizes:',
);
const tokenizers = vocabularies.map((vocab) => new WordPiece(vocab, { lowerCase: true }));
const cut = (tokenizer: WordPiece, text: string) => tokenizer.encode(text).tokens.slice(1, -1).join(' ');
const samples = ['the', 'government', 'freedom', 'unconstitutional', 'Internet'];
table(
  ['tokens', ...samples.slice(0, 3)],
  tokenizers.map((tokenizer, i) => [
    vocabularies[i].length,
    ...samples.slice(0, 3).map((word) => cut(tokenizer, word)),
  ]),
);
table(
  ['tokens', ...samples.slice(3)],
  tokenizers.map((tokenizer, i) => [vocabularies[i].length, ...samples.slice(3).map((word) => cut(tokenizer, word))]),
);
say('The price of a small vocabulary is long sentences. Pieces for each word of the last address:');
const last = documents[documents.length - 1];
const length = last.toLowerCase().match(/\p{L}+|\p{N}+|[^\s\p{L}\p{N}]/gu)?.length ?? 1;
table(
  ['tokens', 'pieces a word'],
  tokenizers.map((tokenizer, i) => [vocabularies[i].length, fixed(tokenizer.ids(last).length / length, 2)]),
);

heading('What the model gets');
const tokenizer = tokenizers[2];
const sentence = 'We shall overcome, my fellow Americans!';
const { ids, typeIds, tokens, offsets } = tokenizer.encode(sentence, 'And we did.');
say(`encode(text, pair) puts [CLS] in front and [SEP] behind each part, and says where in the text each piece came from. The model sees the
  ids and the types (0 in the first part, 1 in the second); all else is for us. "${sentence}" and "And we did." become:`);
table(
  ['token', 'id', 'type', 'from'],
  tokens.map((token, i) => [
    token,
    ids[i],
    typeIds[i],
    offsets[i][1] > 0 ? `${offsets[i][0]} to ${offsets[i][1]}` : '',
  ]),
);
say(`decode(ids) gives "${tokenizer.decode(ids)}": capitals and accents are gone, since this vocabulary is lower case. A sign that the text
  never had, such as 漢, becomes "${cut(tokenizer, '漢')}", unknown.`);
say(`The five special tokens come first in every vocabulary trained here: ${largest
  .slice(0, 5)
  .map((token, id) => `${id} ${token}`)
  .join(', ')}. [MASK] is the one that the next
  lesson is about.`);

exercise(
  '07-wordpiece',
  `Write bestPair(words), where words is a list of words with repeats, each already cut into pieces: [['l', '##o', '##w'], …]. Return
  the pair of neighbours that occurs most often, as [left, right]; of pairs that occur equally often, any. The law compares it with what
  trainWordPiece merges first.`,
);
