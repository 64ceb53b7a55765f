import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { Card, CardBody, CardTitle } from '@patternfly/react-core/dist/esm/components/Card/index.js';
import { Radio } from '@patternfly/react-core/dist/esm/components/Radio/index.js';
import { useCallback, useState } from 'react';
import type { ConfigEntry, DaemonProperties } from '../../api/replies.js';
import { DEFAULT_POLICY } from '../../api/names.js';
import type { Daemon } from '../daemon.js';
import { explainedKeys, policyText } from '../model/policies.js';
import { _, filled } from '../text.js';
import { type Report, reported } from './App.js';
import { Remedy } from './FindingsCard.js';
import { Replay } from './Replay.js';
import { useAsked } from './hooks.js';

interface PolicyProps {
  readonly daemon: Daemon;
  readonly properties: DaemonProperties;
  readonly report: Report;
}

/** Which policy decides, what each does, and its budget. */
export function PolicyCard({ daemon, properties, report }: PolicyProps) {
  const { policy, configuredPolicy, policies } = properties;
  const [chosen, setChosen] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const question = useCallback(() => daemon.configuration(), [daemon]);
  const { value: configuration, ask } = useAsked(question);
  const set = async (name: string) => {
    setBusy(true);
    await reported(report, _('The policy is set'), async () => (await daemon.command(['SetPolicy', name])).sentence);
    setChosen(undefined);
    setBusy(false);
    ask();
  };
  const selected = chosen ?? policy;
  return (
    <Card component="section" aria-labelledby="policy-title">
      <CardTitle component="h2" id="policy-title">
        {_('Policy and budget')}
      </CardTitle>
      <CardBody>
        <div role="radiogroup" aria-labelledby="policy-title" className="choices">
          {policies.map((name) => (
            <Radio
              key={name}
              id={`policy-${name}`}
              name="policy"
              label={nameText(name, properties)}
              description={policyText(name)}
              isChecked={selected === name}
              onChange={() => {
                setChosen(name);
              }}
            />
          ))}
        </div>
        <div className="actions">
          <Button
            variant="secondary"
            isLoading={isBusy}
            isDisabled={isBusy || selected === policy}
            onClick={() => void set(selected)}
          >
            {_('Set the policy')}
          </Button>
          {policy !== configuredPolicy && (
            <Button variant="link" isDisabled={isBusy} onClick={() => void set(DEFAULT_POLICY)}>
              {filled(_('Back to $0, the configured policy'), configuredPolicy)}
            </Button>
          )}
        </div>
        <p className="subtle">
          {_('A policy set here lasts until the next boot, or until KSM_POLICY changes in the configuration.')}
        </p>
        <Replay policy={selected} />
        {configuration !== undefined && (
          <Keys entries={configuration.entries} policy={selected} file={properties.configFile} />
        )}
      </CardBody>
    </Card>
  );
}

function nameText(name: string, { policy, configuredPolicy }: DaemonProperties): string {
  if (name === policy) return filled(_('$0 (in force)'), name);
  return name === configuredPolicy ? filled(_('$0 (configured)'), name) : name;
}

interface KeysProps {
  readonly entries: readonly ConfigEntry[];
  readonly policy: string;
  /** What the daemon reads; undefined where it does not tell. */
  readonly file: string | undefined;
}

function Keys({ entries, policy, file = '/etc/ksmtuned.conf' }: KeysProps) {
  const keys = explainedKeys(policy, entries);
  return (
    <>
      <dl className="keys">
        {keys.map(({ key, label, value, meaning }) => (
          <div key={key}>
            <dt>{label}</dt>
            <dd>
              <span className="value">{value}</span>{' '}
              <code className="subtle" dir="ltr">
                {key}
              </code>
              <p className="subtle">{meaning}</p>
            </dd>
          </div>
        ))}
      </dl>
      <p>{filled(_('These keys are in $0. After a change there, run:'), file)}</p>
      <Remedy commands="systemctl reload samepaged" />
    </>
  );
}
