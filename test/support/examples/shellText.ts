// Configuration files as odd as they may come.
import fc from 'fast-check';

/** Text that is mostly about what the parser of configuration files looks at. */
export const shellText = fc
  .array(
    fc.oneof(
      fc.constantFrom('A', 'B_1=', '=', ' ', '\t', '"', "'", '\\', '$', '(', ')', '`', '#', ';', '~', '\n', '\r\n'),
      fc.constantFrom('\r', '\0', '\uFEFF', 'export ', 'KSM_SLEEP_MSEC=10', '\u2028', '\v', 'ß', '\u{1F600}'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));
