/** The changelog: its form is that of Keep a Changelog, and no entry is in it twice. */
import { describe, expect, test } from 'vitest';
import { readDocument } from '../support/documents/block.ts';
import { changelogFindings } from '../support/documents/changelog-form.ts';

const text = readDocument('CHANGELOG.md');

describe('the changelog', () => {
  test('has the form of Keep a Changelog', () => {
    expect(changelogFindings(text)).toEqual([]);
  });

  test('links the form and the meaning of versions', () => {
    expect(text).toMatch(/\(https:\/\/keepachangelog\.com\/en\/1\.1\.0\/\).*\(https:\/\/semver\.org\//s);
  });

  test('has no entry twice', () => {
    const entries = text.split('\n').filter((line) => line.startsWith('- '));
    expect(entries.filter((entry, index) => entries.indexOf(entry) !== index)).toEqual([]);
  });
});

describe('the form of a changelog', () => {
  const good = `# Changelog

## [Unreleased]

### Added

- a

### Fixed

- b

## [0.2.0] - 2026-11-28

### Changed

- c

## [0.1.0] - 2026-10-01

### Security

- d

[0.2.0]: https://example.org/0.2.0
[0.1.0]: https://example.org/0.1.0
`;
  test('is met by sections in order, ISO dates and links', () => {
    expect(changelogFindings(good)).toEqual([]);
  });

  test.each([
    ['a date that does not exist', '2026-11-28', '2026-11-31', 'is not an ISO 8601 date'],
    ['a version without a date', ' - 2026-10-01', ' (not yet released)', 'is not "[x.y.z] - date"'],
    ['a version without a link', '[0.1.0]: https', '[0.9.0]: https', 'version 0.1.0 has no link'],
    ['versions in the wrong order', '2026-10-01', '2026-12-01', 'the newest version is not the first'],
    ['a section of another name', '### Fixed', '### Speed', '"Speed" is not one of'],
    ['sections in another order', '### Added', '### Security', '"Fixed" is out of order'],
    ['an empty section', '- b\n', '', 'the last section is empty'],
    ['an entry outside of a section', '### Changed\n', '', 'an entry is in no section'],
    ['no unreleased part', '[Unreleased]', 'Unreleased', 'the first version is not'],
  ])('refuses %s', (_what, part, other, finding) => {
    expect(changelogFindings(good.replace(part, other))).toEqual([expect.stringContaining(finding)]);
  });
});
