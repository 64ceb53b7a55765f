import type { Cockpit } from './cockpit.js';

/** Cockpit's own library, which the page loads before this bundle. */
export const cockpit = (globalThis as unknown as { readonly cockpit: Cockpit }).cockpit;
