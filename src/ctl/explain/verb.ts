import { EXIT } from '../../errors.js';
import { withDaemon } from '../../api/withDaemon.js';
import { toJson } from '../command.js';
import { explainScreen } from './screen.js';
import type { Verb } from '../verb.js';

export const explain: Verb = {
  summary: 'the last decision worked out with its numbers',
  details:
    'Works the last decision through: every number and where it came from, the comparisons, what would change the ' +
    'decision, and what each key of the configuration in play does.',
  options: ['bus', 'json'],
  examples: [
    { command: 'samepagectl explain', does: 'the last decision' },
    { command: 'samepagectl retune && samepagectl explain', does: 'look now, and explain what came of it' },
  ],
  async run({ bus, json, terminal }) {
    const reply = await withDaemon(bus, (daemon) => daemon.explain());
    return { status: EXIT.ok, output: json ? toJson(reply) : explainScreen(reply, terminal) };
  },
};
