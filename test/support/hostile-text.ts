/** A text that would do something where a page does not escape it, or hide something where it does not show it. */
export const hostileText =
  '"><img src=x onerror=alert(1)><script>alert(2)</script></pre></textarea>\' onfocus=alert(3) autofocus \u202eabc\u200b\u0007';
