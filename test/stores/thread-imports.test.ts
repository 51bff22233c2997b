/** What the threads of the stores load at their start, which is a part of the start of the hub. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** Imports a script, which may fail for want of its data, and prints the packages that were loaded. */
const program = `
  import { registerHooks } from 'node:module';
  const packages = [];
  registerHooks({
    load: (url, context, next) => {
      if (url.includes('/node_modules/')) packages.push(url);
      return next(url, context);
    },
  });
  await import(process.argv[1]).catch(() => undefined);
  console.log(JSON.stringify(packages));
  process.exit();
`;

test.each(['views/projector-worker.ts', 'sqlite/wal-checkpoint-worker.ts'])('%s loads no package', (script) => {
  const file = fileURLToPath(new URL(`../../src/stores/${script}`, import.meta.url));
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', program, file], {
    encoding: 'utf8',
  });
  expect(JSON.parse(printed)).toEqual([]);
});
