/**
 * The checks of a folder of fixtures, file by file, as findings. Which files there are, how many updates, which schedules:
 * all of it comes from the folder.
 */
import type { Both, Finding, Fixture } from './fixture.ts';
import { compare, compareNumbers } from './fixture.ts';
import * as heads from './heads.ts';
import { operate } from './operations.ts';
import type { Log, Updates } from './pretraining.ts';
import * as pretraining from './pretraining.ts';

/** Checks one part of a folder on the current device; `exact` as for `compare`. */
export type Check = (fixture: Fixture, exact?: boolean) => Promise<Finding[]>;

export const checkForward: Check = (fixture, exact) =>
  compare(fixture, 'forward', pretraining.forward(pretraining.loadPretraining(fixture)), { exact });

export const checkLosses: Check = async (fixture, exact) =>
  compareNumbers(
    'losses',
    fixture.json<Both>('losses.json'),
    await pretraining.losses(pretraining.loadPretraining(fixture)),
    exact,
  );

export const checkGradients: Check = (fixture, exact) =>
  compare(fixture, 'grads_pretrain', pretraining.gradients(pretraining.loadPretraining(fixture)), { exact });

/** The log of one schedule as single numbers: `3.lr`, `after_last.gen_loss`. */
const flat = ({ steps, after_last }: Updates): Record<string, number> =>
  Object.fromEntries(
    [...steps.map((step, i) => [String(i + 1), step] as const), ['after_last', after_last ?? {}] as const].flatMap(
      ([where, seen]) => Object.entries(seen).map(([name, value]) => [`${where}.${name}`, value]),
    ),
  );

type LogFile = Record<'float64' | 'float32', Log & Record<string, Updates>>;

export const checkUpdates: Check = async (fixture, exact) => {
  const { float64: log, float32 } = fixture.json<LogFile>('optim/log.json');
  const names = Object.keys(log).filter((name) => name !== 'hyper');
  const set = pretraining.loadPretraining(fixture);
  const findings: Finding[] = [];
  for (const name of names) {
    const schedule = pretraining.scheduleOf(log, log[name]);
    const { length } = log[name].steps;
    const stored = fixture
      .list('optim')
      .flatMap((file) => (file.startsWith(`${name}_step`) ? [parseInt(file.slice(`${name}_step`.length))] : []));
    const done = pretraining.train(set, pretraining.optimiserOf(log, schedule), Math.max(length, ...stored));
    const both = { float64: flat(log[name]), float32: flat(float32[name]) };
    findings.push(
      ...compareNumbers(
        `optim/log ${name}`,
        both,
        await pretraining.logged(set, log, schedule, done.slice(0, length)),
        exact,
      ),
    );
    for (const [i, { params }] of done.entries()) {
      const file = `optim/${name}_step${i + 1}`;
      if (fixture.has(`${file}.safetensors`))
        findings.push(...(await compare(fixture, file, pretraining.owned(params), { exact })));
    }
  }
  const decayed = new Set(pretraining.decayed(set.params));
  const wrong =
    log.hyper.decayed_parameters.filter((name) => !decayed.has(name)).length +
    decayed.size -
    log.hyper.decayed_parameters.length;
  const error = Math.abs(wrong);
  const where = `${decayed.size} are decayed, not ${log.hyper.decayed_parameters.length}`;
  return [
    ...findings,
    {
      file: 'optim/log',
      group: 'decayed_parameters',
      count: decayed.size,
      distance: error === 0 ? 0 : Infinity,
      error,
      tolerance: 0,
      where,
    },
  ];
};

export const checkHeads: Check = async (fixture, exact) => {
  const all = heads.loadHeads(fixture);
  const losses = await Promise.all(all.map(heads.losses));
  const findings = [
    ...(await compare(fixture, 'heads/outputs', all.flatMap(heads.outputs), { exact })),
    ...compareNumbers(
      'heads/losses',
      fixture.json<Both>('heads/losses.json'),
      Object.assign({}, ...losses) as Record<string, number>,
      exact,
    ),
  ];
  for (const head of all)
    findings.push(...(await compare(fixture, `heads/grads_${head.name}`, heads.gradients(head, fixture), { exact })));
  return findings;
};

export const checkOperations: Check = async (fixture, exact) => {
  const findings: Finding[] = [];
  const files = Object.keys(fixture.json<object>('tolerances.json'));
  for (const file of files) {
    const expected = Object.keys(fixture.tolerances(file)).filter((name) => !name.startsWith('_'));
    findings.push(...(await compare(fixture, file, operate(fixture, file), { exact, expected })));
  }
  return findings;
};

/** The checks that a folder calls for, by what it holds; none when it is no folder of fixtures. */
export const checksOf = (fixture: Fixture): Check[] => {
  if (!fixture.has('inputs.safetensors')) return fixture.has('tolerances.json') ? [checkOperations] : [];
  return [
    checkForward,
    checkLosses,
    checkGradients,
    ...(fixture.has('optim/log.json') ? [checkUpdates] : []),
    ...(fixture.has('heads/losses.json') ? [checkHeads] : []),
  ];
};
