/**
 * Predicts by a fine-tuned model: a class, a value, or a tag for each word, for as many texts as there are.
 *
 *     echo "Free entry! Text WIN to 80086." | npx tsx examples/predict.ts runs/finetune-1
 *     npx tsx examples/predict.ts runs/finetune-1 mails.csv --text message --out predicted.jsonl
 *     npx tsx examples/predict.ts runs/finetune-1 mails.tsv.gz --text 1           # no header: columns by number, from 0
 *
 * Out comes one JSON object a line, in the order of the input: its fields, then `predicted` and `probability`. Texts are read
 * as they come and forgotten when they are written. To an empty text nothing is predicted: it has null.
 */
import { Command } from 'commander';
import { classifier, regressor, tagger, useDevice } from '../lib/index.ts';
import type { Model, StreamRecord } from '../lib/node.ts';
import { UserError } from '../lib/node.ts';
import { kindOf, openTrained } from './models/open.ts';
import { endClearly } from './models/program.ts';
import type { RecordText, RecordWords, StreamOptions } from './models/stream.ts';
import { asText, asWords, fitting, isRegression, mapEach, readRecords, streamOptions, write } from './models/stream.ts';

interface Options extends StreamOptions {
  readonly all: boolean;
}

const rounded = (x: number): number => Number(x.toFixed(6));

/** What is predicted of every record. */
async function* predictions(
  dir: string,
  model: Model,
  records: AsyncIterable<StreamRecord>,
  options: Options,
): AsyncGenerator<[StreamRecord, object]> {
  const none = { predicted: null };
  const texts = () => mapEach(records, asText(options));
  if (model.task === 'tagging') {
    const tag = fitting(dir, () => tagger<RecordWords>(model, options));
    for await (const { row, tags, probabilities } of tag(mapEach(records, asWords(options)))) {
      yield [row.record, { words: row.words, predicted: tags, probability: probabilities.map(rounded) }];
    }
  } else if (isRegression(model)) {
    const value = fitting(dir, () => regressor<RecordText>(model, options));
    for await (const { row, value: predicted } of value(texts()))
      yield [row.record, row.text.trim() === '' ? none : { predicted: rounded(predicted) }];
  } else {
    const classify = fitting(dir, () => classifier<RecordText>(model, options));
    for await (const { row, label, probability, probabilities } of classify(texts())) {
      const every = options.all && {
        probabilities: Object.fromEntries(model.labels!.map((name, i) => [name, rounded(probabilities[i])])),
      };
      yield [
        row.record,
        row.text.trim() === '' ? none : { predicted: label, probability: rounded(probability), ...every },
      ];
    }
  }
}

const predict = async (path: string, file: string | undefined, options: Options): Promise<void> => {
  await useDevice(options.device);
  const { dir, model } = openTrained(path);
  if (model.task === undefined) throw new UserError(`${dir} was not fine-tuned, but is a ${kindOf(model)}; examples/finetune.ts fine-tunes a discriminator`);
  if (model.task === 'answering') throw new UserError(`${dir} answers questions; examples/answer.ts asks them`);
  const records = await readRecords(file, options);
  let [texts, empty] = [0, 0];
  await write(
    mapEach(predictions(dir, model, records, options), ([{ fields }, found]) => {
      texts++;
      if ('predicted' in found && found.predicted === null) empty++;
      return `${JSON.stringify({ ...fields, ...found })}\n`;
    }),
    options.out,
  );
  if (empty > 0) console.error(`${empty} of ${texts} texts are empty: nothing is predicted of them`);
};

await endClearly(
  streamOptions(
    new Command('predict').description(
      'Predicts by a fine-tuned model: a class, a value, or a tag for each word, one JSON object a line.',
    ),
    'where to write, as JSONL (default: standard output)',
  )
    .option('--all', 'the probabilities of all classes', false)
    .action(predict),
);
