/** Nodes of a Lezer syntax tree, which the grammars of Grafana and Prometheus use. */

interface TreeNode<Node> {
  readonly name: string;
  readonly firstChild: Node | null;
  readonly nextSibling: Node | null;
}

/** The descendants of a node with this name, in text order. */
export function descendants<Node extends TreeNode<Node>>(node: Node, name: string): Node[] {
  const found: Node[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name === name) found.push(child);
    found.push(...descendants(child, name));
  }
  return found;
}
