/** The runbook as a page that Grafana of docker compose serves: grafana/runbook.md with an anchor for each alert. */
import MarkdownIt from 'markdown-it';

const head = `<!doctype html>
<!-- Made from runbook.md by \`npm run generate\`; changes here are lost. -->
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Hestia: runbook</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  pre { overflow-x: auto; padding: 0.75rem; border: 1px solid #8886; border-radius: 4px; }
  h2 { border-top: 1px solid #8886; padding-top: 1.5rem; }
  h2:target { background: #ffc40033; }
</style>
<body>
`;

/** Renders the page. An alert is found by its name as it is and in lower case, as on GitHub. */
export function runbookPage(markdown: string): string {
  const body = new MarkdownIt()
    .render(markdown)
    .replaceAll(
      /<h2>(\w+)<\/h2>/g,
      (_, name: string) => `<h2 id="${name}"><span id="${name.toLowerCase()}"></span>${name}</h2>`,
    );
  return `${head}${body}</body>
</html>
`;
}
