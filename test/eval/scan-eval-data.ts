/** Labelled texts for measuring the content scan: a folder of `*.jsonl.gz`. The texts are data and never executed. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

const itemSchema = z.object({
  id: z.string(),
  label: z.enum(['malicious', 'benign']),
  category: z.string(),
  family: z.string().optional(),
  text: z.string(),
});

/** One labelled text. `family` groups malicious texts of one campaign, template or author. */
export type LabelledText = z.infer<typeof itemSchema>;

/** The items of one file. */
export interface LabelledFile {
  name: string;
  items: LabelledText[];
}

/** Reads every `*.jsonl.gz` of a folder, sorted by name. @throws Error for a line that is not an item */
export async function readLabelledFiles(folder: string): Promise<LabelledFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.jsonl.gz')).sort();
  return Promise.all(
    names.map(async (name) => {
      const lines = gunzipSync(await readFile(join(folder, name)))
        .toString('utf8')
        .split('\n');
      const items = lines.filter((line) => line.trim() !== '').map((line) => itemSchema.parse(JSON.parse(line)));
      return { name, items };
    }),
  );
}

/** Whether an item is a tool's description rather than a skill. */
export function isTool(file: string, { category }: LabelledText): boolean {
  return file.startsWith('tool') || /^tool-(?:poisoning|benign|hardneg)/.test(category);
}
