import { Alert } from '@patternfly/react-core/dist/esm/components/Alert/index.js';
import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { Spinner } from '@patternfly/react-core/dist/esm/components/Spinner/index.js';
import { useEffect, useRef, useState } from 'react';
import type { DaemonProperties } from '../../api/replies.js';
import { type Daemon, wordsOf } from '../daemon.js';
import { _ } from '../text.js';
import { Actions } from './Actions.js';
import { AnswerCard } from './AnswerCard.js';
import { CurvesCard } from './CurvesCard.js';
import { FindingsCard } from './FindingsCard.js';
import { GuestsCard } from './GuestsCard.js';
import { NotRunning } from './NotRunning.js';
import { Head } from './parts.js';
import { PolicyCard } from './PolicyCard.js';
import { useDaemon } from './hooks.js';

/** What came of the last command; the daemon's sentence is English. */
export interface Outcome {
  readonly title: string;
  readonly sentence: string | undefined;
  readonly isRefused: boolean;
}

export type Report = (outcome: Outcome | undefined) => void;

export function App({ daemon }: { readonly daemon: Daemon }) {
  return (
    <main>
      <Body daemon={daemon} />
    </main>
  );
}

function Body({ daemon }: { readonly daemon: Daemon }) {
  const link = useDaemon(daemon);
  switch (link.kind) {
    case 'connecting':
      return (
        <>
          <Head title={_('Memory merging')} />
          <Spinner aria-label={_('Asking samepaged')} />
        </>
      );
    case 'absent':
      return <NotRunning />;
    case 'foreign':
      return <Foreign why={link.why} />;
    case 'lost':
      return <Running daemon={daemon} properties={link.properties} isLost />;
    case 'up':
      return <Running daemon={daemon} properties={link.properties} isLost={false} />;
  }
}

interface RunningProps {
  readonly daemon: Daemon;
  readonly properties: DaemonProperties | undefined;
  readonly isLost: boolean;
}

function Running({ daemon, properties, isLost }: RunningProps) {
  const [outcome, report] = useState<Outcome>();
  return (
    <>
      <Head title={_('Memory merging')}>
        {properties !== undefined && !isLost && <Actions daemon={daemon} properties={properties} report={report} />}
      </Head>
      {isLost && (
        <Alert isInline isLiveRegion variant="warning" title={_('The connection to this host is lost')}>
          {_('The page shows the last known state.')}{' '}
          <Button variant="link" isInline onClick={reconnect}>
            {_('Reconnect')}
          </Button>
        </Alert>
      )}
      {outcome !== undefined && <OutcomeAlert outcome={outcome} hold={properties?.hold} report={report} />}
      {properties !== undefined && (
        <div className={isLost ? 'cards stale' : 'cards'}>
          <AnswerCard properties={properties} />
          <CurvesCard daemon={daemon} isLost={isLost} />
          <GuestsCard daemon={daemon} properties={properties} report={report} />
          <PolicyCard daemon={daemon} properties={properties} report={report} />
          <FindingsCard />
        </div>
      )}
    </>
  );
}

/** Cockpit's library never makes a second connection for a page; a channel alone that ended is opened again by the gate. */
function reconnect(): void {
  location.reload();
}

interface OutcomeProps {
  readonly outcome: Outcome;
  readonly hold: string | undefined;
  readonly report: Report;
}

/** Takes the keyboard's focus where the button that was pressed is gone, because merging is held or no more. */
function OutcomeAlert({ outcome, hold, report }: OutcomeProps) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (document.activeElement === document.body) element.current?.focus();
  }, [outcome, hold]);
  return (
    <div ref={element} className="outcome" tabIndex={-1}>
      <Alert
        isInline
        isLiveRegion
        variant={outcome.isRefused ? 'danger' : 'success'}
        title={outcome.title}
        actionClose={
          <button
            type="button"
            className="pf-v6-c-button pf-m-plain"
            aria-label={_('Close')}
            onClick={() => {
              report(undefined);
            }}
          >
            ×
          </button>
        }
      >
        <bdi lang="en">{outcome.sentence}</bdi>
      </Alert>
    </div>
  );
}

function Foreign({ why }: { readonly why: string }) {
  return (
    <div className="cards">
      <Head title={_('Memory merging')} />
      <Alert isInline variant="warning" title={_('This page cannot read the answer of samepaged')}>
        <p>
          {_(
            'The packages samepaged and cockpit-samepaged are of different versions. Install the same version of both.',
          )}
        </p>
        <p>
          <bdi lang="en">{why}</bdi>
        </p>
      </Alert>
      <FindingsCard />
    </div>
  );
}

/** Does what an administrator asked for, and reports what came of it. */
export async function reported(report: Report, title: string, work: () => Promise<string | undefined>): Promise<void> {
  try {
    report({ title, sentence: await work(), isRefused: false });
  } catch (error) {
    report({ title: _('The command failed'), sentence: wordsOf(error), isRefused: true });
  }
}
