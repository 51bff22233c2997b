/** Findings as a table, for a terminal or in Markdown. */
import type { Finding, Verdict } from './findings.ts';

const head = ['', 'found', 'half of the rounds', 'bar', 'stretch', 'verdict', 'figures', 'twin'] as const;

const verdicts: Record<Verdict, string> = { stretch: 'stretch', met: 'met', missed: 'MISSED', void: 'void', none: '' };

/** One row for each finding, in columns of spaces. */
export function findingsTable(findings: readonly Finding[]): string {
  const rows = [[...head], ...findings.map(findingCells)];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The findings as a table in Markdown. */
export function findingsMarkdown(findings: readonly Finding[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...findings.map((finding) => row(findingCells(finding)))].join('\n');
}

function findingCells(finding: Finding): string[] {
  const { name, unit, value, quartiles, wanted, bar, stretch, verdict, detail = '', twin } = finding;
  const shown = (figure: number) => (Math.abs(figure) >= 100 ? figure.toFixed(0) : figure.toFixed(2));
  const sign = wanted === 'at most' ? '≤' : '≥';
  return [
    name,
    unit === 'x' ? shown(value) : `${shown(value)} ${unit}`,
    quartiles === undefined ? '' : `${shown(quartiles[0])} to ${shown(quartiles[1])}`,
    bar === undefined ? '' : `${sign} ${bar}`,
    stretch === undefined ? '' : `${sign} ${stretch}`,
    verdicts[verdict],
    detail,
    twin === undefined ? '' : shown(twin),
  ];
}
