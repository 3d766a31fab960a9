/**
 * The fine-tuning part of a set of fixtures: HuggingFace's three heads on one encoder, their outputs, losses and gradients
 * on the set's clean text.
 */
import type { Batch, ElectraConfig, Task, TaskParams, Tensor } from '../../lib/index.ts';
import {
  answer,
  answeringLoss,
  classificationLoss,
  classify,
  full,
  grad,
  key,
  mul,
  ones,
  put,
  reshape,
  tag,
  taggingLoss,
  zeros,
} from '../../lib/index.ts';
import { loadModel } from '../../lib/node.ts';
import type { Fixture, Named } from './fixture.ts';
import { named } from './fixture.ts';

/** The fixtures' names of the tasks. */
const TASKS: Record<string, Task> = { seqcls: 'classification', tokcls: 'tagging', qa: 'answering' };

/** One head on the current device. */
export interface Head {
  readonly name: string;
  readonly task: Task;
  readonly config: ElectraConfig;
  readonly params: TaskParams;
  readonly batch: Batch;
  readonly input: (name: string) => Tensor;
}

/** The heads that a set has. */
export const loadHeads = (fixture: Fixture): Head[] =>
  Object.keys(TASKS)
    .filter((name) => fixture.has(`heads/${name}/config.json`))
    .map((name) => {
      const { task, config, params } = loadModel(`${fixture.dir}/heads/${name}`);
      if (task !== TASKS[name])
        throw new Error(
          `${fixture.dir}/heads/${name}: expected a model for ${TASKS[name]}, got one for ${task ?? 'pre-training'}`,
        );
      const input = (input: string) => fixture.tensor('inputs', input, 'i32');
      const batch = {
        tokens: input('orig_ids'),
        types: input('token_type_ids'),
        attend: fixture.tensor('inputs', 'attention_mask', 'f32'),
      };
      return { name, task, config, params: params as TaskParams, batch, input };
    });

/** `heads/outputs`: the logits, and the encoder's output before them. */
export const outputs = ({ name, task, config, params, batch }: Head): Named => {
  let last: Tensor | undefined;
  const look = (at: string, x: Tensor) => {
    if (at === `hidden.${config.discriminator.layers}`) last = x;
  };
  const logits = (): Named => {
    if (task === 'classification') return [[`${name}.logits`, classify(key(0), params, batch, config, look)]];
    if (task === 'tagging') return [[`${name}.logits`, tag(key(0), params, batch, config, look)]];
    const { start, end } = answer(key(0), params, batch, config, look);
    return [
      [`${name}.start_logits`, start],
      [`${name}.end_logits`, end],
    ];
  };
  return [...logits(), ['electra.last_hidden_state', last!]];
};

/** The loss, with the answers' starts in `starts` where there are answers. */
const loss = ({ task, config, batch, input }: Head, params: TaskParams, starts?: Tensor): Tensor => {
  if (task === 'classification')
    return classificationLoss(classify(key(0), params, batch, config), input('seq_labels'));
  if (task === 'tagging') return taggingLoss(tag(key(0), params, batch, config), input('token_labels'));
  return answeringLoss(
    answer(key(0), params, batch, config),
    starts ?? input('start_positions'),
    input('end_positions'),
  );
};

/** `heads/losses`: those of one head. */
export const losses = async (head: Head): Promise<Record<string, number>> => {
  const own = { [`${head.name}_loss`]: await loss(head, head.params).item() };
  if (head.task !== 'answering') return own;
  const {
    shape: [b, t],
  } = head.batch.tokens;
  const starts = reshape(
    put(reshape(head.input('start_positions'), [1, b]), zeros([1, 1], 'i32'), full([1, 1], t + 3, 'i32')),
    [b],
  );
  return { ...own, [`${head.name}_loss_row0_start_out_of_range`]: await loss(head, head.params, starts).item() };
};

/** `heads/grads_…` of one head. Of a word table, HuggingFace's gradient has no row of the padding token. */
export const gradients = (head: Head, fixture: Fixture): Named => {
  const { word } = head.params.embeddings;
  const stored = fixture.read(`heads/grads_${head.name}`);
  const all = named(grad((params: TaskParams) => loss(head, params))(head.params), () => '', head.task);
  return all.flatMap(([name, x]): Named => {
    const plain = `no_padding_idx.${name}`;
    if (!stored.has(plain)) return [[name, x]];
    const rows = reshape(ones([word.shape[0]]), [1, word.shape[0]]);
    const pad = full([1, 1], head.config.special.pad, 'i32');
    return [
      [plain, x],
      [name, mul(x, reshape(put(rows, pad, zeros([1, 1])), [word.shape[0], 1]))],
    ];
  });
};
