import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { KEYS } from '../../../src/config/keys.js';
import { didYouMean, nearest } from '../../../src/text/nearest.js';

describe('nearest', () => {
  const keys = Object.keys(KEYS);
  const rows: { word: string; candidates: readonly string[]; found: string | undefined }[] = [
    { word: 'KSM_NPAGES_MAX', candidates: keys, found: 'KSM_NPAGES_MAX' },
    { word: 'KSM_NPAGES_MAXX', candidates: keys, found: 'KSM_NPAGES_MAX' },
    { word: 'KSM_SLEEP_MS', candidates: keys, found: 'KSM_SLEEP_MSEC' },
    { word: 'ksm_thres_coef', candidates: keys, found: 'KSM_THRES_COEF' },
    { word: 'KSM_TRESH_COEF', candidates: keys, found: 'KSM_THRES_COEF' },
    { word: 'LOG_FILE', candidates: keys, found: 'LOGFILE' },
    { word: 'DEBGU', candidates: ['DEBUG'], found: 'DEBUG' },
    { word: 'puase', candidates: ['pause', 'policy'], found: 'pause' },
    { word: 'uapse', candidates: ['pause', 'policy'], found: undefined },
    { word: 'DEBU', candidates: ['DEBUG'], found: 'DEBUG' },
    { word: 'stauts', candidates: ['status', 'retune'], found: 'status' },
    { word: 'SOMETHING_ELSE', candidates: keys, found: undefined },
    { word: 'x', candidates: ['status', 'retune'], found: undefined },
    { word: '', candidates: keys, found: undefined },
    { word: 'anything', candidates: [], found: undefined },
    { word: 'ab', candidates: ['abc', 'abd'], found: 'abc' },
  ];
  for (const { word, candidates, found } of rows) {
    test(`the word "${word}" is meant to be ${found ?? 'nothing'}`, () => {
      assert.equal(nearest(word, candidates), found);
    });
  }

  test('the nearest candidate is the word itself when it is there', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), fc.nat(), (candidates, index) => {
        const word = candidates[index % candidates.length] ?? '';
        assert.equal(nearest(word, candidates)?.toLowerCase(), word.toLowerCase());
      }),
    );
  });

  test('the nearest candidate is never further than a third of the word, or one letter, in length', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (word, candidates) => {
        const found = nearest(word, candidates);
        if (found === undefined) return;
        assert.ok(candidates.includes(found));
        const limit = Math.max(1, Math.floor(word.length / 3));
        assert.ok(Math.abs(found.toLowerCase().length - word.toLowerCase().length) <= limit, found);
      }),
    );
  });
});

test('what is said after a word that is not known names the nearest', () => {
  const verbs = ['pause', 'policy'];
  assert.equal(didYouMean('puase', verbs, 'see help'), '; did you mean pause?');
  assert.equal(didYouMean('dance', verbs, 'see help'), '; see help');
  assert.equal(didYouMean('dance', verbs), '');
});
