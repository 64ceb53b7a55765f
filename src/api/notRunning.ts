/** The daemon is not there to be asked, and why. */
export class NotRunning extends Error {}
