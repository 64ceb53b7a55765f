import { Alert } from '@patternfly/react-core/dist/esm/components/Alert/index.js';
import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { Card, CardBody } from '@patternfly/react-core/dist/esm/components/Card/index.js';
import { Checkbox } from '@patternfly/react-core/dist/esm/components/Checkbox/index.js';
import { useCallback, useEffect, useState } from 'react';
import { EXIT } from '../../exit.js';
import { wordsOf } from '../daemon.js';
import { cockpit } from '../host.js';
import { type ServiceState, serviceState, startService } from '../service.js';
import { _, filled } from '../text.js';
import { FindingsCard } from './FindingsCard.js';
import { useAsked } from './hooks.js';
import { Head } from './parts.js';

/** systemd says in between that the unit is on its way. */
const REFRESH_MILLIS = 3000;

/** samepaged is not on the bus: why, and an offer to start it. */
export function NotRunning() {
  const { value: state, ask } = useAsked(serviceState);
  useEffect(() => {
    const timer = setInterval(ask, REFRESH_MILLIS);
    return () => {
      clearInterval(timer);
    };
  }, [ask]);
  const [atBoot, setAtBoot] = useState(true);
  const [isStarting, setStarting] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const start = useCallback(async () => {
    setStarting(true);
    setRefusal(undefined);
    try {
      await startService(atBoot);
    } catch (error) {
      setRefusal(wordsOf(error));
    }
    setStarting(false);
    ask();
  }, [atBoot, ask]);
  return (
    <div className="cards">
      <Head title={_('Memory merging')} />
      <Card component="section" aria-label={_('Service')}>
        <CardBody className="not-running">
          <h2 className="pf-v6-c-title pf-m-xl">{_('samepaged is not running')}</h2>
          <p>{state === undefined ? _('No program tunes ksmd.') : whyText(state)}</p>
          {refusal !== undefined && (
            <Alert isInline isLiveRegion variant="danger" title={_('The command failed')}>
              <bdi lang="en">{refusal}</bdi>
            </Alert>
          )}
          {state?.isInstalled !== false && (
            <>
              <Checkbox
                id="at-boot"
                label={_('Start at every boot')}
                isChecked={atBoot}
                onChange={(_event, checked) => {
                  setAtBoot(checked);
                }}
              />
              <div className="actions">
                <Button isLoading={isStarting} isDisabled={isStarting} onClick={() => void start()}>
                  {_('Start samepaged')}
                </Button>
                <Button
                  variant="link"
                  onClick={() => {
                    cockpit.jump('/system/services#/samepaged.service');
                  }}
                >
                  {_('Show the service and its log')}
                </Button>
              </div>
            </>
          )}
        </CardBody>
      </Card>
      <FindingsCard />
    </div>
  );
}

function whyText({ isInstalled, hasKsm, activeState, result, status }: ServiceState): string {
  if (!isInstalled) return _('There is no samepaged.service on this host.');
  if (!hasKsm || status === EXIT.unavailable) {
    return _('It was not started: this kernel has no KSM, or /sys/kernel/mm/ksm cannot be written here.');
  }
  if (status === EXIT.tempFail) return _('It ended because another program tunes KSM.');
  if (status === EXIT.config) return _('It ended because its configuration has errors.');
  if (activeState === 'failed') return filled(_('It failed: $0, status $1.'), result, String(status));
  if (activeState === 'activating') return _('It is starting.');
  return _('It is stopped, so no program tunes ksmd.');
}
