/** TraceQL as Grafana's own grammar reads it: the attributes that a query names, and what a span must hold to be found. */
import { parser } from '@grafana/lezer-traceql';

/** A condition on an attribute or an intrinsic field, such as `span.error.type = "timeout"`. */
export interface TraceqlCondition {
  field: string;
  operator: string;
  value: string;
}

/** What a query names. */
export interface TraceqlQuery {
  /** With their scope, such as `span.hestia.outcome`. */
  attributes: string[];
  /** Conditions inside the braces. */
  conditions: TraceqlCondition[];
}

type Node = ReturnType<typeof parser.parse>['topNode'];

/** Parses. @throws Error where the grammar finds a mistake, with its place. */
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
