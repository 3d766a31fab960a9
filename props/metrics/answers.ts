/** Laws of the measures of answers: what the normalisation of the official script takes away, and what the scores ignore. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bestThreshold, exactMatch, normaliseAnswer, scoreAnswers, tokenF1 } from '../../lib/metrics/answers.ts';
import { near } from './near.ts';

const test = suite('answers');

const word = fc.constantFrom('a', 'the', 'Saint', 'Denis', 'U.S.', 'in', '1990', 'über', '—');
const answer = fc.array(word, { maxLength: 6 }).map((words) => words.join(' '));

test('by hand: case, ASCII punctuation, articles and spaces go, and nothing else', () => {
  assert.is(normaliseAnswer('  The U.S.\tArmy, an "army"\u00a0(a-b) '), 'us army army ab');
  // As in Python, a letter with a dot or dash of another script beside it is a word, and é belongs to it.
  assert.is(normaliseAnswer('Theatre à the—an été'), 'theatre à — été');
  assert.is(normaliseAnswer('A.'), '');
});

test('by hand: the words of 1990s music and of the music of 1990s are 2 of 2 and 2 of 3: F1 0.8', () => {
  near(tokenF1('1990s music', ['the music of 1990s']), 0.8);
  near(tokenF1('to be or not to be', ['to be']), 0.5);
  assert.is(tokenF1('blue', ['red', 'deep blue']), 2 / 3);
});

test('both scores ignore what normalisation ignores, and it does so once and for all', () => {
  fc.assert(
    fc.property(answer, answer, (predicted, gold) => {
      const loud = ` THE ${predicted.toUpperCase()}! `;
      assert.is(exactMatch(loud, [gold]), exactMatch(predicted, [gold]));
      assert.is(tokenF1(loud, [gold]), tokenF1(predicted, [gold]));
      assert.is(normaliseAnswer(normaliseAnswer(predicted)), normaliseAnswer(predicted));
    }),
  );
});

test('an exact match has F1 1, no answer scores beyond 0 to 1, and the order of words is free', () => {
  fc.assert(
    fc.property(answer, answer, (predicted, gold) => {
      const [exact, f1] = [exactMatch(predicted, [gold]), tokenF1(predicted, [gold])];
      assert.ok(exact <= f1 && f1 <= 1 && f1 >= 0);
      near(f1, tokenF1(predicted.split(' ').reverse().join(' '), [gold]));
      assert.is(exactMatch(gold, [gold]), 1);
    }),
  );
});

test('of several right answers the best counts', () => {
  fc.assert(
    fc.property(answer, fc.array(answer, { minLength: 1, maxLength: 4 }), (predicted, gold) => {
      const some = gold.filter((text) => normaliseAnswer(text) !== '');
      if (some.length === 0) return;
      near(tokenF1(predicted, gold), Math.max(...some.map((text) => tokenF1(predicted, [text]))));
      assert.is(exactMatch(predicted, gold), Math.max(...some.map((text) => exactMatch(predicted, [text]))));
    }),
  );
});

test('a question without an answer is answered by nothing, and by nothing alone', () => {
  for (const gold of [[], [''], ['the']]) {
    assert.equal([exactMatch('', gold), tokenF1('', gold)], [1, 1]);
    assert.equal([exactMatch('Paris', gold), tokenF1('Paris', gold)], [0, 0]);
  }
  assert.equal([exactMatch('', ['Paris']), tokenF1('', ['Paris'])], [0, 0]);
});

/** Questions with the best answer, how sure it is that there is none, and the right answers: as many columns. */
const judged = fc
  .array(fc.tuple(answer, fc.integer({ min: -3, max: 3 }), fc.array(answer, { maxLength: 2 })), { minLength: 1, maxLength: 12 })
  .map((rows) => [rows.map(([a]) => a), rows.map(([, b]) => b), rows.map(([, , c]) => c)] as const);

test('the scores of all questions are the means of those with and without an answer, by their number', () => {
  fc.assert(
    fc.property(judged, ([predicted, , gold]) => {
      const { all, hasAnswer, noAnswer } = scoreAnswers(predicted, gold);
      assert.is(all.count, gold.length);
      assert.is(noAnswer.count, gold.filter((answers) => answers.length === 0).length);
      for (const [name, score] of [['exact', exactMatch], ['f1', tokenF1]] as const) {
        near(all[name], gold.reduce((sum, answers, i) => sum + score(predicted[i], answers), 0) / gold.length);
        const parts = [hasAnswer, noAnswer].filter(({ count }) => count > 0);
        near(all[name], parts.reduce((sum, part) => sum + part[name] * part.count, 0) / all.count);
      }
    }),
  );
  assert.throws(() => scoreAnswers(['a'], []), /scoreAnswers: expected a prediction for each of 0; got 1/);
});

test('no threshold is better than the best one, which reaches what it says', () => {
  fc.assert(
    fc.property(judged, ([predicted, missing, gold]) => {
      for (const score of [exactMatch, tokenF1]) {
        const at = (threshold: number) =>
          gold.reduce((sum, answers, i) => sum + score(missing[i] > threshold ? '' : predicted[i], answers), 0) / gold.length;
        const best = bestThreshold(predicted, missing, gold, score);
        near(at(best.threshold), best.score);
        for (const threshold of [-Infinity, ...missing]) assert.ok(at(threshold) <= best.score + 1e-12);
      }
    }),
  );
});

test.run();
