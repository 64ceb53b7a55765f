import type { DaemonProperties } from '../../api/replies.js';
import type { Reason } from '../../core/decision.js';
import { stageOf } from '../../api/stage.js';
import { _, filled } from '../text.js';
import { duration, moment, percent, size } from './format.js';

/** What the page says first. */
export interface Answer {
  readonly title: string;
  readonly tone: 'merging' | 'resting' | 'held' | 'failed';
  /** The daemon's own sentence, which is English. */
  readonly sentence: string | undefined;
  /** Where a burst is, and when a hold ends. */
  readonly notes: readonly string[];
}

/** A figure with what it means, and whether it is to be minded. */
export interface Figure {
  readonly label: string;
  readonly value: string;
  readonly detail: string;
  readonly warning?: { readonly text: string; readonly colour: 'orange' | 'red' };
}

export function answerOf(properties: DaemonProperties, nowMillis: number): Answer {
  const { run, hold, lastRetune } = properties;
  const { failure, sentence, reason } = lastRetune;
  const title =
    run === 1 ? _('Memory is being merged') : run === 2 ? _('Everything is unmerged') : _('Memory is not being merged');
  const notes = [
    ...(hold === '' && reason !== undefined && reason in REASONS() ? [REASONS()[reason as Reason]] : []),
    ...stageNotes(properties),
    ...holdNotes(properties, nowMillis),
  ];
  if (failure !== undefined)
    return { title: _('The last retune failed'), tone: 'failed', sentence: failure, notes: [] };
  const tone = hold !== '' ? 'held' : run === 1 ? 'merging' : 'resting';
  return { title, tone, sentence, notes };
}

/** The reason of a decision in the user's language; the daemon's sentence has the numbers. */
function REASONS(): Readonly<Record<Reason, string>> {
  return {
    'enough-memory': _('There is enough memory.'),
    'free-below-reserve': _('Less than the reserve is free: ksmd merges, faster than before.'),
    'free-at-reserve': _('No more than the reserve is free: ksmd merges, slower than before.'),
    'committed-above-total': _(
      'Guests and the reserve do not fit, but the reserve is still free: ksmd merges, slower than before.',
    ),
    always: _('There is enough memory, but with KSM_WHEN=always ksmd merges anyway.'),
    'guests-settling': _('New guests fill their memory or keep the CPUs busy: merging waits.'),
    burst: _('There may be something to gain: ksmd scans all memory.'),
    probe: _('ksmd scans a little memory to see whether anything has changed.'),
    'nothing-to-gain': _('The last passes gained nothing: ksmd rests.'),
    'costs-more-than-it-saves': _('Merging would cost more memory than it saves: ksmd rests.'),
    advised: _("The kernel's advisor sets ksmd's pace."),
    paused: _('An administrator paused merging.'),
    stopped: _('An administrator stopped merging.'),
    unmerged: _('An administrator unmerged everything.'),
    estimating: _('An administrator asked for an estimate.'),
  };
}

function stageNotes({ lastRetune }: DaemonProperties): readonly string[] {
  const stage = stageOf(lastRetune);
  switch (stage?.name) {
    case undefined:
      return [];
    case 'waiting':
      return stage.endInMillis === undefined
        ? [_('Burst: waiting for guests.')]
        : [filled(_('Burst: waiting for guests, about $0 at most.'), duration(stage.endInMillis))];
    case 'first-pass':
      return stage.firstSavingsInMillis === undefined
        ? [_('Burst: first pass.')]
        : [filled(_('Burst: first pass; the first pages merge in about $0.'), duration(stage.firstSavingsInMillis))];
    case 'merging':
      return stage.endInMillis === undefined
        ? [_('Burst: merging.')]
        : [filled(_('Burst: merging; this pass ends in about $0.'), duration(stage.endInMillis))];
    case 'done':
      return [_('Burst: done.')];
  }
}

function holdNotes({ hold, holdUntilUSec }: DaemonProperties, nowMillis: number): readonly string[] {
  const named: Readonly<Record<string, string>> = {
    paused: _('Paused by hand.'),
    stopped: _('Stopped by hand: shared pages stay shared.'),
    unmerged: _('Unmerged by hand.'),
    estimating: _('An estimate is running.'),
  };
  if (hold === '') return [];
  const end =
    holdUntilUSec === 0
      ? _('This holds until somebody resumes.')
      : filled(_('This holds until $0, or until somebody resumes.'), moment(holdUntilUSec / 1000, nowMillis));
  return [named[hold] ?? hold, end];
}

/** Of available memory: with less than this part left after unmerging, samepaged refuses to unmerge. */
export const UNMERGE_MARGIN = 0.1;

export function figuresOf(properties: DaemonProperties): readonly Figure[] {
  return [saved(properties), cost(properties), headroom(properties)];
}

function saved({
  savedBytes,
  sharedBytes,
  zeroBytes,
  freedBytes,
  beingFreedBytes,
  guestMemoryBytes,
}: DaemonProperties): Figure {
  const share = (savedBytes / guestMemoryBytes) * 100;
  const parts = [
    ...(share > 0 && share <= 100 ? [filled(_("$0 of the guests' $1"), percent(share), size(guestMemoryBytes))] : []),
    ...(zeroBytes > 0 ? [filled(_('$0 of empty pages'), size(zeroBytes))] : []),
    ...(freedBytes > 0 ? [filled(_('$0 freed by splitting huge pages'), size(freedBytes))] : []),
    ...(beingFreedBytes > 0 ? [filled(_('$0 of stopped guests is still being freed'), size(beingFreedBytes))] : []),
  ];
  const isAllShared = sharedBytes === savedBytes && parts.length === 0;
  return {
    label: _('Saved'),
    value: size(savedBytes),
    detail: isAllShared ? (savedBytes === 0 ? _('nothing is shared') : '') : parts.join('; '),
  };
}

function cost({ ksmdCpuPercent, bookkeepingBytes, profitBytes }: DaemonProperties): Figure {
  return {
    label: _('Cost'),
    value: ksmdCpuPercent === null ? _('unknown') : filled(_('$0 of a core'), percent(ksmdCpuPercent)),
    detail: filled(_('bookkeeping $0, profit $1'), size(bookkeepingBytes), size(profitBytes)),
    ...(profitBytes < 0 ? { warning: { text: _('more than it saves'), colour: 'orange' } } : {}),
  };
}

/** Could the host take it if every merged page were written to: each becomes one of its own. */
function headroom({ savedBytes, availableBytes }: DaemonProperties): Figure {
  const left = availableBytes - savedBytes;
  const label = _('Headroom');
  const detail = filled(_('$0 available, $1 needed to unmerge everything'), size(availableBytes), size(savedBytes));
  if (savedBytes === 0) return { label, value: size(availableBytes), detail: _('available memory') };
  const value = left < 0 ? filled(_('$0 short'), size(-left)) : size(left);
  if (left < 0) return { label, value, detail, warning: { text: _('it would not fit'), colour: 'red' } };
  if (left >= availableBytes * UNMERGE_MARGIN) return { label, value, detail };
  return { label, value, detail, warning: { text: _('it would barely fit'), colour: 'orange' } };
}

/** Whether unmerging everything would leave a tenth of the available memory free; the daemon's guard asks the same. */
export function unmergeFits({ savedBytes, availableBytes }: DaemonProperties): boolean {
  return savedBytes <= availableBytes * (1 - UNMERGE_MARGIN);
}
