import { GuestUsers } from '../host/guestUsers.js';
import type { Root } from '../host/sysfs.js';
import { KEYS } from './keys.js';
import { ConfigError, DEFAULT_CONFIG_FILE, loadConfig } from './load.js';

/** Whose guests count on a host, for a command: as its configuration says, or as usual where that has errors. */
export function configuredGuestUsers(root: Root, file = `${root}${DEFAULT_CONFIG_FILE}`): GuestUsers {
  const names = guestUsersIn(file);
  return new GuestUsers(root, () => names);
}

function guestUsersIn(file: string): string {
  try {
    return loadConfig(file, false).values.KSM_GUEST_USERS;
  } catch (error) {
    if (error instanceof ConfigError) return KEYS.KSM_GUEST_USERS.fallback;
    throw error;
  }
}
