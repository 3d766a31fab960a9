/**
 * Laws of the course: every program runs to its end as a reader would start it, says nothing on stderr, and fits a terminal
 * of 100 columns without one. They run for a few steps, so that none of them can rot.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('course');
const root = fileURLToPath(new URL('../../', import.meta.url));
const programs = readdirSync(`${root}examples`)
  .filter((name) => /^\d\d-.*\.ts$/.test(name))
  .sort();

/** Runs a program for a few steps, with no terminal. */
const run = async (name: string) => {
  const { FORCE_COLOR: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', `examples/${name}`, '--steps', '2'], { cwd: root, env });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await ended, out, err };
};

for (const name of programs) {
  test(`examples/${name} runs to its end, says nothing on stderr, and fits 100 columns without colour`, async () => {
    const { status, out, err } = await run(name);
    assert.is(err, '');
    assert.is(status, 0);
    assert.not.match(out, /\u001b/, 'an escape code without a terminal');
    const wide = out.split('\n').filter((line) => [...line].length > 100);
    assert.equal(wide, []);
    assert.not.match(out, /NaN|undefined|Infinity/);
    assert.match(out, `examples/answers/${name}`);
  });
}

test('the table of the course names every program, and every program has an answer that a law checks', () => {
  const readme = readFileSync(`${root}examples/README.md`, 'utf8');
  const laws = readFileSync(`${root}props/examples/answers.ts`, 'utf8');
  const answers = readdirSync(`${root}examples/answers`).sort();
  assert.equal(answers, programs);
  for (const name of programs) {
    assert.ok(readme.includes(`](${name})`), `examples/README.md does not name ${name}`);
    assert.ok(laws.includes(`answers/${name}'`), `props/examples/answers.ts does not check ${name}`);
  }
});

test.run();
