/** Without what could move the cursor, turn the direction of writing or break the line: names come from elsewhere. */
export function clean(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu, '?');
}
