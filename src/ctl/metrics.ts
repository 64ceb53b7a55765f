import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { withDaemon } from '../api/withDaemon.js';
import { NotRunning } from '../api/notRunning.js';
import type { BusAddress } from '../dbus/address.js';
import { EXIT, errnoOf, messageOf } from '../errors.js';
import { familiesOfNone } from '../metrics/families.js';
import { replaceFile } from '../state/replaceFile.js';
import { type Verb } from './verb.js';

export const metrics: Verb = {
  summary: 'the metrics that Prometheus reads, as text',
  details:
    'Prints what samepaged-metrics.socket and KSM_METRICS_LISTEN serve. --output is for the textfile collector of ' +
    'node_exporter: FILE is replaced as a whole, and has samepaged_up 0 while samepaged does not run. ' +
    'samepaged-textfile.timer, once enabled, writes it twice a minute.',
  options: ['bus', 'output'],
  examples: [
    { command: 'samepagectl metrics', does: 'print the metrics' },
    {
      command: 'samepagectl metrics --output /var/lib/prometheus/node-exporter/samepaged.prom',
      does: 'for node_exporter',
    },
  ],
  async run({ bus, output }) {
    const { page, problem } = await pageOver(bus);
    if (output !== '') await replace(output, page);
    if (problem !== undefined) throw problem;
    return { status: EXIT.ok, output: output === '' ? page.trimEnd() : '' };
  },
};

interface Page {
  readonly page: string;
  /** Why it is not the running samepaged's. */
  readonly problem?: NotRunning;
}

async function pageOver(bus: BusAddress): Promise<Page> {
  try {
    return { page: await withDaemon(bus, (daemon) => daemon.metrics()) };
  } catch (error) {
    if (!(error instanceof NotRunning)) throw error;
    const { pageOf } = await import('../metrics/page.js');
    return { page: await pageOf(familiesOfNone()), problem: error };
  }
}

/** @throws Error in one line. */
async function replace(file: string, page: string): Promise<void> {
  try {
    // A directory that is not there is a typing error more often than a wish.
    statSync(dirname(file));
    await replaceFile(file, page);
  } catch (error) {
    throw new Error(`${file} cannot be written (${errnoOf(error) ?? messageOf(error)})`, { cause: error });
  }
}
