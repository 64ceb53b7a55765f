import { HELP, parseCommandLine } from './commandLine.js';
import { type Config, formatConfig } from '../config/load.js';
import { loadConfigInTime } from '../config/loadInTime.js';
import { giveBackForTheDead } from './giveBack.js';
import type { Root } from '../host/sysfs.js';
import { clean, cleanOutput } from '../text/clean.js';
import { VERSION } from '../version.js';

export interface Setup {
  readonly config: Config;
  readonly configFile: string;
  readonly root: Root;
  readonly busAddress: string;
  readonly libvirtObject: string | undefined;
  readonly dryRunAsked: boolean;
  readonly watchesConfig: boolean;
  readonly standsBy: boolean;
}

/** What the command line and the configuration say, or undefined when there was only something to print. */
export async function setUp(): Promise<Setup | undefined> {
  const values = parseCommandLine();
  if (values.help) {
    process.stdout.write(HELP);
    return undefined;
  }
  if (values.version) {
    process.stdout.write(`samepaged ${VERSION}\n`);
    return undefined;
  }
  if (values.replay !== undefined) {
    // A daemon needs none of it.
    const { runReplay } = await import('../replay/main.js');
    runReplay({ path: values.replay, configFile: values.config, policy: values.policy });
    return undefined;
  }
  const root = (values.root ?? '').replace(/\/+$/, '');
  if (values['give-back']) {
    await giveBackForTheDead({ root, configFile: values.config });
    return undefined;
  }
  const config = await loadConfigInTime(values.config);
  if (values['print-config']) {
    for (const warning of config.warnings) process.stderr.write(`${clean(warning)}\n`);
    process.stdout.write(`${cleanOutput(formatConfig(config))}\n`);
    return undefined;
  }
  return {
    config,
    configFile: values.config,
    root,
    busAddress: values.bus,
    libvirtObject: values.libvirt === 'none' ? undefined : values.libvirt,
    dryRunAsked: values['dry-run'],
    watchesConfig: values['watch-config'],
    standsBy: values['stand-by'],
  };
}
