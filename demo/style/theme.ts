import { css } from "lit";

/** Colours and measures, on the studio's element; a page that embeds it can set the same names from outside. */
export const theme = css`
  :host {
    color-scheme: light dark;
    --ground: light-dark(#faf9f7, #15171a);
    --surface: light-dark(#ffffff, #1d2024);
    --raised: light-dark(#f3f1ed, #262a2f);
    --ink: light-dark(#1b1d1f, #ecece9);
    --soft: light-dark(#585d62, #a8adb2);
    --line: light-dark(#dedbd4, #34393f);
    --field: light-dark(#85888b, #7b8187);
    --accent: light-dark(#0f6b64, #5cc8bc);
    --accent-ground: light-dark(#e3f1ef, #17312f);
    --on-accent: light-dark(#ffffff, #0c1d1b);
    --bad: light-dark(#a8221b, #ff9c93);
    --bad-ground: light-dark(#fcebe9, #3a1d1b);
    --radius: 0.5rem;
    --gap: 1rem;
    --mono: ui-monospace, "Cascadia Code", "Source Code Pro", Menlo, monospace;
    font-family: system-ui, sans-serif;
    font-size: 1rem;
    line-height: 1.45;
    color: var(--ink);
    background: var(--ground);
  }
`;
