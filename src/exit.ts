/** Exit statuses, as in sysexits.h(3) where one fits. */
export const EXIT = {
  ok: 0,
  /** EX_USAGE: the command line. */
  usage: 64,
  /** EX_UNAVAILABLE: this kernel has no KSM. */
  unavailable: 69,
  /** EX_SOFTWARE: a fault of ours. */
  software: 70,
  /** EX_IOERR: stdout cannot be written. */
  ioError: 74,
  /** EX_TEMPFAIL: another tuner is running. */
  tempFail: 75,
  /** EX_CONFIG: the configuration has errors. */
  config: 78,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];
