import { shellWord } from '../text/shellWord.js';

/** One KEY=VALUE found in a file. Lines count from 1. */
export interface Assignment {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

/** Something in a file that cannot be taken, where, and what was expected. */
export interface Complaint {
  readonly line: number;
  readonly message: string;
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const UNQUOTED_SHELL = /[$`;&|<>()]/;

/**
 * Reads the part of shell syntax that a configuration file is made of: `KEY=VALUE`, several to a line, `export`, single
 * and double quotes, backslash, `#` comments, CRLF. Nothing is executed or expanded: ksmtuned.conf is sourced by a shell
 * as root, and a line that counts on that is a complaint here.
 */
export function parseAssignments(text: string): { assignments: Assignment[]; complaints: Complaint[] } {
  const assignments: Assignment[] = [];
  const complaints: Complaint[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = index + 1;
    try {
      for (const { key, value } of parseLine(raw.replace(/\r$/, ''))) assignments.push({ key, value, line });
    } catch (error) {
      if (!(error instanceof SyntaxFault)) throw error;
      complaints.push({ line, message: error.message });
    }
  }
  return { assignments, complaints };
}

class SyntaxFault extends Error {}

function parseLine(line: string): { key: string; value: string }[] {
  if (line.includes('\0')) throw new SyntaxFault('contains a NUL byte; expected text');
  const found: { key: string; value: string }[] = [];
  let at = 0;
  let exported = false;
  for (;;) {
    while (line[at] === ' ' || line[at] === '\t') at += 1;
    if (at >= line.length || line[at] === '#') return found;
    NAME.lastIndex = at;
    const name = NAME.exec(line)?.[0];
    const end = at + (name?.length ?? 0);
    if (name === 'export' && !exported && found.length === 0 && /[ \t]/.test(line[end] ?? '')) {
      exported = true;
      at = end;
      continue;
    }
    if (name === undefined || line[end] !== '=') throw new SyntaxFault(notAnAssignment(line));
    const parsed = parseValue(line, end + 1);
    found.push({ key: name, value: parsed.value });
    at = parsed.end;
  }
}

function notAnAssignment(line: string): string {
  const shown = line.trim().slice(0, 40);
  if (/^[A-Za-z_][A-Za-z0-9_]*\s+=|^[A-Za-z_][A-Za-z0-9_]*=\s+\S/.test(line.trim())) {
    return `"${shown}" has a space beside "="; expected KEY=VALUE without one`;
  }
  return `"${shown}" is not KEY=VALUE; this file is read, not run by a shell`;
}

function parseValue(line: string, start: number): { value: string; end: number } {
  if (line[start] === '~') throw needsShell(line, start);
  let value = '';
  let at = start;
  while (at < line.length) {
    const char = line.charAt(at);
    if (char === ' ' || char === '\t') break;
    if (char === "'" || char === '"') {
      const quoted = parseQuoted(line, at, char);
      value += quoted.value;
      at = quoted.end;
    } else if (char === '\\') {
      if (at + 1 >= line.length) throw new SyntaxFault('ends in a backslash; expected the whole value on one line');
      value += line.charAt(at + 1);
      at += 2;
    } else {
      if (UNQUOTED_SHELL.test(char)) throw needsShell(line, at);
      value += char;
      at += 1;
    }
  }
  return { value, end: at };
}

function parseQuoted(line: string, start: number, quote: string): { value: string; end: number } {
  let value = '';
  for (let at = start + 1; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (char === quote) return { value, end: at + 1 };
    if (quote === '"' && (char === '$' || char === '`')) throw needsShell(line, at);
    if (quote === '"' && char === '\\' && /["\\$`]/.test(line[at + 1] ?? '')) {
      value += line.charAt(at + 1);
      at += 1;
    } else {
      value += char;
    }
  }
  throw new SyntaxFault(`has no closing ${quote}`);
}

function needsShell(line: string, at: number): SyntaxFault {
  return new SyntaxFault(
    `"${line.slice(at, at + 40)}" needs a shell; this file is read, not run: write the plain value`,
  );
}

/** A value as a shell, and this file's reader, would read it. */
export function valueWord(value: string): string {
  return value === '' ? '' : shellWord(value);
}
