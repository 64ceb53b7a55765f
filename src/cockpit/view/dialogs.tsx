import { Alert } from '@patternfly/react-core/dist/esm/components/Alert/index.js';
import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { Checkbox } from '@patternfly/react-core/dist/esm/components/Checkbox/index.js';
import { Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core/dist/esm/components/Modal/index.js';
import { Radio } from '@patternfly/react-core/dist/esm/components/Radio/index.js';
import { type ReactNode, useState } from 'react';
import type { DaemonProperties } from '../../api/replies.js';
import { duration, size } from '../model/format.js';
import { unmergeFits } from '../model/status.js';
import { _, filled } from '../text.js';

interface DialogProps {
  readonly title: string;
  readonly close: () => void;
  readonly confirm: string;
  readonly onConfirm: () => void;
  readonly variant?: 'primary' | 'danger';
  readonly isDisabled?: boolean;
  readonly children: ReactNode;
}

/** A question that is answered or left. */
export function Dialog({
  title,
  close,
  confirm,
  onConfirm,
  variant = 'primary',
  isDisabled = false,
  children,
}: DialogProps) {
  return (
    <Modal isOpen variant="small" onClose={close} aria-labelledby="dialog-title">
      <ModalHeader title={title} labelId="dialog-title" />
      <ModalBody>{children}</ModalBody>
      <ModalFooter>
        <Button variant={variant} isDisabled={isDisabled} onClick={onConfirm}>
          {confirm}
        </Button>
        <Button variant="link" onClick={close}>
          {_('Cancel')}
        </Button>
      </ModalFooter>
    </Modal>
  );
}

/** In seconds; 0 is until somebody resumes. */
const PAUSES = [15 * 60, 3600, 8 * 3600, 0] as const;

export function PauseDialog({
  close,
  pause,
}: {
  readonly close: () => void;
  readonly pause: (seconds: number) => void;
}) {
  const [seconds, setSeconds] = useState<number>(PAUSES[0]);
  return (
    <Dialog
      title={_('Pause merging')}
      close={close}
      confirm={_('Pause')}
      onConfirm={() => {
        pause(seconds);
      }}
    >
      <p>{_('ksmd stops. Shared pages stay shared until a guest writes to them.')}</p>
      <div role="radiogroup" aria-label={_('How long')} className="choices">
        {PAUSES.map((each) => (
          <Radio
            key={each}
            id={`pause-${each}`}
            name="pause"
            label={each === 0 ? _('until somebody resumes') : duration(each * 1000)}
            isChecked={seconds === each}
            onChange={() => {
              setSeconds(each);
            }}
          />
        ))}
      </div>
    </Dialog>
  );
}

export function StopDialog({ close, stop }: { readonly close: () => void; readonly stop: () => void }) {
  return (
    <Dialog title={_('Stop merging')} close={close} confirm={_('Stop')} onConfirm={stop}>
      <p>{_('ksmd stops until somebody resumes, also after a restart of samepaged.')}</p>
      <p>{_('Shared pages stay shared until a guest writes to them.')}</p>
    </Dialog>
  );
}

interface UnmergeProps {
  readonly close: () => void;
  readonly properties: DaemonProperties;
  readonly unmerge: (force: boolean) => void;
}

/** The guard's figures; the daemon asks the kernel again before it does it. */
export function UnmergeDialog({ close, properties, unmerge }: UnmergeProps) {
  const [force, setForce] = useState(false);
  const { savedBytes, availableBytes } = properties;
  const fits = unmergeFits(properties);
  return (
    <Dialog
      title={_('Unmerge everything')}
      close={close}
      confirm={_('Unmerge')}
      variant="danger"
      isDisabled={!fits && !force}
      onConfirm={() => {
        unmerge(force);
      }}
    >
      <p>{_('Every guest gets its own copy of every merged page, and nothing is merged until somebody resumes.')}</p>
      <dl className="guard">
        <dt>{_('Memory that this takes')}</dt>
        <dd>{size(savedBytes)}</dd>
        <dt>{_('Available memory')}</dt>
        <dd>{size(availableBytes)}</dd>
      </dl>
      {!fits && (
        <>
          <Alert isInline variant="danger" title={_('It may not fit into memory')}>
            {filled(
              _(
                'A tenth of available memory must stay free, so at most $0 may be taken. The kernel may have to end guests.',
              ),
              size(availableBytes * 0.9),
            )}
          </Alert>
          <Checkbox
            id="force"
            label={_('Unmerge even if it does not fit')}
            isChecked={force}
            onChange={(_event, checked) => {
              setForce(checked);
            }}
          />
        </>
      )}
    </Dialog>
  );
}
