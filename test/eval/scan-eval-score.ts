/** The score of the content scan on labelled texts: recall, false positives and processor time. */
import { scanContent } from '../../src/domain/scan/scanner.ts';
import { defaultInstallerHosts } from '../../src/shapes/configuration/scan-policy.ts';
import { isTool, type LabelledFile, type LabelledText } from './scan-eval-data.ts';
import { disguises, withExcuse } from './scan-eval-disguise.ts';

/** The score of one file. A text with a critical or high finding counts as blocked, as in the default policy. */
export interface ScanScore {
  malicious: number;
  benign: number;
  recall: number;
  /** The mean of the recalls of the families. */
  recallFamilyMacro: number;
  /** The share of benign texts that are blocked. */
  falsePositiveRate: number;
  falsePositiveRateWithoutSecurity: number;
  byCategory: Record<string, { items: number; blocked: number; share: number }>;
  /** The number of benign texts blocked by each rule. */
  falsePositivesByRule: Record<string, number>;
  missed: string[];
  wronglyBlocked: string[];
  /** Processor time of one scan in milliseconds. Wall time would depend on the load of the machine. */
  timeMsP95: number;
  timeMsMax: number;
  /** The share of found texts that are still found in each disguise, if requested. */
  survival?: Record<string, number>;
}

/** Scores one file; `onItem` is called after each text. */
export async function scoreFile(
  file: LabelledFile,
  { disguised, onItem }: { disguised: boolean; onItem: () => void },
): Promise<ScanScore> {
  const scored: ScoredItem[] = [];
  for (const item of file.items) {
    const before = process.cpuUsage().user;
    const rules = await blockingRules(file.name, item, item.text);
    const timeMs = (process.cpuUsage().user - before) / 1000;
    onItem();
    scored.push({ item, rules, blocked: rules.length > 0, timeMs });
  }
  const malicious = scored.filter(({ item }) => item.label === 'malicious');
  const benign = scored.filter(({ item }) => item.label === 'benign');
  const ordinary = benign.filter(({ item }) => item.category !== 'benign-security');
  const times = scored.map(({ timeMs }) => timeMs).sort((one, other) => one - other);
  const families = Object.values(Object.groupBy(malicious, ({ item }) => item.family ?? item.id));
  return {
    malicious: malicious.length,
    benign: benign.length,
    recall: blockedShare(malicious),
    recallFamilyMacro: mean(families.map((family = []) => blockedShare(family))),
    falsePositiveRate: blockedShare(benign),
    falsePositiveRateWithoutSecurity: blockedShare(ordinary),
    byCategory: byCategory(scored),
    falsePositivesByRule: countRules(benign.flatMap(({ rules }) => [...new Set(rules)])),
    missed: malicious.filter(({ blocked }) => !blocked).map(({ item }) => item.id),
    wronglyBlocked: benign.filter(({ blocked }) => blocked).map(({ item }) => item.id),
    timeMsP95: times[Math.floor(times.length * 0.95)] ?? 0,
    timeMsMax: times.at(-1) ?? 0,
    ...(disguised && {
      survival: await survival(
        file.name,
        malicious.filter(({ blocked }) => blocked).map(({ item }) => item),
      ),
    }),
  };
}

/** A text with the rules that block it and the processor time of its scan. */
interface ScoredItem {
  item: LabelledText;
  rules: string[];
  blocked: boolean;
  timeMs: number;
}

async function blockingRules(file: string, item: LabelledText, text: string): Promise<string[]> {
  const subject = isTool(file, item) ? 'tool' : 'skill';
  const findings = await scanContent([{ part: 'text', text }], { subject, installerHosts: defaultInstallerHosts });
  return findings.filter(({ severity }) => severity === 'critical' || severity === 'high').map(({ ruleId }) => ruleId);
}

/** The share of found texts that are still found in each disguise and after the excuse. */
async function survival(file: string, found: readonly LabelledText[]): Promise<Record<string, number>> {
  const shares: Record<string, number> = {};
  for (const [name, disguise] of Object.entries({ ...disguises, excuse: withExcuse })) {
    const blocked = await Promise.all(found.map((item) => blockingRules(file, item, disguise(item.text))));
    shares[name] = share(blocked, (rules) => rules.length > 0);
  }
  return shares;
}

function byCategory(scored: readonly { item: LabelledText; blocked: boolean }[]): ScanScore['byCategory'] {
  const groups = Object.groupBy(scored, ({ item }) => item.category);
  return Object.fromEntries(
    Object.entries(groups).map(([category, group = []]) => {
      const blocked = group.filter((one) => one.blocked).length;
      return [category, { items: group.length, blocked, share: blocked / group.length }];
    }),
  );
}

function countRules(rules: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const rule of rules) counts[rule] = (counts[rule] ?? 0) + 1;
  return counts;
}

function blockedShare(scored: readonly { blocked: boolean }[]): number {
  return share(scored, ({ blocked }) => blocked);
}

function share<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  return items.length === 0 ? 0 : items.filter(holds).length / items.length;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
