import { release } from 'node:os';
import { POLICY_NAMES } from '../config/keys.js';
import { EXIT } from '../errors.js';
import { IS_BUNDLED, VERSION } from '../version.js';
import { withDaemon } from '../api/withDaemon.js';
import { NotRunning } from '../api/notRunning.js';
import { toJson } from './command.js';
import { fold } from '../text/terminal.js';
import type { Verb } from './verb.js';

/** What a bug report needs to know of this build. */
const BUILD = { bundled: IS_BUNDLED, node: process.version, kernel: release(), policies: POLICY_NAMES };

export const version: Verb = {
  summary: 'the versions of this command and the daemon',
  options: ['bus', 'json'],
  examples: [{ command: 'samepagectl version', does: 'after an upgrade: whether the daemon was restarted' }],
  async run({ bus, json, terminal }) {
    const found = await withDaemon(bus, (daemon) => daemon.version()).catch((error: unknown) => {
      if (error instanceof NotRunning) return error;
      throw error;
    });
    const running = found instanceof NotRunning ? null : found;
    const differ = running !== null && running !== VERSION;
    if (json) return { status: EXIT.ok, output: toJson({ command: VERSION, daemon: running, differ, ...BUILD }) };
    const lines = [
      `samepagectl ${VERSION}`,
      found instanceof NotRunning ? found.message : `samepaged ${found}`,
      ...(differ ? ['They differ. To run what is installed: systemctl restart samepaged'] : []),
    ];
    return { status: EXIT.ok, output: fold(lines, terminal) };
  },
};
