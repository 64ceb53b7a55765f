import { EXIT } from '../../errors.js';
import { withDaemon } from '../../api/withDaemon.js';
import { toJson } from '../command.js';
import { explainScreen } from './screen.js';
import type { Verb } from '../verb.js';

export const explain: Verb = {
  summary: 'the last decision, step by step with its numbers',
  details:
    'Shows the last decision step by step: every number and its source, the comparisons, what would change the decision, ' +
    'and what each configuration key that took part does.',
  options: ['bus', 'json'],
  examples: [
    { command: 'samepagectl explain', does: 'the last decision' },
    { command: 'samepagectl retune && samepagectl explain', does: 'retune now, and explain the decision' },
  ],
  async run({ bus, json, terminal }) {
    const reply = await withDaemon(bus, (daemon) => daemon.explain());
    return { status: EXIT.ok, output: json ? toJson(reply) : explainScreen(reply, terminal) };
  },
};
