/** systemd hands sockets over from this descriptor on (SD_LISTEN_FDS_START). */
const FIRST_DESCRIPTOR = 3;
const MOST_SOCKETS = 16;

/**
 * The descriptors of the sockets that the service manager opened for this process, as sd_listen_fds(3) has it. They already
 * listen: no permission for networks is needed to serve them.
 */
export function inheritedSockets({ LISTEN_PID, LISTEN_FDS = '' }: NodeJS.ProcessEnv): readonly number[] {
  if (LISTEN_PID !== String(process.pid) || !/^\d{1,2}$/.test(LISTEN_FDS)) return [];
  const count = Math.min(Number(LISTEN_FDS), MOST_SOCKETS);
  return Array.from({ length: count }, (_, index) => FIRST_DESCRIPTOR + index);
}
