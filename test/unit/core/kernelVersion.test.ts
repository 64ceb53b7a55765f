import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseKernelVersion } from '../../../src/core/kernelVersion.js';

describe('a release as hosts have it', () => {
  for (const [release, version] of Object.entries({
    '6.10.0': [6, 10],
    '6.17.0-1022-azure': [6, 17],
    '7.0.0-1012-azure': [7, 0],
    '6.6.87.2-microsoft-standard-WSL2': [6, 6],
    '6.12.117+deb13-amd64': [6, 12],
    garbage: undefined,
    '': undefined,
    '6': undefined,
  })) {
    test(`the kernel release "${release}" is ${version === undefined ? 'of an unknown version' : `version ${version.join('.')}`}`, () => {
      const parsed = parseKernelVersion(release);
      assert.deepEqual(parsed === undefined ? undefined : [parsed.major, parsed.minor], version);
    });
  }
});
