// Texts to be copied get a button for it. The page works without.
const addCopyButtons = () => {
  for (const block of document.querySelectorAll('pre.copy:not([data-copy])')) {
    block.dataset.copy = 'ready';
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'quiet';
    button.textContent = 'Copy';
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(block.textContent ?? '');
      button.textContent = 'Copied';
    });
    block.after(button);
  }
};
addCopyButtons();
// An open page leads to the page to sign in once its session has ended.
document.addEventListener('signed-out', () => location.assign('/console/sign-in'));
// The stream of a live page reports that. A page whose stream broke meanwhile asks.
const sessionCheckMs = 5000;
setInterval(async () => {
  if (document.querySelector('#live') === null) return;
  const response = await fetch('/console/connect', { method: 'HEAD', redirect: 'manual' }).catch(() => undefined);
  if (response?.type === 'opaqueredirect') location.assign('/console/sign-in');
}, sessionCheckMs);
