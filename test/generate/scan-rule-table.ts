/** The rules of the content scan as a page of the documentation. */
import { allRules } from '../../src/domain/scan/rules/rule-set.ts';

/** A Markdown page with one row for each rule. */
export function scanRulePage(): string {
  const rows = allRules.map(({ id, severity, why }) => `| ${id} | ${severity} | ${why} |`);
  return [
    '# Rules of the content scan',
    '',
    'Generated from the rules by `npm run generate`; changes here are lost. The policy sets the action for each severity:',
    'see [content-scan.md](content-scan.md).',
    '',
    '| rule | severity | why |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
