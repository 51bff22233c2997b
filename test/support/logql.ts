/** LogQL as Grafana's own grammar reads it: index labels of the stream, and the fields of log records that a query names. */
import { parser } from '@grafana/lezer-logql';

/** What a query names. */
export interface LogqlQuery {
  /** Labels in the braces. */
  streamLabels: string[];
  /** Fields in filters, groupings and templates. */
  fields: string[];
  /** Filters on fields: what a record must hold to be found. `text` is what its line must contain. */
  filters: { field: string; operator: string; value: string }[];
  texts: string[];
}

type Node = ReturnType<typeof parser.parse>['topNode'];

/** Parses. @throws Error where the grammar finds a mistake, with its place. */
export function parseLogql(text: string): LogqlQuery {
  const tree = parser.parse(text);
  tree.iterate({
    enter: (node) => {
      if (node.type.isError) throw new Error(`not LogQL at ${node.from}: ${text}`);
    },
  });
  const of = (node: Node | null) => (node === null ? '' : text.slice(node.from, node.to));
  const found: LogqlQuery = { streamLabels: [], fields: [], filters: [], texts: [] };
  tree.iterate({
    enter: ({ node }) => {
      if (node.name === 'Matcher') {
        const name = of(node.getChild('Identifier'));
        if (node.parent?.name === 'Matchers') found.streamLabels.push(name);
        else {
          found.fields.push(name);
          found.filters.push({
            field: name,
            operator: of(node.firstChild?.nextSibling ?? null),
            value: unquoted(of(node.getChild('String'))),
          });
        }
      }
      if (node.name === 'NumberFilter' || node.name === 'Labels') {
        const field = of(node.getChild('Identifier'));
        if (field !== '') found.fields.push(field);
      }
      if (node.name === 'LineFilter') found.texts.push(unquoted(of(node.getChild('String'))));
      if (node.name === 'LineFormatExpr') found.fields.push(...templateFields(of(node.getChild('String'))));
    },
  });
  return found;
}

function templateFields(template: string): string[] {
  return [...template.matchAll(/\{\{\s*\.(\w+)\s*\}\}/g)].flatMap(([, field]) => (field === undefined ? [] : [field]));
}

function unquoted(text: string): string {
  return text.slice(1, -1);
}
