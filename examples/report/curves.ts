/** Which curves a report draws, and what each is to be compared with. */
import type { Chart, Field, Series } from './charts.ts';
import { entropyOf } from './format.ts';
import { publishedCurve } from './reference.ts';
import type { Report } from './page.ts';

const AMBER = 'var(--amber)';
const BLUE = 'var(--blue)';

/** The curves of one run, beside the published ones where those are of its size. */
export const chartsOf = ({ config, baselines, evaluation, timing }: Report): Chart[] => {
  const records = publishedCurve(config)?.filter(({ step }) => step <= timing.steps) ?? [];
  const published = (field: Field): Series => ({ field, split: 'heldout', label: 'ELECTRA-Small as published', colour: 'var(--mark)', records, dashed: true });
  return [
    {
      title: 'Generator: loss on hidden words',
      note: 'Nats. It uses context only where the strong line is under the unigram line.',
      series: [
        { field: 'mlmMaskedLoss', split: 'heldout', label: 'hidden words', colour: AMBER },
        { field: 'mlmLoss', split: 'heldout', label: 'all chosen words, the visible ones too', colour: BLUE },
        { field: 'mlmMaskedLoss', split: 'train', label: 'hidden words, training text', colour: AMBER },
        { ...published('mlmLoss'), label: 'all chosen words, ELECTRA-Small as published' },
      ],
      marks: [
        { value: Math.log(config.vocabSize), label: 'ln V: every word alike' },
        { value: baselines.unigramLoss, label: 'unigram: word frequencies alone' },
      ],
    },
    {
      title: 'Discriminator: area under the ROC curve',
      note: 'How often a replaced word looks more suspicious than an untouched one.',
      series: [
        { field: 'rtdAuc', split: 'heldout', label: 'held-out text', colour: AMBER },
        { field: 'rtdAuc', split: 'train', label: 'training text', colour: AMBER },
        published('rtdAuc'),
      ],
      interval: ['rtdAucLow', 'rtdAucHigh'],
      marks: [{ value: 0.5, label: 'by chance' }],
    },
    {
      title: 'Discriminator: loss',
      note: 'Nats a word. It falls at once to what the share of replaced words alone gives; the rest is learned.',
      series: [
        { field: 'rtdLoss', split: 'heldout', label: 'held-out text', colour: AMBER },
        { field: 'rtdLoss', split: 'train', label: 'training text', colour: AMBER },
        published('rtdLoss'),
      ],
      marks: [
        { value: Math.LN2, label: 'ln 2: a coin' },
        { value: entropyOf(evaluation.replacedRate), label: 'share of replaced words alone' },
      ],
    },
    {
      title: 'Generator: right guesses',
      note: 'The better it samples, the harder the discriminator’s task.',
      series: [
        { field: 'mlmAccuracy', split: 'heldout', label: 'its first guess is right', colour: AMBER },
        { field: 'sampledAccuracy', split: 'heldout', label: 'its sample is right', colour: BLUE },
      ],
      percent: true,
      digits: 1,
    },
    {
      title: 'Both: the combined loss',
      note: 'What is minimised: the generator’s loss plus λ times the discriminator’s.',
      series: [
        { field: 'loss', split: 'heldout', label: 'held-out text', colour: AMBER },
        { field: 'loss', split: 'train', label: 'training text', colour: AMBER },
        published('loss'),
      ],
    },
    {
      title: 'Learning rate',
      note: 'Warm-up, then down to zero.',
      series: [{ field: 'learningRate', split: 'heldout', label: 'learning rate', colour: BLUE }],
    },
  ];
};

