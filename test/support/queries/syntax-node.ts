/** Nodes of a syntax tree of Lezer, which Grafana's and Prometheus' grammars are made with. */

interface TreeNode<Node> {
  readonly name: string;
  readonly firstChild: Node | null;
  readonly nextSibling: Node | null;
}

/** The nodes of a name below a node, in the order of the text. */
export function descendants<Node extends TreeNode<Node>>(node: Node, name: string): Node[] {
  const found: Node[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name === name) found.push(child);
    found.push(...descendants(child, name));
  }
  return found;
}
