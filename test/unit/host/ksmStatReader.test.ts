import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Overdue } from '../../../src/host/inTime.js';
import { KsmStatReader, ksmStatReader } from '../../../src/host/ksmStatReader.js';
import { removeScratch, scratchDirectory } from '../../support/scratch.js';

let directory: string;
before(async () => {
  directory = await scratchDirectory('pipes');
});
after(() => removeScratch(directory));

/** A reader whose other end the test plays. */
function pipes(name: string) {
  const [ask, answer] = ['ask', 'answer'].map((end) => {
    const path = join(directory, `${name}.${end}`);
    execFileSync('mkfifo', [path]);
    return openSync(path, constants.O_RDWR);
  }) as [number, number];
  const reader = new KsmStatReader(
    openSync(join(directory, `${name}.ask`), constants.O_WRONLY),
    openSync(join(directory, `${name}.answer`), constants.O_RDONLY),
  );
  const question = () => {
    const bytes = Buffer.alloc(100);
    return bytes.toString('latin1', 0, readSync(ask, bytes));
  };
  return { reader, question, reply: (text: string) => writeSync(answer, text) };
}

test('an answer of the ksm_stat reader that comes in pieces is one', async () => {
  const { reader, question, reply } = pipes('pieces');
  const answer = reader.read(7, 'ksm_stat');
  await sleep(1);
  assert.equal(question(), '7 ksm_stat\n');
  for (const piece of ['ksm_rmap_items 1', '\nksm_', 'merging_pages 3\n', '.', '\n']) {
    reply(piece);
    await sleep(5);
  }
  assert.equal(await answer, 'ksm_rmap_items 1\nksm_merging_pages 3\n');
});

test('a ksm_stat reader that does not answer is overdue; a late answer is no other question’s', async () => {
  const { reader, question, reply } = pipes('late');
  await assert.rejects(reader.read(1, 'ksm_stat'), Overdue);
  await assert.rejects(reader.read(2, 'ksm_stat'), /still does not answer/);
  assert.equal(question(), '1 ksm_stat\n');
  reply('one\n.\n');
  await sleep(20);
  const third = reader.read(3, 'ksm_stat');
  await sleep(1);
  assert.equal(question(), '3 ksm_stat\n');
  reply('three\n.\n');
  assert.equal(await third, 'three\n');
});

test('there is no ksm_stat reader unless the service has started it', () => {
  for (const SAMEPAGED_KSM_STAT of ['', '8', '8,9', 'a b', '-1 2']) {
    assert.equal(ksmStatReader({ SAMEPAGED_KSM_STAT }), undefined);
  }
  assert.equal(ksmStatReader({}), undefined);
});
