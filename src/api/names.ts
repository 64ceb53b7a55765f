export const BUS_NAME = 'org.samepaged1';

export const OBJECT_PATH = '/org/samepaged1';

export const MANAGER_INTERFACE = 'org.samepaged1.Manager';

/** The error of an Unmerge that may not fit into memory. */
export const REFUSED = 'org.samepaged1.Error.Refused';

/** KsmdCpuPercent when that is not known. */
export const UNKNOWN_PERCENT = -1;

export const INVALID_ARGS = 'org.freedesktop.DBus.Error.InvalidArgs';

/** SetPolicy takes it for the policy that the configuration names. */
export const DEFAULT_POLICY = 'default';
