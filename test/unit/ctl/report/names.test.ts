import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withoutNames } from '../../../../src/ctl/report/names.js';

describe("a report without guests' names", () => {
  for (const { name, text, names, expected } of [
    {
      name: 'numbers them in the order given',
      text: 'db waits for web',
      names: ['web', 'db'],
      expected: 'guest-2 waits for guest-1',
    },
    { name: 'gives one name one number', text: 'web, web', names: ['web', 'web'], expected: 'guest-1, guest-1' },
    {
      name: 'keeps words that a name is a part of',
      text: 'webserver, cobweb, web.conf',
      names: ['web'],
      expected: 'webserver, cobweb, web.conf',
    },
    {
      name: 'takes the longer of two names',
      text: 'web-2 and web',
      names: ['web', 'web-2'],
      expected: 'guest-2 and guest-1',
    },
    {
      name: 'takes characters of regular expressions as they are',
      text: 'a+b (1) aab',
      names: ['a+b (1)', 'a.b'],
      expected: 'guest-1 aab',
    },
    {
      name: 'knows letters of any script',
      text: '数据库 1, Straße',
      names: ['数据库', 'Straße'],
      expected: 'guest-1 1, guest-2',
    },
    {
      name: 'sees a name in quotes and with a colon',
      text: '"web": web: (web)',
      names: ['web'],
      expected: '"guest-1": guest-1: (guest-1)',
    },
    { name: 'is the text where no guest is known', text: 'web', names: [''], expected: 'web' },
  ]) {
    test(`a report without guests' names ${name}`, () => {
      assert.equal(withoutNames(text, names), expected);
    });
  }
});
