/** The final evaluation on held-out text against its baselines. */
import type { Evaluation } from '../../lib/index.ts';
import { count, entropyOf, nats, percent } from './format.ts';

interface Row {
  name: string;
  model: string;
  baseline: string;
  better: boolean;
  note: string;
}

const rowsOf = (evaluation: Evaluation, unigramLoss: number): Row[] => {
  const { mlmMaskedLoss, rtdLoss, rtdAuc, replacedRate, rtdAccuracy, rtdPrecision, rtdRecall } = evaluation;
  const among = (loss: number) => count(Math.exp(loss));
  const guessing = entropyOf(replacedRate);
  return [
    {
      name: 'Loss on hidden words',
      model: `${nats(mlmMaskedLoss)} nats`,
      baseline: `${nats(unigramLoss)} (unigram)`,
      better: mlmMaskedLoss < unigramLoss,
      note: `As unsure as among ${among(mlmMaskedLoss)} equally likely words; by word frequencies alone, among ${among(unigramLoss)}.`,
    },
    {
      name: 'Area under the ROC curve',
      model: `${nats(rtdAuc.value)} [${nats(rtdAuc.low)}–${nats(rtdAuc.high)}]`,
      baseline: '0.500 (chance)',
      better: rtdAuc.low > 0.5,
      note: 'In brackets the 95 % interval. 1 would be perfect.',
    },
    {
      name: 'Loss of the discriminator',
      model: `${nats(rtdLoss)} nats`,
      baseline: `${nats(guessing)} (share alone)`,
      better: rtdLoss < guessing,
      note: `The baseline knows only that ${percent(replacedRate)} of the words are replaced.`,
    },
    {
      name: 'Accuracy',
      model: percent(rtdAccuracy),
      baseline: `${percent(1 - replacedRate)} (majority class)`,
      better: rtdAccuracy > 1 - replacedRate,
      note: 'The baseline calls every word original. With few words replaced, accuracy says little.',
    },
    {
      name: 'Precision',
      model: percent(rtdPrecision),
      baseline: `${percent(replacedRate)} (at random)`,
      better: rtdPrecision > replacedRate,
      note: 'Of the words it calls replaced, those that are.',
    },
    {
      name: 'Recall',
      model: percent(rtdRecall),
      baseline: '0.0 % (majority class)',
      better: rtdRecall > 0,
      note: 'Of the replaced words, those it calls replaced.',
    },
    {
      name: 'Samples that are right',
      model: percent(evaluation.sampledAccuracy),
      baseline: '–',
      better: false,
      note: `Hidden words that the generator happens to restore; they count as original. Its first guess is right for ${percent(evaluation.mlmAccuracy)}.`,
    },
  ];
};

/** The evaluation, each number beside what one would get without having learned anything. */
export const renderTable = (evaluation: Evaluation, unigramLoss: number): string => {
  const rows = rowsOf(evaluation, unigramLoss).map(
    ({ name, model, baseline, better, note }) =>
      `<tr><th scope="row">${name}</th><td class="number${better ? ' better' : ''}">${model}</td><td class="number soft">${baseline}</td><td class="note">${note}</td></tr>`,
  );
  return `<section>
<h2>What it is worth</h2>
<p class="soft">On ${count(evaluation.tokens)} held-out tokens, after the last step. Green beats its baseline.</p>
<div class="card scroll"><table><thead><tr><th scope="col">Measure</th><th scope="col">This model</th><th scope="col">Baseline</th><th scope="col">In words</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>
</section>`;
};
