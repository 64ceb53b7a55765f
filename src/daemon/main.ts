#!/usr/bin/env node
import type { SignalListener } from './daemon.js';

// INVARIANTS: this module imports nothing but types, so that its handlers are set before anything else is loaded. Until then
// SIGHUP ends the process, and SIGUSR1 makes Node open its debugger, in which every local user can run code.

const early: NodeJS.Signals[] = [];
let take: SignalListener = (name) => early.push(name);
for (const name of ['SIGUSR1', 'SIGHUP', 'SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    take(name);
  });
}
closeDebugger();
const { runSamepaged } = await import('./daemon.js');
// The thread that opens it on a signal of before may have been late; since Node 22 it opens at a turn of the event loop.
await new Promise((resolve) => setImmediate(resolve));
closeDebugger();
await runSamepaged((listener) => {
  for (const name of early) listener(name);
  take = listener;
});

/** Also closes one that was asked for with --inspect. A Node that was built without a debugger has no such module. */
function closeDebugger(): void {
  const inspector = process.getBuiltinModule('inspector' as string) as { close(): void } | undefined;
  inspector?.close();
}
