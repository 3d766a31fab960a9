/** Laws of what a run writes: nothing is overwritten, nothing half written, nothing computed twice. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeFileAtomic, writeFolderAtomic } from '../../lib/io/atomic.ts';
import { cached, hashOf } from '../../lib/io/cache.ts';
import { clearly, UserError } from '../../lib/io/error.ts';
import { appendMetrics, readMetrics, writeMetrics } from '../../lib/io/metrics.ts';
import { openRun } from '../../lib/io/run.ts';

const test = suite('run');
let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'amber-run-'));
});
test.after.each(() => rmSync(folder, { recursive: true }));

const refuses = (action: () => unknown, message: RegExp): void => {
  assert.throws(action, (error: Error) => {
    assert.instance(error, UserError);
    assert.match(error.message, message);
    return true;
  });
};

test('a new run makes its folder, and a second one may not write there', () => {
  const run = openRun(join(folder, 'a/b'));
  mkdirSync(join(run.checkpoints, '0'), { recursive: true });
  run.close();
  refuses(() => openRun(run.folder), /holds another run; go on with it \(--resume\), or choose another/);
  openRun(run.folder, { resume: true }).close();
  assert.equal(readdirSync(run.folder), ['checkpoints']);
});

test('a folder with anything else in it is left alone', () => {
  writeFileSync(join(folder, 'thesis.md'), 'years of work');
  refuses(() => openRun(folder), /is not empty: it holds thesis\.md/);
  refuses(() => openRun(folder, { resume: true }), /holds no run/);
  assert.equal(readdirSync(folder), ['thesis.md']);
});

test('a run that stopped before its first checkpoint leaves a folder that can be used, and cleared of what is half written', () => {
  const run = openRun(folder);
  refuses(() => openRun(folder), /is in use by the running process/);
  run.close();
  mkdirSync(join(run.checkpoints, '0.99.partial'), { recursive: true });
  writeFileSync(`${run.metrics}.99.partial`, '');
  refuses(() => openRun(folder, { resume: true }), /holds no run that could go on/);
  openRun(folder).close();
  assert.equal([readdirSync(folder), readdirSync(run.checkpoints)], [['checkpoints'], []]);
  openRun(folder).close();
});

test('a folder in use by a living process is refused, and free as soon as that process is killed', async () => {
  const run = openRun(folder);
  mkdirSync(join(run.checkpoints, '0'), { recursive: true });
  const own = readFileSync(join(folder, 'lock'), 'utf8');
  run.close();
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(other, 'spawn');
  // The lock as that process would have written it.
  const stat = existsSync('/proc/self/stat')
    ? readFileSync(`/proc/${other.pid}/stat`, 'utf8').split(') ')[1].split(' ')[19]
    : '';
  writeFileSync(join(folder, 'lock'), `${other.pid} ${stat}`.trim());
  refuses(() => openRun(folder, { resume: true }), new RegExp(`in use by the running process ${other.pid}`));
  other.kill('SIGKILL');
  await once(other, 'exit');
  const resumed = openRun(folder, { resume: true });
  assert.is(readFileSync(join(folder, 'lock'), 'utf8'), own);
  resumed.close();
});

test('a lock that is torn, or of an earlier process with the same number, holds nobody up', () => {
  for (const lock of ['', 'x', `${process.pid} 1`]) {
    writeFileSync(join(folder, 'lock'), lock);
    if (lock.includes(' ') && !existsSync('/proc/self/stat')) continue;
    openRun(folder).close();
  }
});

test('what the file system refuses is said in a sentence, and other errors pass', () => {
  const failing = (code: string) => () => {
    throw Object.assign(new Error(code), { code });
  };
  refuses(() => clearly('write a.txt', failing('ENOSPC')), /^cannot write a\.txt: the disk is full; /);
  refuses(() => clearly('write a.txt', failing('EROFS')), /^cannot write a\.txt: that disk is read-only; /);
  refuses(() => clearly('write a.txt', failing('EACCES')), /^cannot write a\.txt: you may not/);
  assert.throws(
    () => clearly('write a.txt', failing('EOTHER')),
    (error: Error) => !(error instanceof UserError),
  );
  writeFileSync(join(folder, 'file'), '');
  refuses(() => openRun(join(folder, 'file', 'run')), /cannot write to .*: a part of the path is a file/);
  if (existsSync('/dev/full'))
    refuses(() => appendMetrics('/dev/full', { step: 1, split: 'train' }), /the disk is full/);
});

test('a file is replaced as a whole, and nothing is left beside it', () => {
  const path = join(folder, 'deep/file');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      writeFileAtomic(path, text);
      assert.is(readFileSync(path, 'utf8'), text);
      assert.equal(readdirSync(join(folder, 'deep')), ['file']);
    }),
    { numRuns: 20 },
  );
});

test('a folder is replaced as a whole, and stays as it was when one of its files cannot be written', () => {
  const path = join(folder, 'model');
  writeFolderAtomic(path, { a: 'one', b: Uint8Array.of(1, 2) });
  writeFolderAtomic(path, { a: 'two' });
  assert.equal(readdirSync(path), ['a']);
  assert.throws(() => writeFolderAtomic(path, { a: 'three', 'no/such/folder': '' }));
  assert.is(readFileSync(join(path, 'a'), 'utf8'), 'two');
  assert.equal(readdirSync(folder), ['model']);
});

test('metrics are read as they were written, what is not finite as null', () => {
  const numbers = fc.record({ step: fc.nat(), loss: fc.double(), mlmLoss: fc.double(), rtdAuc: fc.double() });
  const path = join(folder, 'metrics.jsonl');
  fc.assert(
    fc.property(fc.array(numbers), (all) => {
      writeMetrics(path, []);
      for (const measured of all) appendMetrics(path, { ...measured, split: 'heldout' });
      const appended = readFileSync(path, 'utf8');
      const records = readMetrics(path);
      assert.is(records.length, all.length);
      records.forEach((record, i) => {
        for (const name of ['step', 'loss', 'mlmLoss', 'rtdAuc'] as const) {
          assert.equal(record[name], Number.isFinite(all[i][name]) ? all[i][name] + 0 : null);
        }
        assert.is(record.rtdRecall, null);
      });
      writeMetrics(path, records);
      assert.is(readFileSync(path, 'utf8'), appended);
    }),
    { numRuns: 30 },
  );
});

test('a last line that was only half written is not read', () => {
  const path = join(folder, 'metrics.jsonl');
  appendMetrics(path, { step: 1, split: 'train', loss: 2 });
  appendFileSync(path, '{"step":2,"spl');
  assert.equal(
    readMetrics(path).map(({ step }) => step),
    [1],
  );
});

test('arrays from the cache equal those that were computed, and are computed once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer()),
      fc.array(fc.float({ noNaN: true })),
      fc.uuid(),
      async (ids, weights, key) => {
        let times = 0;
        const compute = () => {
          times++;
          return {
            ids: Int32Array.from(ids),
            weights: Float32Array.from(weights),
            lengths: Uint16Array.of(ids.length),
          };
        };
        const first = await cached(folder, key, compute);
        assert.equal(await cached(folder, key, compute), first);
        assert.is(times, 1);
      },
    ),
    { numRuns: 30 },
  );
});

test('a cached file that is damaged, and a folder that cannot be written to, only cost the time', async () => {
  const compute = () => ({ ids: Int32Array.of(1, 2) });
  await cached(folder, 'key', compute);
  writeFileSync(join(folder, 'key.safetensors'), 'rubbish');
  assert.equal(await cached(folder, 'key', compute), compute());
  assert.equal(await cached(join(folder, 'key.safetensors', 'no'), 'key', compute), compute());
});

test('other options, other texts and other cuts between texts have other hashes', () => {
  const inputs = fc.tuple(fc.dictionary(fc.string(), fc.integer()), fc.array(fc.string()));
  fc.assert(
    fc.property(inputs, inputs, (a, b) => {
      assert.is(hashOf(...a) === hashOf(...b), JSON.stringify(a) === JSON.stringify(b));
      assert.is(hashOf(...a), hashOf(...a));
    }),
  );
  assert.is.not(hashOf({}, ['a', 'bc']), hashOf({}, ['ab', 'c']));
});

test.run();
