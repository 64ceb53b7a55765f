import rxjsX from 'eslint-plugin-rxjs-x';
import tseslint from 'typescript-eslint';

/** The folders of src, each of which may import those before it; core is the lowest. */
const LAYERS = [
  ['core'],
  ['text'],
  ['host', 'dbus'],
  ['qemu', 'libvirt', 'config', 'state'],
  ['api'],
  ['simulation', 'doctor', 'metrics'],
  ['replay'],
  ['daemon', 'ctl'],
  ['demo'],
];

/** Of a path in an import: one that leaves its folder for one of these, from any depth. */
function leadsTo(folders) {
  return `^(\\.\\./)+(${folders.join('|')})/`;
}

/** No folder imports one of a layer above it. */
const directions = LAYERS.slice(0, -1).flatMap((folders, layer) =>
  folders.map((folder) => ({
    files: [`src/${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: leadsTo(LAYERS.slice(layer + 1).flat()), message: `${folder}/ is below it` },
            ...(folder === 'core'
              ? [
                  { regex: '^(?!\\.|rxjs$)', message: 'core/ imports only itself and rxjs' },
                  { regex: '/(errors|log|plainFile|version)\\.js$', message: 'core/ imports only itself and rxjs' },
                ]
              : []),
          ],
        },
      ],
    },
  })),
);

export default tseslint.config(
  { ignores: ['dist', 'coverage', 'node_modules', 'fixtures', '**/*.js'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  rxjsX.configs.strict,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      'no-duplicate-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  ...directions,
  {
    files: ['src/core/**/*.ts'],
    rules: { 'no-restricted-globals': ['error', 'Date', 'process', 'setTimeout', 'setInterval', 'Promise'] },
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
