/**
 * The tasks that ELECTRA was judged by: GLUE (Wang et al. 2019) but for WNLI, which the published code leaves out, SQuAD 1.1
 * and 2.0, and CoNLL-2000 chunks. Files are those of the official downloads. Labels, metrics, doubled pairs and what a recipe
 * has of its own are those of google-research/electra (finetune/, configure_finetuning.py).
 *
 * GLUE's test files have no labels, and other columns: they are read as `unlabelled`.
 */
import { metrics, questions, table, tags } from './declare.ts';
import { linesOf } from './read/lines.ts';
import { textRows } from './read/texts.ts';
import type { Row, TaskDeclaration, TextRow } from './task.ts';

const files = { train: 'train.tsv', dev: 'dev.tsv', test: 'test.tsv' };
const binary = ['0', '1'];
const entailment = ['entailment', 'not_entailment'];

/** The rows, and each pair the other way round as well: which of the two comes first means nothing. */
export const bothOrders = (rows: readonly TextRow[]): TextRow[] => [
  ...rows,
  ...rows.map((row) => ({ ...row, text: row.pair ?? row.text, pair: row.pair && row.text })),
];

const colaLabelled = textRows({ text: 3, label: 1 });
const colaTest = textRows({ text: 'sentence', format: 'tsv' });

export const cola: TaskDeclaration<TextRow> = {
  ...table({
    name: 'cola',
    about: 'Is the sentence grammatical? (Corpus of Linguistic Acceptability)',
    files,
    labels: binary,
    metrics: [metrics.matthews],
    text: 3,
    label: 1,
  }),
  // Its test file alone has a header.
  read: (text, source, reading) =>
    (linesOf(text)[0]?.split('\t').includes('sentence') ? colaTest : colaLabelled)(text, source, reading),
};

export const sst2 = table({
  name: 'sst2',
  about: 'Does a phrase of a film review praise? (Stanford Sentiment Treebank)',
  files,
  labels: binary,
  metrics: [metrics.accuracy],
  format: 'tsv',
  text: 'sentence',
  label: 'label',
});

export const mrpc = table({
  name: 'mrpc',
  about: 'Do two sentences of the news say the same? (Microsoft Research Paraphrase Corpus)',
  files,
  labels: binary,
  metrics: [metrics.accuracy, metrics.f1('1')],
  augment: bothOrders,
  format: 'tsv',
  text: '#1 String',
  pair: '#2 String',
  label: 'Quality',
});

export const stsb = table({
  name: 'stsb',
  about: 'How similar are two sentences, from 0 to 5? (Semantic Textual Similarity Benchmark)',
  files,
  regression: true,
  scale: 5,
  recipe: { epochs: 10 },
  augment: bothOrders,
  format: 'tsv',
  text: 'sentence1',
  pair: 'sentence2',
  label: 'score',
});

/** A few rows of the official files are cut off; they are left out, as published. */
export const qqp = table({
  name: 'qqp',
  about: 'Do two questions ask the same? (Quora Question Pairs)',
  files,
  labels: binary,
  metrics: [metrics.accuracy, metrics.f1('1')],
  format: 'tsv',
  skipShort: true,
  text: 'question1',
  pair: 'question2',
  label: 'is_duplicate',
});

export const mnli = table({
  name: 'mnli',
  about:
    'Does the second sentence follow from the first, contradict it, or neither? (Multi-Genre Natural Language Inference)',
  files: { train: 'train.tsv', dev: 'dev_matched.tsv', test: 'test_matched.tsv' },
  labels: ['contradiction', 'entailment', 'neutral'],
  metrics: [metrics.accuracy],
  format: 'tsv',
  text: 'sentence1',
  pair: 'sentence2',
  label: 'gold_label',
});

export const qnli = table({
  name: 'qnli',
  about: 'Does the sentence hold the answer to the question? (from SQuAD)',
  files,
  labels: entailment,
  metrics: [metrics.accuracy],
  format: 'tsv',
  text: 'question',
  pair: 'sentence',
  label: 'label',
});

export const rte = table({
  name: 'rte',
  about: 'Does the second sentence follow from the first? (Recognising Textual Entailment)',
  files,
  labels: entailment,
  metrics: [metrics.accuracy],
  recipe: { epochs: 10 },
  format: 'tsv',
  text: 'sentence1',
  pair: 'sentence2',
  label: 'label',
});

export const squad1 = questions({
  name: 'squad1',
  about: 'Where in the text is the answer? (SQuAD 1.1)',
  files: { train: 'train-v1.1.json', dev: 'dev-v1.1.json' },
});

export const squad2 = questions({
  name: 'squad2',
  about: 'Where in the text is the answer, if there is one? (SQuAD 2.0)',
  files: { train: 'train-v2.0.json', dev: 'dev-v2.0.json' },
  unanswerable: true,
});

/** There is no dev file: as published, the test file decides and is reported. */
export const chunk = tags({
  name: 'chunk',
  about: 'Which words form a phrase, and of which kind? (CoNLL-2000)',
  files: { train: 'train.txt', dev: 'test.txt' },
  recipe: { sequenceLength: 256 },
  spans: true,
  bioes: true,
  word: 0,
  tag: 2,
});

/** By name, in the order of the paper. */
export const tasks: Readonly<Record<string, TaskDeclaration<Row>>> = {
  cola,
  sst2,
  mrpc,
  stsb,
  qqp,
  mnli,
  qnli,
  rte,
  squad1,
  squad2,
  chunk,
};
