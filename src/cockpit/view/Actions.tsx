import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { useState } from 'react';
import type { DaemonProperties } from '../../api/replies.js';
import type { Command, Daemon } from '../daemon.js';
import { _ } from '../text.js';
import { type Report, reported } from './App.js';
import { PauseDialog, StopDialog, UnmergeDialog } from './dialogs.js';

interface ActionsProps {
  readonly daemon: Daemon;
  readonly properties: DaemonProperties;
  readonly report: Report;
}

type Dialog = 'pause' | 'stop' | 'unmerge';

/** What can be done by hand. Nothing is disabled for want of rights: the daemon says who may do what. */
export function Actions({ daemon, properties, report }: ActionsProps) {
  const [dialog, setDialog] = useState<Dialog>();
  const [busy, setBusy] = useState<string>();
  const close = () => {
    setDialog(undefined);
  };
  const run = async (title: string, command: Command) => {
    setBusy(command[0]);
    close();
    await reported(report, title, async () => (await daemon.command(command)).sentence);
    setBusy(undefined);
  };
  const isHeld = properties.hold !== '';
  const button = (name: string, text: string, onClick: () => void, variant: 'primary' | 'secondary' = 'secondary') => (
    // A button that is disabled loses the keyboard's focus; this one keeps it.
    <Button variant={variant} isAriaDisabled={busy !== undefined} isLoading={busy === name} onClick={onClick}>
      {text}
    </Button>
  );
  const open = (which: Dialog) => () => {
    setDialog(which);
  };
  return (
    <div className="actions" role="group" aria-label={_('By hand')}>
      {isHeld && button('Resume', _('Resume'), () => void run(_('Resumed'), ['Resume']), 'primary')}
      {button('Retune', _('Retune now'), () => void run(_('Retuned'), ['Retune']))}
      {button('Pause', _('Pause…'), open('pause'))}
      {properties.hold !== 'stopped' && button('Stop', _('Stop…'), open('stop'))}
      {properties.hold !== 'unmerged' && button('Unmerge', _('Unmerge…'), open('unmerge'))}
      {dialog === 'pause' && (
        <PauseDialog close={close} pause={(seconds) => void run(_('Paused'), ['Pause', seconds])} />
      )}
      {dialog === 'stop' && <StopDialog close={close} stop={() => void run(_('Stopped'), ['Stop'])} />}
      {dialog === 'unmerge' && (
        <UnmergeDialog
          close={close}
          properties={properties}
          unmerge={(force) => void run(_('Unmerged'), ['Unmerge', force])}
        />
      )}
    </div>
  );
}
