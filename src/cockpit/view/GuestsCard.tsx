import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { Card, CardBody, CardHeader, CardTitle } from '@patternfly/react-core/dist/esm/components/Card/index.js';
import { Checkbox } from '@patternfly/react-core/dist/esm/components/Checkbox/index.js';
import { Radio } from '@patternfly/react-core/dist/esm/components/Radio/index.js';
import { useCallback, useMemo, useState } from 'react';
import type { DaemonProperties } from '../../api/replies.js';
import { type Daemon, wordsOf } from '../daemon.js';
import { type GuestRow, type Order, arranged, meaningOf, rowOf } from '../model/guests.js';
import { type Sharing, changeMerging, guestOffers } from '../samepagectl.js';
import { _, counted, filled, isolated } from '../text.js';
import { type Report, reported } from './App.js';
import { GuestsTable } from './GuestsTable.js';
import { Dialog } from './dialogs.js';
import { useAsked, useIsAdmin, useRetuned } from './hooks.js';
import { Search } from './parts.js';

/** The daemon reads guests' files at most once in this time. */
const REFRESH_MILLIS = 10_000;
/** More are shown when somebody wants to see them. */
const SHOWN_AT_FIRST = 25;
/** Fewer are found without a search. */
const FEW = 6;

interface GuestsProps {
  readonly daemon: Daemon;
  readonly properties: DaemonProperties;
  readonly report: Report;
}

/** The running guests, and whether KSM can merge them. */
export function GuestsCard({ daemon, properties: { guestCount }, report }: GuestsProps) {
  const question = useCallback(async () => {
    const [guests, { entries }] = await Promise.all([daemon.guests(), daemon.configuration()]);
    const forbidden = entries.find(({ key }) => key === 'KSM_FORBID_GUESTS')?.value ?? '';
    return { guests, forbidden };
  }, [daemon]);
  const { value, error, ask } = useAsked(question, guestCount);
  const isAdmin = useIsAdmin();
  const { value: offers, ask: askOffers } = useAsked(guestOffers, `${guestCount} ${String(isAdmin)}`);
  const rows = useMemo(
    () => value?.guests.map((guest) => rowOf(guest, value.forbidden, offers?.get(guest.id ?? guest.name))),
    [value, offers],
  );
  useRetuned(daemon, REFRESH_MILLIS, ask);
  const [search, setSearch] = useState('');
  const [order, setOrder] = useState<Order>({ column: 'saved', descending: true });
  const [showsAll, setShowsAll] = useState(false);
  const [changing, setChanging] = useState<GuestRow>();
  const found = arranged(rows ?? [], search, order);
  const shown = showsAll ? found : found.slice(0, SHOWN_AT_FIRST);
  return (
    <Card component="section" aria-labelledby="guests-title">
      <CardHeader
        actions={{
          actions:
            guestCount > FEW ? (
              <Search label={_('Find guests by name')} value={search} onChange={setSearch} />
            ) : undefined,
        }}
      >
        <CardTitle component="h2" id="guests-title">
          {guestCount === 0 ? _('Guests') : counted(guestCount, '$0 guest', '$0 guests')}
        </CardTitle>
      </CardHeader>
      <CardBody>
        {error !== undefined && <p lang="en">{wordsOf(error)}</p>}
        {guestCount === 0 && <p className="subtle">{_('No guest runs. samepaged retunes when one starts.')}</p>}
        {guestCount > 0 && (
          <GuestsTable
            rows={shown}
            isLoading={rows === undefined && error === undefined}
            order={order}
            setOrder={setOrder}
            change={setChanging}
          />
        )}
        {search !== '' && found.length === 0 && <p className="subtle">{_('No guest has this text in its name.')}</p>}
        {shown.length < found.length && (
          <Button
            variant="link"
            isInline
            onClick={() => {
              setShowsAll(true);
            }}
          >
            {counted(found.length, 'Show $0 guest', 'Show all $0 guests')}
          </Button>
        )}
      </CardBody>
      {changing !== undefined && (
        <ChangeDialog
          guest={changing}
          close={() => {
            setChanging(undefined);
          }}
          report={report}
          done={() => {
            ask();
            askOffers();
          }}
        />
      )}
    </Card>
  );
}

interface ChangeProps {
  readonly guest: GuestRow;
  readonly close: () => void;
  readonly report: Report;
  readonly done: () => void;
}

/** Both are offered: a change for the next start is in libvirt's definition, which the running guest does not show. */
function ChangeDialog({ guest: { name, mergeable }, close, report, done }: ChangeProps) {
  const [word, setWord] = useState<Sharing>(mergeable.tone === 'no' ? 'allow' : 'forbid');
  const [now, setNow] = useState(false);
  const labels: Readonly<Record<Sharing, string>> = { allow: _('Allow'), forbid: _('Forbid') };
  const confirm = async () => {
    close();
    const title = filled(
      word === 'forbid' ? _('Merging of $0 is forbidden') : _('Merging of $0 is allowed'),
      isolated(name),
    );
    await reported(report, title, () => changeMerging({ guest: name, word, now }));
    done();
  };
  return (
    <Dialog
      title={filled(_('Merging of $0'), isolated(name))}
      close={close}
      confirm={labels[word]}
      onConfirm={() => void confirm()}
    >
      <div role="radiogroup" aria-label={_('Merging')} className="choices">
        {(['allow', 'forbid'] as const).map((each) => (
          <Radio
            key={each}
            id={`change-${each}`}
            name="change"
            label={labels[each]}
            description={meaningOf(each)}
            isChecked={word === each}
            onChange={() => {
              setWord(each);
            }}
          />
        ))}
      </div>
      <Checkbox
        id="change-now"
        label={_('Now, while it runs')}
        description={_(
          'Otherwise at its next start. libvirt marks the guest as tainted, because the change uses its monitor.',
        )}
        isChecked={now}
        onChange={(_event, checked) => {
          setNow(checked);
        }}
      />
    </Dialog>
  );
}
