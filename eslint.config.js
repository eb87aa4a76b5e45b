import tseslint from 'typescript-eslint';

// grammar/ and compiler/ run in a browser: no node modules, no engine, nothing from their right.
const core = (others) => ({
  'no-restricted-imports': ['error', {
    patterns: [
      { group: ['node:*', 'fs', 'path', 'os', 'crypto', 'child_process'], message: 'the core does no input or output' },
      { group: ['onnxruntime-node', 'sharp', '@tensorflow/*'], message: 'the core knows no engine' },
      { group: others, message: 'text flows one way: grammar, compiler, runtime, cli' },
    ],
  }],
  'no-restricted-globals': ['error', 'process', 'Buffer', '__dirname'],
});

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'runs/', 'demo-out/'] },
  ...tseslint.configs.strict,
  {
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-dynamic-delete': 'off',
      'no-constant-condition': ['error', { checkLoops: false }],
      eqeqeq: 'error',
    },
  },
  { files: ['grammar/**/*.ts'], rules: core(['**/compiler/**', '**/runtime/**', '**/cli/**']) },
  { files: ['compiler/**/*.ts'], rules: core(['**/runtime/**', '**/cli/**']) },
  { files: ['runtime/**/*.ts'], rules: { 'no-restricted-imports': ['error', { patterns: [{ group: ['**/cli/**'], message: 'text flows one way' }] }] } },
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
);
