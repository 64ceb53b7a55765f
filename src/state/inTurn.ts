import { writesInTurn } from '../host/writesInTurn.js';

/** Does the writes of the state directory. */
export const inTurn = writesInTurn();
