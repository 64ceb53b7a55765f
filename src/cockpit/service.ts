import { cockpit } from './host.js';
import type { BusClient } from './cockpit.js';
import { unpacked } from './model/unpack.js';

/** samepaged.service as systemd has it. */
export interface ServiceState {
  /** Whether there is a unit of that name. */
  readonly isInstalled: boolean;
  /** Whether systemd found the kernel's KSM when somebody last had it start the unit. */
  readonly hasKsm: boolean;
  readonly activeState: string;
  /** Why it ended the last time: success, exit-code ... */
  readonly result: string;
  /** The exit status of the last run. */
  readonly status: number;
}

const UNIT = 'samepaged.service';
const SYSTEMD = 'org.freedesktop.systemd1';
const MANAGER = ['/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager'] as const;
const PROPERTIES = 'org.freedesktop.DBus.Properties';

/** @throws BusError */
export async function serviceState(): Promise<ServiceState> {
  return withSystemd(async (systemd) => {
    const [unit] = await systemd.call(...MANAGER, 'LoadUnit', [UNIT], { type: 's' });
    const of = async (iface: string): Promise<Record<string, unknown>> => {
      const [all] = await systemd.call(String(unit), PROPERTIES, 'GetAll', [`org.freedesktop.systemd1.${iface}`]);
      return unpacked(all) as Record<string, unknown>;
    };
    const [general, service] = [await of('Unit'), await of('Service')];
    return {
      isInstalled: general['loadState'] === 'loaded',
      // The unit has one condition: /sys/kernel/mm/ksm can be written.
      hasKsm: general['conditionResult'] === true || general['conditionTimestamp'] === 0,
      activeState: String(general['activeState']),
      result: String(service['result']),
      status: Number(service['execMainStatus']),
    };
  });
}

/** Starts the service, and has it started at every boot where that is asked for. @throws BusError */
export async function startService(atBoot: boolean): Promise<void> {
  await withSystemd(async (systemd) => {
    if (atBoot) await systemd.call(...MANAGER, 'EnableUnitFiles', [[UNIT], false, false], { type: 'asbb' });
    // systemd does not keep a unit in memory that is stopped and that nothing wants: then nothing has failed either.
    await systemd.call(...MANAGER, 'ResetFailedUnit', [UNIT], { type: 's' }).catch(() => undefined);
    await systemd.call(...MANAGER, 'StartUnit', [UNIT, 'replace'], { type: 'ss' });
  }, 'require');
}

async function withSystemd<T>(
  work: (systemd: BusClient) => Promise<T>,
  superuser: 'try' | 'require' = 'try',
): Promise<T> {
  const systemd = cockpit.dbus(SYSTEMD, { bus: 'system', superuser });
  try {
    return await work(systemd);
  } finally {
    systemd.close();
  }
}
