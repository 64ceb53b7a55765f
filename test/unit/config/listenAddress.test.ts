import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseListenAddress } from '../../../src/config/listenAddress.js';

const LONGEST = `/${'a'.repeat(106)}`;

describe('where to listen', () => {
  for (const [text, address] of [
    ['127.0.0.1:9870', { host: '127.0.0.1', port: 9870 }],
    ['0.0.0.0:1', { host: '0.0.0.0', port: 1 }],
    ['[::1]:65535', { host: '::1', port: 65535 }],
    ['unix:/run/samepaged/metrics', { path: '/run/samepaged/metrics' }],
    [`unix:${LONGEST}`, { path: LONGEST }],
  ] as const) {
    test(`${text.slice(0, 40)} is an address to listen on`, () => {
      assert.deepEqual(parseListenAddress(text), address);
    });
  }

  for (const text of [
    '9870',
    ':9870',
    '127.0.0.1',
    '127.0.0.1:0',
    '127.0.0.1:65536',
    '127.0.0.1:http',
    '127.0.0.256:9870',
    '::1:9870',
    '[127.0.0.1]:9870',
    'localhost:9870',
    'unix:',
    'unix:metrics',
    `unix:${LONGEST}a`,
    '/run/samepaged/metrics',
  ]) {
    test(`${text.slice(0, 40)} is no address to listen on`, () => {
      assert.equal(parseListenAddress(text), undefined);
    });
  }
});
