import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import type { Daemon, DaemonLink } from '../daemon.js';
import { cockpit } from '../host.js';

export function useDaemon(daemon: Daemon): DaemonLink {
  return useSyncExternalStore(daemon.subscribe, daemon.current);
}

/** Whether there is administrative access, which comes and goes while the page is open. */
export function useIsAdmin(): boolean {
  const [isAdmin, setAdmin] = useState(false);
  useEffect(() => {
    const permission = cockpit.permission({ admin: true });
    const take = () => {
      setAdmin(permission.allowed === true);
    };
    permission.addEventListener('changed', take);
    take();
    return () => {
      permission.close();
    };
  }, []);
  return isAdmin;
}

/** The time, which goes on by itself: every so many milliseconds. */
export function useNow(everyMillis: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
    }, everyMillis);
    return () => {
      clearInterval(timer);
    };
  }, [everyMillis]);
  return now;
}

/** What an asynchronous question gave last. */
export interface Asked<T> {
  readonly value: T | undefined;
  readonly error: unknown;
  readonly isAsking: boolean;
  readonly ask: () => void;
}

/** Asks at once, when `question` or `cause` changes, and when `ask` is called; the answer to the newest question counts. */
export function useAsked<T>(question: () => Promise<T>, cause?: unknown): Asked<T> {
  const [answer, setAnswer] = useState<Pick<Asked<T>, 'value' | 'error'>>({ value: undefined, error: undefined });
  const [round, setRound] = useState(0);
  const [isAsking, setAsking] = useState(true);
  useEffect(() => {
    let isCurrent = true;
    setAsking(true);
    question()
      .then(
        (value) => {
          if (isCurrent) setAnswer({ value, error: undefined });
        },
        (error: unknown) => {
          if (isCurrent) setAnswer((before) => ({ ...before, error }));
        },
      )
      .finally(() => {
        if (isCurrent) setAsking(false);
      });
    return () => {
      isCurrent = false;
    };
  }, [question, round, cause]);
  const ask = useCallback(() => {
    setRound((before) => before + 1);
  }, []);
  return { ...answer, isAsking, ask };
}

/** Calls back after a retune, at most once in so many milliseconds: a policy in a burst retunes twice a second. */
export function useRetuned(daemon: Daemon, leastMillis: number, callback: () => void): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = daemon.onRetuned(() => {
      timer ??= setTimeout(() => {
        timer = undefined;
        callback();
      }, leastMillis);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [daemon, leastMillis, callback]);
}
