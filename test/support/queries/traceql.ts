/** Parses TraceQL with Grafana's grammar: the attributes and the conditions of a query. */
import { parser } from '@grafana/lezer-traceql';

/** A condition on an attribute or an intrinsic field, such as `span.error.type = "timeout"`. */
export interface TraceqlCondition {
  field: string;
  operator: string;
  value: string;
}

/** A parsed query. */
export interface TraceqlQuery {
  /** With their scope, such as `span.hestia.outcome`. */
  attributes: string[];
  /** Conditions inside the braces. */
  conditions: TraceqlCondition[];
}

type Node = ReturnType<typeof parser.parse>['topNode'];

/** Parses a query. @throws Error with the position of a syntax error */
export function parseTraceql(text: string): TraceqlQuery {
  const tree = parser.parse(text);
  const of = (node: Node | null | undefined) => (node ? text.slice(node.from, node.to) : '');
  const found: TraceqlQuery = { attributes: [], conditions: [] };
  tree.iterate({
    enter: ({ node }) => {
      if (node.type.isError) throw new Error(`not TraceQL at ${node.from}: ${text}`);
      if (node.name === 'AttributeField') found.attributes.push(of(node));
      const operator = node.name === 'FieldExpression' ? node.getChild('FieldOp') : null;
      if (operator === null) return;
      const [left, right] = [operator.prevSibling, operator.nextSibling];
      found.conditions.push({ field: of(left), operator: of(operator), value: of(right).replaceAll('"', '') });
    },
  });
  return found;
}
