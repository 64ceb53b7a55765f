import type { GuestEvent } from './guest.js';

/** Why a retune happens. */
export type Trigger =
  | { readonly kind: 'start' | 'timer' | 'reload' }
  /** `by` is who asked: a signal's name or a caller on the bus. */
  | { readonly kind: 'manual'; readonly by: string }
  | { readonly kind: 'guest'; readonly event: GuestEvent }
  /** A second retune some seconds after a guest started: a starting guest has no memory yet. */
  | { readonly kind: 'recheck'; readonly name: string };

/** A trigger in a few words. */
export function describeTrigger(trigger: Trigger): string {
  switch (trigger.kind) {
    case 'manual':
      return `asked for by ${trigger.by}`;
    case 'guest':
      return `guest ${trigger.event.name} ${trigger.event.change}`;
    case 'recheck':
      return `recheck of guest ${trigger.name}`;
    default:
      return trigger.kind;
  }
}
