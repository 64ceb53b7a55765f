import { EXIT } from '../errors.js';
import { withDaemon } from '../api/withDaemon.js';
import { retuneLines, toJson } from './command.js';
import type { ReloadReply } from '../api/replies.js';
import { fold } from '../text/terminal.js';
import type { Verb } from './verb.js';

export const reload: Verb = {
  summary: 'read the configuration again',
  details:
    'Does what SIGHUP does. A configuration with errors changes nothing: each error is shown with its file and line, and the exit ' +
    `status is ${EXIT.config}.`,
  options: ['bus', 'json'],
  examples: [{ command: 'samepagectl reload', does: 'put an edited /etc/ksmtuned.conf in force' }],
  async run({ bus, json, terminal }) {
    const reply = await withDaemon(bus, (daemon) => daemon.reload());
    return {
      status: reply.taken ? EXIT.ok : EXIT.config,
      output: json ? toJson(reply) : fold(reloadLines(reply), terminal),
    };
  },
};

function reloadLines({ taken, problems, retune }: ReloadReply): readonly string[] {
  if (!taken) return [...problems, 'The configuration is not used: the previous one stays in force.'];
  const outcome = retune === undefined ? [] : retuneLines(retune);
  return ['The configuration is in force.', ...problems.map((problem) => `warning: ${problem}`), ...outcome];
}
