/** Copies in the chart: Helm reads no file outside of it, so boards, rules and the collector's configuration are copied. */
import type { GeneratedFile } from '../generated-file.ts';

/** The copies of files, in `chart/files`. Those that may have a comment begin with a line that says what they are. */
export function chartCopies(files: readonly GeneratedFile[]): GeneratedFile[] {
  return files.map(({ path, content }) => ({
    path: chartCopyPath(path),
    content: async () => `${path.endsWith('.json') ? '' : copyNote(path)}${await content()}`,
  }));
}

/** The path of a copy. */
export function chartCopyPath(path: string): string {
  return `chart/files/${path.replace(/^grafana\//, '')}`;
}

function copyNote(path: string): string {
  return `# A copy of ${path}, made by \`npm run generate\`; changes here are lost.\n`;
}
