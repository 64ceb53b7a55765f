import rxjsX from 'eslint-plugin-rxjs-x';
import tseslint from 'typescript-eslint';

/** core/ imports nothing outside core/ and rxjs, and knows no clock, no promise and no process. */
function corePurity(files, foreign) {
  return {
    files,
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: foreign, message: 'core/ imports only core/ and rxjs' }] },
      ],
      'no-restricted-globals': ['error', 'Date', 'process', 'setTimeout', 'setInterval', 'Promise'],
    },
  };
}

export default tseslint.config(
  { ignores: ['dist', 'coverage', 'node_modules', 'fixtures', '**/*.js'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  rxjsX.configs.strict,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  corePurity(['src/core/*.ts'], '^(?!\\./|rxjs$)'),
  corePurity(['src/core/*/*.ts'], '^(?!\\./|\\.\\./(?!\\.\\./)|rxjs$)'),
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['test', 'it', 'describe', 'suite'], package: 'node:test' },
          ],
        },
      ],
    },
  },
);
