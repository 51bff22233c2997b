/** Parses LogQL with Grafana's grammar: stream labels, and the fields that a query uses. */
import { parser } from '@grafana/lezer-logql';
import { descendants } from './syntax-node.ts';

/** A condition on a field, such as `outcome!="success"`. */
export interface LogqlFilter {
  field: string;
  operator: string;
  value: string;
}

/** A parsed query. */
export interface LogqlQuery {
  /** Labels in the braces. */
  streamLabels: string[];
  /** Fields in filters, groupings and templates. */
  fields: string[];
  /** The filters of each stage. One filter of each stage must match. */
  stages: LogqlFilter[][];
  /** Texts that the line must contain. */
  texts: string[];
}

type Node = ReturnType<typeof parser.parse>['topNode'];

/** Parses a query. @throws Error with the position of a syntax error */
export function parseLogql(text: string): LogqlQuery {
  const tree = parser.parse(text);
  tree.iterate({
    enter: (node) => {
      if (node.type.isError) throw new Error(`not LogQL at ${node.from}: ${text}`);
    },
  });
  const of = (node: Node | null) => (node === null ? '' : text.slice(node.from, node.to));
  const found: LogqlQuery = { streamLabels: [], fields: [], stages: [], texts: [] };
  tree.iterate({
    enter: ({ node }) => {
      switch (node.name) {
        case 'Matchers':
          found.streamLabels.push(...descendants(node, 'Matcher').map((matcher) => of(matcher.getChild('Identifier'))));
          return false;
        case 'PipelineStage': {
          const filters = descendants(node, 'Matcher').map((matcher) => ({
            field: of(matcher.getChild('Identifier')),
            operator: of(matcher.firstChild?.nextSibling ?? null),
            value: unquoted(of(matcher.getChild('String'))),
          }));
          if (filters.length > 1 && descendants(node, 'Or').length !== filters.length - 1) {
            throw new Error(`filters of one stage must be joined by "or" to be understood here: ${text}`);
          }
          if (filters.length > 0) found.stages.push(filters);
          break;
        }
        case 'Labels':
          found.fields.push(...node.getChildren('Identifier').map(of));
          break;
        case 'LineFilter':
          found.texts.push(unquoted(of(node.getChild('String'))));
          break;
        case 'LineFormatExpr':
          found.fields.push(...templateFields(of(node.getChild('String'))));
      }
      return true;
    },
  });
  found.fields.push(...found.stages.flat().map(({ field }) => field));
  return found;
}

function templateFields(template: string): string[] {
  return [...template.matchAll(/\{\{\s*\.(\w+)\s*\}\}/g)].flatMap(([, field]) => (field === undefined ? [] : [field]));
}

function unquoted(text: string): string {
  return text.slice(1, -1);
}
