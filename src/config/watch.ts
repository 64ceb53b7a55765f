import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Observable } from 'rxjs';
import { errnoOf, messageOf } from '../errors.js';
import { isDropIn } from './load.js';

/** An editor, or a kubelet that brings a ConfigMap, makes several changes for one. */
const SETTLE_MILLIS = 1000;
/** The link that a kubelet moves to the new files of a volume (pkg/volume/util/atomic_writer.go). */
const KUBELET_LINK = '..data';

/**
 * Emits after FILE or FILE.d/*.conf were changed, made, replaced or removed, when nothing of it has changed for a second. Asks the
 * kernel (inotify): nothing runs while nothing changes.
 *
 * @param onBlind is called with why changes in a directory are not seen.
 */
export function configChanges(
  file: string,
  onBlind: (why: string) => void,
  settleMillis = SETTLE_MILLIS,
): Observable<void> {
  const dropIns = `${file}.d`;
  const names = [file, dropIns].map((path) => basename(path));
  return new Observable((subscriber) => {
    let watches: readonly FSWatcher[] = [];
    let settled: NodeJS.Timeout | undefined;
    const close = () => {
      for (const each of watches) each.close();
    };
    const touched = () => {
      clearTimeout(settled);
      settled = setTimeout(() => {
        // A directory may be another one now. What changes from here on is seen by the new watches.
        arm();
        subscriber.next();
      }, settleMillis);
    };
    const arm = () => {
      close();
      watches = [
        ...watched(dirname(file), (name) => names.includes(name)),
        ...watched(dropIns, (name) => name === KUBELET_LINK || isDropIn(name)),
      ];
    };
    const watched = (directory: string, isOurs: (name: string) => boolean): readonly FSWatcher[] => {
      try {
        const watcher = watch(directory, { persistent: false }, (_event, name) => {
          if (name === null || isOurs(name)) touched();
        });
        watcher.on('error', (error) => {
          onBlind(`${directory}: ${messageOf(error)}`);
        });
        return [watcher];
      } catch (error) {
        // Its directory's watch sees it made.
        if (errnoOf(error) !== 'ENOENT') onBlind(`${directory}: ${errnoOf(error) ?? messageOf(error)}`);
        return [];
      }
    };
    arm();
    return () => {
      clearTimeout(settled);
      close();
    };
  });
}
