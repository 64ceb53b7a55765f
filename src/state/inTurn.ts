import { diskInTurn } from '../host/diskInTurn.js';

/** Writes to the state directory. */
export const inTurn = diskInTurn();
