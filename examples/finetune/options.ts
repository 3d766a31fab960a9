/** The command line of `finetune.ts`. */
import { Command, Option } from 'commander';
import type { DeviceName, HeadStyle, Pooling } from '../../lib/index.ts';
import { devices, poolings } from '../../lib/index.ts';
import { number } from '../pretrain/options.ts';
import { knownTasks } from './data.ts';

export interface Options {
  readonly task?: string;
  readonly data?: string;
  readonly train?: string[];
  readonly dev?: string[];
  readonly test?: string[];
  readonly text?: string;
  readonly pair?: string;
  readonly label?: string;
  readonly regression: boolean;
  readonly tags: boolean;
  readonly word?: string;
  readonly tag?: string;
  readonly spans: boolean;
  readonly limit?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly seq?: number;
  readonly lr?: number;
  readonly layerDecay?: number;
  readonly standardise?: boolean;
  readonly pooling?: Pooling;
  readonly topLayer: 'published' | 'corrected';
  readonly dropout?: number;
  readonly patience?: number;
  readonly head: HeadStyle;
  readonly freeze: boolean;
  readonly fromScratch: boolean;
  readonly baselines: boolean;
  readonly seeds: number;
  readonly seed: number;
  readonly out?: string;
  readonly device?: DeviceName;
  readonly quiet: boolean;
}

/** The command; its argument is the model. */
export const finetuneCommand = (): Command =>
  new Command('finetune')
    .description('Fine-tunes a pre-trained ELECTRA on a task and says what it is worth beside baselines.')
    .argument('[model]', "the folder of a pre-training run, or a discriminator's (default: the newest run in runs/; where there is none, it is made)")
    .optionsGroup('Data:')
    .option('--task <name>', `a task that has a name (default: brown, which needs no data): ${knownTasks.map(({ name }) => name).join(', ')}; with --data, or files`)
    .option('--data <dir>', "the folder of that task's files, under the names that they are published by")
    .option('--train <file...>', 'a table (.csv, .tsv, .jsonl, .gz too) or tagged words; several files stand beside each other, line by line')
    .option('--dev <file...>', 'decides which epoch is kept (default: a tenth of the texts to learn from)')
    .option('--test <file...>', 'is measured once, at the end')
    .option('--text <column>', 'the column of the text: a name, or a number from 0 where the file has no header (default: text)')
    .option('--pair <column>', 'the column of a second text')
    .option('--label <column>', 'the column of the class or value (default: label)')
    .option('--regression', 'labels are values, not classes', false)
    .option('--tags', 'files are of words with tags, a word a line (CoNLL, CoNLL-U)', false)
    .option('--word <column>', 'the column of the word: a number, or a name of CoNLL-U (default: 0)')
    .option('--tag <column>', 'the column of its tag (default: -1, the last)')
    .option('--spans', 'tags are B-kind, I-kind and O, judged by whole spans', false)
    .option('--limit <n>', 'rows to take of each file, to try something out', number(1))
    .optionsGroup('Learning:')
    .option('--epochs <n>', 'how often every example is seen (default: 3, or what the task says)', number(1))
    .option('--batch <n>', 'examples in a step (default: 32)', number(1))
    .option('--seq <n>', 'tokens in a sequence (default: 128, or all that the model has)', number(8))
    .option('--lr <x>', "highest learning rate (default: by the model's size; for tags of small ones higher)", number(0, 1, false))
    .option('--layer-decay <x>', 'how much slower each layer further from the head learns', number(0, 1, false))
    .addOption(new Option('--top-layer <how>', 'the top layer slowed down twice, as published, or once').choices(['published', 'corrected']).default('published'))
    .option('--standardise', 'first draws the last layer norm so that what the head reads has mean 0 and deviation 1 (default: for models narrower than the published ones)')
    .option('--no-standardise', 'leaves it as it is')
    .addOption(new Option('--pooling <how>', "what Google's head for classes reads of a text: [CLS], as published, the mean of its tokens, or those of all layers (default: cls; layers for models narrower than the published ones)").choices(poolings))
    .option('--dropout <x>', 'dropout rate (default: 0.1, as published; 0 for models narrower than those)', number(0, 0.9, false))
    .option('--patience <n>', 'epochs without a better dev score after which it ends (default: it goes on to the last)', number(1))
    .addOption(new Option('--head <whose>', "whose head: Google's, as published, or HuggingFace's, which other programs load").choices(['google', 'huggingface']).default('google'))
    .option('--freeze', 'only the head learns', false)
    .option('--seeds <n>', 'runs, each with a seed of its own; the best by the dev set is kept', number(1), 1)
    .option('--seed <n>', 'the first seed: the same gives the same bits', number(0, 2 ** 31), 0)
    .optionsGroup('Comparison:')
    .option('--from-scratch', 'also trains the same network from chance, by the same recipe but for layer-wise rates', false)
    .option('--no-baselines', 'leaves out the majority class and the bag of words')
    .optionsGroup('Program:')
    .option('--out <dir>', 'folder for model, predictions, results and report (default: runs/finetune-1, -2, …)')
    .addOption(new Option('--device <name>', 'where to compute (default: chosen automatically)').choices(devices))
    .option('--quiet', 'print nothing but errors', false);
