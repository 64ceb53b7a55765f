/** The result of a burst. */
export interface BurstState {
  /** Passes bring nothing more. */
  readonly isOver: boolean;
  /** How far merging is, in a few words. */
  readonly stage: string | undefined;
  /** What is saved by now, in bytes. */
  readonly savedBytes: number;
  /** What splits of huge pages gave back since somebody watches, which no counter of KSM shows, in bytes. */
  readonly freedBytes: number;
  /** The same by guest's name. */
  readonly freedByGuest: ReadonlyMap<string, number>;
}

/** One burst at the CPU budget, done by whoever tunes KSM here. Its end gives the host back. */
export interface Burst extends AsyncDisposable {
  /** ksmd runs, for so long at most, in milliseconds. */
  begin(longestMillis: number): Promise<void>;
  /** @throws EndedByOthers */
  read(): Promise<BurstState>;
  /** ksmd rests; what is shared stays shared. */
  rest(): Promise<void>;
  /** Everything is unmerged at once (run=2). @throws Error where it may not fit into memory. */
  unmerge(): Promise<void>;
}

/** Merging is somebody else's again: there is nothing to give back. */
export class EndedByOthers extends Error {}
