import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { Card, CardBody, CardHeader, CardTitle } from '@patternfly/react-core/dist/esm/components/Card/index.js';
import { Spinner } from '@patternfly/react-core/dist/esm/components/Spinner/index.js';
import { useState } from 'react';
import { wordsOf } from '../daemon.js';
import { type Finding, findings } from '../samepagectl.js';
import { _, counted } from '../text.js';
import { useAsked } from './hooks.js';
import { Tag } from './parts.js';

const COLOURS = { problem: 'red', note: 'orange', unknown: 'grey', ok: 'green' } as const;

/** What samepagectl doctor finds on this host, with remedies to copy. */
export function FindingsCard() {
  const { value, error, isAsking, ask } = useAsked(findings);
  const [showsAll, setShowsAll] = useState(false);
  const worth = value?.filter(({ level }) => level !== 'ok') ?? [];
  const fine = (value?.length ?? 0) - worth.length;
  const shown = showsAll ? (value ?? []) : worth;
  return (
    <Card component="section" aria-labelledby="findings-title">
      <CardHeader
        actions={{
          actions: (
            <Button variant="secondary" isLoading={isAsking} isDisabled={isAsking} onClick={ask}>
              {_('Check again')}
            </Button>
          ),
        }}
      >
        <CardTitle component="h2" id="findings-title">
          {_('Check-up')}
        </CardTitle>
      </CardHeader>
      <CardBody>
        {value === undefined && error === undefined && <Spinner size="lg" aria-label={_('Checking')} />}
        {error !== undefined && <p lang="en">{wordsOf(error)}</p>}
        <ul className="findings">
          {shown.map((finding) => (
            <FindingItem key={finding.id} finding={finding} />
          ))}
        </ul>
        {fine > 0 && (
          <Button
            variant="link"
            isInline
            onClick={() => {
              setShowsAll(!showsAll);
            }}
          >
            {showsAll ? _('Hide what is fine') : counted(fine, '$0 check is fine', '$0 checks are fine')}
          </Button>
        )}
      </CardBody>
    </Card>
  );
}

function FindingItem({ finding: { level, title, found, why, mend } }: { readonly finding: Finding }) {
  const names = { problem: _('problem'), note: _('note'), unknown: _('unknown'), ok: _('fine') };
  return (
    <li>
      <div className="finding-title">
        <Tag colour={COLOURS[level]}>{names[level]}</Tag>
        <h3 lang="en">{title}</h3>
      </div>
      <p>
        <bdi lang="en">{found}</bdi>
      </p>
      {level !== 'ok' && (
        <p className="subtle" lang="en">
          {why}
        </p>
      )}
      {mend !== null && <Remedy commands={mend} />}
    </li>
  );
}

/** Commands to copy, as they are. */
export function Remedy({ commands }: { readonly commands: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(commands);
    setCopied(true);
    setTimeout(() => {
      setCopied(false);
    }, 2000);
  };
  return (
    <div className="remedy">
      <pre dir="ltr" tabIndex={0}>
        {commands}
      </pre>
      <Button variant="secondary" size="sm" onClick={() => void copy()}>
        {isCopied ? _('Copied') : _('Copy')}
      </Button>
    </div>
  );
}
