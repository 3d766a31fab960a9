/**
 * Laws of the official checkpoints, for whoever has them: what others published of their outputs (official.json) comes out.
 * ELECTRA_SMALL and ELECTRA_BASE name folders that hold `discriminator/`, `generator/` or both, as google/electra-small-discriminator
 * and its like are published; what is not there is skipped.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel, readText } from '../../examples/models/open.ts';
import type { Network, Opened } from '../../examples/models/open.ts';
import type { Batch, Tensor } from '../../lib/index.ts';
import { discriminate, generate, key, sigmoid, slice, tensor } from '../../lib/index.ts';
import { skip } from '../laws/present.ts';

interface Case {
  readonly model: 'small' | 'base';
  readonly source: string;
}

interface Official {
  /** Rows and columns of the last hidden state. */
  readonly hidden: (Case & {
    ids: number[];
    attend: number[];
    rows: number[];
    columns: number[];
    expected: number[];
    tolerance: number;
  })[];
  /** How likely each token was replaced, [CLS] and [SEP] too. */
  readonly replaced: (Case & { text: string; expected: number[]; tolerance: number })[];
  /** The likeliest token for [MASK]. */
  readonly best: (Case & { text: string; expected: string })[];
}

const test = suite('official');
const { hidden, replaced, best } = JSON.parse(
  readFileSync(new URL('official.json', import.meta.url), 'utf8'),
) as Official;

/** A checkpoint that the environment names; a folder that holds neither network is a mistake. */
const open = ({ model }: Case, network: Network): Opened | undefined => {
  const variable = `ELECTRA_${model.toUpperCase()}`;
  const dir = process.env[variable];
  if (!dir) return void skip(`${variable} names no folder with the official ${model} ${network}`);
  if (existsSync(join(dir, network))) return openModel(join(dir, network), network);
  if (!(['discriminator', 'generator'] as const).some((name) => existsSync(join(dir, name))))
    throw new Error(`${variable}: ${dir} holds neither discriminator/ nor generator/`);
  return void skip(`${variable}: ${dir} holds no ${network}`);
};

/** As torch.allclose: the tolerance is absolute, and relative as well. */
const close = (actual: ArrayLike<number>, expected: number[], tolerance: number, source: string) => {
  assert.is(actual.length, expected.length);
  expected.forEach((y, i) =>
    assert.ok(
      Math.abs(actual[i] - y) <= tolerance * (1 + Math.abs(y)),
      `${source}: number ${i} is ${actual[i]}, expected ${y}`,
    ),
  );
};

for (const { model, source, ids, attend, rows, columns, expected, tolerance } of hidden) {
  test(`the ${model} discriminator has the published hidden states for [${ids.join(' ')}]`, async () => {
    const opened = open({ model, source }, 'discriminator');
    if (opened === undefined) return;
    const shape = [1, ids.length];
    const batch: Batch = {
      tokens: tensor(ids, shape, 'i32'),
      types: tensor(
        ids.map(() => 0),
        shape,
        'i32',
      ),
      attend: tensor(attend, shape),
    };
    const { config, params } = opened;
    const seen = new Map<string, Tensor>();
    discriminate(key(0), params, batch.tokens, batch, config, (name, x) => seen.set(name, x));
    const last = seen.get(`hidden.${config.discriminator.layers}`)!;
    const part = slice(last, [0, rows[0], columns[0]], [1, rows.length, columns.length]);
    close(await part.data(), expected, tolerance, source);
  });
}

for (const { text, expected, tolerance, ...of } of replaced) {
  test(`the ${of.model} discriminator suspects what it is said to in "${text}"`, async () => {
    const opened = open(of, 'discriminator');
    if (opened === undefined) return;
    const { batch } = readText(opened, text);
    close(
      await sigmoid(discriminate(key(0), opened.params, batch.tokens, batch, opened.config)).data(),
      expected,
      tolerance,
      of.source,
    );
  });
}

for (const { text, expected, ...of } of best) {
  test(`the ${of.model} generator's best guess in "${text}" is "${expected}"`, async () => {
    const opened = open(of, 'generator');
    if (opened === undefined) return;
    const { batch, ids } = readText(opened, text);
    const at = tensor([ids.indexOf(opened.tokenizer.special.mask)], [1, 1], 'i32');
    const logits = await generate(key(0), opened.params, { ...batch, at }, opened.config).data();
    assert.is(opened.tokenizer.vocab[logits.indexOf(Math.max(...logits))], expected);
  });
}

test.run();
