/**
 * Sentence vectors, from a discriminator or a fine-tuned model.
 *
 *     npx tsx examples/embed.ts runs/1 sentences.txt --out vectors.npy      # numpy.load reads it: float32 [texts, width]
 *     npx tsx examples/embed.ts runs/1 < sentences.txt                      # JSONL: the input's fields, then `vector`
 *
 * Vectors come in the order of the input, and every text has one, also an empty one. They are means over tokens, or that of
 * [CLS]. A pre-trained network was never taught to compare sentences: see its cosines as an order, not as a measure.
 */
import { open } from 'node:fs/promises';
import { Command, Option } from 'commander';
import type { Pooling } from '../lib/index.ts';
import { embedder, poolings, useDevice } from '../lib/index.ts';
import { openTrained } from './models/open.ts';
import { endClearly } from './models/program.ts';
import type { RecordText, StreamOptions } from './models/stream.ts';
import { asText, fitting, mapEach, readRecords, streamOptions, write } from './models/stream.ts';

interface Options extends StreamOptions {
  readonly pooling: Pooling;
}

const HEADER = 128;

/** The head of a .npy file, version 1: always as long, so that the number of rows may be written when it is known. */
const npyHeader = (rows: number, columns: number): Buffer => {
  const head = Buffer.from(
    `\x93NUMPY\x01\x00  {'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`,
    'latin1',
  );
  const padded = Buffer.concat([head, Buffer.from(`${' '.repeat(HEADER - 1 - head.length)}\n`)]);
  padded.writeUInt16LE(HEADER - 10, 8);
  return padded;
};

const littleEndian = (vector: ArrayLike<number>): Buffer => {
  const bytes = Buffer.alloc(4 * vector.length);
  for (let i = 0; i < vector.length; i++) bytes.writeFloatLE(vector[i], 4 * i);
  return bytes;
};

const embed = async (path: string, file: string | undefined, options: Options): Promise<void> => {
  await useDevice(options.device);
  const { dir, model } = openTrained(path, 'discriminator');
  const columns = model.config.discriminator.hiddenSize;
  const embedTexts = fitting(dir, () => embedder<RecordText>(model, options));
  const vectors = embedTexts(mapEach(await readRecords(file, options), asText(options)));
  if (!options.out?.endsWith('.npy')) {
    const line = ({ row, vector }: Awaited<ReturnType<typeof vectors.next>>['value'] & object) =>
      `${JSON.stringify({ ...row.record.fields, vector: Array.from(vector, (x) => Number(x.toFixed(6))) })}\n`;
    return write(mapEach(vectors, line), options.out);
  }
  let rows = 0;
  await write(
    (async function* () {
      yield npyHeader(0, columns);
      for await (const { vector } of vectors) {
        rows++;
        yield littleEndian(vector);
      }
    })(),
    options.out,
  );
  const made = await open(options.out, 'r+');
  await made.write(npyHeader(rows, columns), 0, HEADER, 0);
  await made.close();
};

await endClearly(
  streamOptions(
    new Command('embed').description('Sentence vectors, from a discriminator or a fine-tuned model.'),
    'where to write: .npy for NumPy, else JSONL (default: JSONL to standard output)',
  )
    .addOption(
      new Option('--pooling <how>', "the mean of all tokens' vectors, that of [CLS], or the means of all layers")
        .choices(poolings)
        .default('mean'),
    )
    .action(embed),
);
