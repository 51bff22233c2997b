/** The form of the changelog, as Keep a Changelog 1.1.0 describes it. */

const sections = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
const released = /^## \[(\d+\.\d+\.\d+(?:-[\w.]+)?)\] - (\S+)$/;

/** What in a changelog is not of the form, each as `line: what is wrong`. Empty if all is. */
export function changelogFindings(text: string): string[] {
  const lines = text.split('\n');
  const findings: string[] = [];
  const find = (index: number, what: string) => findings.push(`${index + 1}: ${what}`);
  if (lines[0] !== '# Changelog') find(0, 'the first line is not "# Changelog"');
  const versions = lines.flatMap((line, index) => (line.startsWith('## ') ? [{ line, index }] : []));
  if (versions[0]?.line !== '## [Unreleased]') find(versions[0]?.index ?? 0, 'the first version is not "[Unreleased]"');
  const dates = versions.slice(1).map(({ line, index }) => {
    const [, version, date = ''] = released.exec(line) ?? [];
    if (version === undefined) find(index, 'a version is not "[x.y.z] - date"');
    else if (!isDate(date)) find(index, `"${date}" is not an ISO 8601 date`);
    if (version !== undefined && !text.includes(`\n[${version}]: `)) find(index, `version ${version} has no link`);
    return date;
  });
  if (dates.join() !== dates.toSorted().reverse().join()) find(0, 'the newest version is not the first');
  for (const [number, { index }] of versions.entries()) {
    sectionFindings(lines.slice(0, versions[number + 1]?.index), index, find);
  }
  return findings;
}

function isDate(date: string): boolean {
  const time = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}

/** Checks the sections of the version that begins at `from`: their names, their order, and that each has entries. */
function sectionFindings(lines: readonly string[], from: number, find: (index: number, what: string) => void): void {
  let last = -1;
  let entries = 1;
  for (const [index, line] of lines.entries()) {
    if (index <= from) continue;
    const name = /^### (.*)$/.exec(line)?.[1];
    if (name === undefined) {
      if (line.startsWith('- ')) {
        entries += 1;
        if (last === -1) find(index, 'an entry is in no section');
      }
      continue;
    }
    const at = sections.indexOf(name);
    if (at === -1) find(index, `"${name}" is not one of ${sections.join(', ')}`);
    else if (at <= last) find(index, `"${name}" is out of order or there twice`);
    if (entries === 0) find(index, 'the section before it is empty');
    last = Math.max(at, last);
    entries = 0;
  }
  if (entries === 0) find(lines.length - 1, 'the last section is empty');
}
