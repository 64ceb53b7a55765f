import { parseArgs } from 'node:util';
import { busAddressProblem } from '../dbus/address.js';
import { DEFAULT_CONFIG_FILE } from '../config/load.js';
import { EXIT, FatalError } from '../errors.js';
import { rootProblem } from '../host/sysfs.js';
import { optionProblem } from '../text/nearest.js';

export const HELP = `Usage: samepaged [OPTION]...
Tunes KSM (kernel samepage merging) as guests come and go, instead of ksmtuned.

  --config FILE      read FILE and FILE.d/*.conf (${DEFAULT_CONFIG_FILE})
  --print-config     show every effective value and where it came from, and end
  --dry-run          decide and say what would be set, but write nothing
  --watch-config     read the configuration again when a file of it changes
  --stand-by         while another program tunes KSM, wait for its end instead of refusing to start (for containers)
  --give-back        restore the host's settings after a samepaged that was killed (KSM_ON_EXIT), and end
  --replay FILE      simulate what the configuration would have done with a recorded history, and compare
  --policy NAME      with --replay: instead of KSM_POLICY
  --bus BUS          system, session or a D-Bus address (system)
  --libvirt OBJECT   the libvirt-dbus object to watch (/org/libvirt/QEMU); none: find guests in /proc
  --root DIR         take /proc and /sys from DIR, and write there
  --version, --help  print it and end

SIGUSR1 retunes now, SIGHUP reads the configuration again, SIGTERM and SIGINT restore the host's settings and end.
`;

const OPTIONS = {
  config: { type: 'string', default: DEFAULT_CONFIG_FILE },
  'print-config': { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  'watch-config': { type: 'boolean', default: false },
  'stand-by': { type: 'boolean', default: false },
  'give-back': { type: 'boolean', default: false },
  replay: { type: 'string' },
  policy: { type: 'string' },
  bus: { type: 'string', default: 'system' },
  libvirt: { type: 'string', default: '/org/libvirt/QEMU' },
  root: { type: 'string' },
  version: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** The options of samepaged, as they were given. @throws FatalError, of one line. */
export function parseCommandLine() {
  const values = parsed();
  // An empty value is a variable of a script that was not set.
  const empty = Object.entries(values).find(([, value]) => value === '');
  if (empty !== undefined) throw new FatalError(`--${empty[0]} is empty; see samepaged --help`, EXIT.usage);
  const problem =
    busAddressProblem(values.bus) ??
    (values.root === undefined ? undefined : rootProblem(values.root)) ??
    (values.policy !== undefined && values.replay === undefined
      ? '--policy needs --replay: only there is it an option'
      : undefined);
  if (problem !== undefined) throw new FatalError(problem, EXIT.usage);
  return values;
}

function parsed() {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: false }).values;
  } catch (error) {
    throw new FatalError(optionProblem(error, Object.keys(OPTIONS), 'see samepaged --help'), EXIT.usage);
  }
}
