/** Something that did not go as it should. A problem that stays is the same `subject` again, and is told once. */
export interface Problem {
  readonly subject: string;
  readonly sentence: string;
}
