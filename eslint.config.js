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

/** What serves both programs knows neither of them. */
const SHARED = ['bus', 'client', 'config', 'doctor', 'host', 'libvirt', 'simulation', 'text'];

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
    files: SHARED.map((folder) => `src/${folder}/**/*.ts`),
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [{ regex: '/(agent|ctl)[./]', message: 'the programs import this, and this does not import them' }],
        },
      ],
    },
  },
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
