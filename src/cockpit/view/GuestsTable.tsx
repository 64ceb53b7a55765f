import '@patternfly/react-styles/css/components/Table/table.css';
import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { Skeleton } from '@patternfly/react-core/dist/esm/components/Skeleton/index.js';
import { memo } from 'react';
import { size } from '../model/format.js';
import type { Column, GuestRow, Order } from '../model/guests.js';
import { _, filled } from '../text.js';
import { Tag } from './parts.js';

export interface GuestsTableProps {
  readonly rows: readonly GuestRow[];
  readonly isLoading: boolean;
  readonly order: Order;
  readonly setOrder: (order: Order) => void;
  readonly change: (guest: GuestRow) => void;
}

const COLUMNS: readonly Column[] = ['name', 'memory', 'merged', 'saved'];
const COLOURS = { yes: 'green', no: 'grey', unknown: 'grey', warning: 'orange' } as const;

/** Each row becomes a block where the page is narrow; style.css has it. */
export function GuestsTable({ rows, isLoading, order, setOrder, change }: GuestsTableProps) {
  const names = columnNames();
  return (
    <table className="pf-v6-c-table pf-m-compact guests" role="table" aria-labelledby="guests-title">
      <thead className="pf-v6-c-table__thead">
        <tr className="pf-v6-c-table__tr" role="row">
          {COLUMNS.map((column) => (
            <SortableHead key={column} column={column} name={names[column]} order={order} setOrder={setOrder} />
          ))}
          <th className="pf-v6-c-table__th" role="columnheader" scope="col">
            {names.mergeable}
          </th>
          <th className="pf-v6-c-table__th" role="columnheader" scope="col">
            <span className="screen-reader">{_('Actions')}</span>
          </th>
        </tr>
      </thead>
      <tbody className="pf-v6-c-table__tbody" role="rowgroup">
        {isLoading && (
          <tr className="pf-v6-c-table__tr" role="row">
            <td className="pf-v6-c-table__td" role="cell" colSpan={COLUMNS.length + 2}>
              <Skeleton screenreaderText={_('Asking samepaged')} />
            </td>
          </tr>
        )}
        {rows.map((row) => (
          <GuestLine key={row.id} row={row} change={change} />
        ))}
      </tbody>
    </table>
  );
}

interface HeadProps extends Pick<GuestsTableProps, 'order' | 'setOrder'> {
  readonly column: Column;
  readonly name: string;
}

function SortableHead({ column, name, order, setOrder }: HeadProps) {
  const isSorted = order.column === column;
  const direction = order.descending ? 'descending' : 'ascending';
  // Names are looked up from the first on, sizes for the largest.
  const descending = isSorted ? !order.descending : column !== 'name';
  const className = `pf-v6-c-table__th pf-v6-c-table__sort${isSorted ? ' pf-m-selected' : ''}`;
  return (
    <th className={className} role="columnheader" scope="col" aria-sort={isSorted ? direction : 'none'}>
      <button
        type="button"
        className="pf-v6-c-table__button"
        onClick={() => {
          setOrder({ column, descending });
        }}
      >
        {name} <span aria-hidden="true">{isSorted ? (order.descending ? '↓' : '↑') : '↕'}</span>
      </button>
    </th>
  );
}

function columnNames() {
  return {
    name: _('Name'),
    memory: _('In memory'),
    merged: _('Merged'),
    saved: _('Saved'),
    mergeable: _('Can be merged'),
  };
}

interface LineProps {
  readonly row: GuestRow;
  readonly change: GuestsTableProps['change'];
}

const GuestLine = memo(function GuestLine({ row, change }: LineProps) {
  const { name, memoryBytes, configuredBytes, mergedBytes, savedBytes, mergeable, isLibvirts } = row;
  const names = columnNames();
  const cell = { className: 'pf-v6-c-table__td', role: 'cell' } as const;
  return (
    <tr className="pf-v6-c-table__tr" role="row">
      <th className="pf-v6-c-table__th" role="rowheader" scope="row">
        <bdi>{name}</bdi>
      </th>
      <td {...cell} data-label={names.memory}>
        {memoryBytes === 0 ? _('unknown') : size(memoryBytes)}
        {configuredBytes > 0 && <span className="subtle"> {filled(_('of $0'), size(configuredBytes))}</span>}
      </td>
      <td {...cell} data-label={names.merged}>
        {sizeOrUnknown(mergedBytes)}
      </td>
      <td {...cell} data-label={names.saved}>
        {sizeOrUnknown(savedBytes)}
      </td>
      <td {...cell} data-label={names.mergeable}>
        <Tag colour={COLOURS[mergeable.tone]}>{mergeable.label}</Tag>{' '}
        <span className="subtle">{mergeable.why.join('; ')}</span>
      </td>
      <td {...cell}>
        {isLibvirts && mergeable.tone !== 'unknown' && (
          <Button
            variant="link"
            isInline
            aria-label={filled(_('Change merging of $0'), name)}
            onClick={() => {
              change(row);
            }}
          >
            {_('Change…')}
          </Button>
        )}
      </td>
    </tr>
  );
});

function sizeOrUnknown(bytes: number | undefined): string {
  return bytes === undefined ? _('unknown') : size(bytes);
}
