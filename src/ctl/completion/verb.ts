import { EXIT } from '../../errors.js';
import { didYouMean } from '../../text/nearest.js';
import { SHIMS } from './shims.js';
import { UsageError, type Verb } from '../verb.js';

export const completion: Verb = {
  summary: 'a completion script for your shell',
  details:
    'Prints a script that completes verbs, options, their values, guests and policies. Put it where the shell looks for ' +
    'such scripts. The script asks samepagectl for the words.',
  usage: 'completion bash|zsh|fish',
  words: [Object.keys(SHIMS)],
  options: [],
  examples: [
    {
      command: 'samepagectl completion bash > /etc/bash_completion.d/samepagectl',
      does: 'for bash (with the package bash-completion; without it source the file)',
    },
    { command: 'samepagectl completion zsh > /usr/local/share/zsh/site-functions/_samepagectl', does: 'for zsh' },
    {
      command: 'samepagectl completion fish > /etc/fish/completions/samepagectl.fish',
      does: 'for fish',
    },
  ],
  run: ({ words: [word, ...more] }) => {
    if (word === undefined || more.length > 0) throw new UsageError('completion takes one of bash, zsh, fish');
    const script = Object.hasOwn(SHIMS, word) ? SHIMS[word as keyof typeof SHIMS] : undefined;
    if (script !== undefined) return Promise.resolve({ status: EXIT.ok, output: script });
    const hint = didYouMean(word, Object.keys(SHIMS));
    throw new UsageError(`completion takes one of bash, zsh, fish, not "${word}"${hint}`);
  },
};
