/** Reads the generated dashboards: panels, and every query with its variables filled in. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { duration } from '../../../grafana/rules/promql.ts';

const dataSourceSchema = z.object({ type: z.string(), uid: z.string() });
const linkSchema = z.object({ title: z.string(), url: z.string() });
const targetSchema = z.object({
  refId: z.string(),
  datasource: dataSourceSchema,
  expr: z.string().optional(),
  query: z.string().optional(),
  legendFormat: z.string().optional(),
  exemplar: z.boolean().optional(),
});
const mappingSchema = z.object({ text: z.string().optional(), color: z.string().optional() });
const panelSchema = z.object({
  id: z.int(),
  type: z.string(),
  title: z.string().default(''),
  description: z.string().optional(),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  datasource: dataSourceSchema.optional(),
  targets: z.array(targetSchema).default([]),
  options: z.record(z.string(), z.unknown()).optional(),
  transformations: z.array(z.object({ id: z.string(), options: z.record(z.string(), z.unknown()) })).default([]),
  fieldConfig: z
    .object({
      defaults: z.object({
        color: z.object({ mode: z.string() }).optional(),
        unit: z.string().optional(),
        noValue: z.string().optional(),
        decimals: z.number().optional(),
        max: z.number().optional(),
        mappings: z.array(z.object({ options: z.record(z.string(), mappingSchema) })).optional(),
        thresholds: z
          .object({ steps: z.array(z.object({ value: z.number().nullable(), color: z.string() })) })
          .optional(),
        links: z.array(linkSchema).optional(),
        custom: z.record(z.string(), z.unknown()).optional(),
      }),
      overrides: z.array(
        z.object({
          matcher: z.object({ id: z.string(), options: z.unknown() }),
          properties: z.array(z.object({ id: z.string(), value: z.unknown() })),
        }),
      ),
    })
    .optional(),
});
const variableSchema = z.object({
  name: z.string(),
  label: z.string(),
  type: z.string(),
  query: z.unknown(),
  definition: z.string().optional(),
  refresh: z.int().optional(),
  multi: z.boolean().optional(),
  allValue: z.string().optional(),
});
const boardSchema = z.object({
  uid: z.string(),
  title: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  editable: z.boolean(),
  graphTooltip: z.int(),
  schemaVersion: z.int(),
  links: z.array(
    z.object({ type: z.string(), tags: z.array(z.string()), keepTime: z.boolean(), includeVars: z.boolean() }),
  ),
  panels: z.array(panelSchema),
  templating: z.object({ list: z.array(variableSchema) }),
  annotations: z.object({
    list: z.array(z.object({ name: z.string(), datasource: dataSourceSchema, expr: z.string() })),
  }),
});

/** A dashboard, with the fields that tests read. */
export type ReadBoard = z.infer<typeof boardSchema>;
/** A panel, or the heading of a row. */
export type ReadPanel = ReadBoard['panels'][number];

/** The store that a query is sent to. */
export type Store = 'prometheus' | 'loki' | 'tempo';

/** A query of a dashboard and its place. `unit` is the unit of its values. */
export interface BoardQuery {
  board: string;
  panel: string;
  /** The Grafana type of the panel, or `annotation`. */
  kind: string;
  store: Store;
  /** The text in the dashboard. */
  text: string;
  /** The text with variables and intervals filled in, as Grafana does with all values selected. */
  filled: string;
  unit: string | undefined;
}

const folder = fileURLToPath(new URL('../../../grafana/dashboards/', import.meta.url));

/** Reads all generated dashboards. */
export function readBoards(): ReadBoard[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => parseBoard(JSON.parse(readFileSync(join(folder, name), 'utf8'))));
}

/** Reads and validates one dashboard. @throws ZodError */
export function parseBoard(json: unknown): ReadBoard {
  return boardSchema.parse(json);
}

/** The links of the cells of single columns, with the heading of the column. */
export function cellLinks({ fieldConfig }: ReadPanel): { column: string; title: string; url: string }[] {
  return (fieldConfig?.overrides ?? []).flatMap(({ matcher, properties }) =>
    properties
      .filter(({ id }) => id === 'links')
      .flatMap(({ value }) => z.array(linkSchema).parse(value))
      .map((link) => ({ column: String(matcher.options), ...link })),
  );
}

/** Every query of panels and of annotations. */
export function boardQueries(boards: readonly ReadBoard[]): BoardQuery[] {
  return boards.flatMap((board) => [
    ...board.panels.flatMap((panel) => panelQueries(board, panel)),
    ...annotationQueries(board),
  ]);
}

function panelQueries(board: ReadBoard, panel: ReadPanel): BoardQuery[] {
  return panel.targets.map((target, at) => {
    const text = target.expr ?? target.query ?? '';
    return {
      board: board.uid,
      panel: panel.title,
      kind: panel.type,
      store: storeOf(target.datasource.type),
      text,
      filled: filledIn(text),
      unit: columnUnit(panel, at) ?? panel.fieldConfig?.defaults.unit,
    };
  });
}

/** The unit of a query. In a table, each query is a column, in the order of the overrides. */
function columnUnit(panel: ReadPanel, at: number): string | undefined {
  if (panel.type !== 'table' || panel.datasource?.type === 'tempo') return undefined;
  const unit = panel.fieldConfig?.overrides[at]?.properties.find(({ id }) => id === 'unit')?.value;
  return typeof unit === 'string' ? unit : undefined;
}

function annotationQueries(board: ReadBoard): BoardQuery[] {
  return board.annotations.list.map(({ name, datasource, expr }) => ({
    board: board.uid,
    panel: `annotation ${name}`,
    kind: 'annotation',
    store: storeOf(datasource.type),
    text: expr,
    filled: filledIn(expr),
    unit: undefined,
  }));
}

function storeOf(type: string): Store {
  if (type === 'prometheus' || type === 'loki' || type === 'tempo') return type;
  throw new Error(`no such store: ${type}`);
}

/** Fills in variables as Grafana does with all values selected. The range is an hour, the interval of charts five minutes. */
export function filledIn(text: string, { intervalSeconds = 300 } = {}): string {
  return text
    .replaceAll(/\$__(rate_)?interval_ms/g, `${1000 * intervalSeconds}`)
    .replaceAll(/\$__(rate_)?interval/g, duration(intervalSeconds))
    .replaceAll('$__range_s', '3600')
    .replaceAll('$__range', '1h')
    .replaceAll('$drills', 'drill')
    .replaceAll(/\$(job|instance|server|tool|outcome)\b/g, '.+');
}
