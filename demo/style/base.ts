import { css } from "lit";

/** What every component of the studio starts from: text, buttons, fields, focus. */
export const base = css`
  :host {
    display: block;
    min-width: 0;
  }

  :host([hidden]),
  [hidden] {
    display: none !important;
  }

  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  h2,
  h3,
  p,
  ul,
  ol,
  dl,
  dd,
  figure {
    margin: 0;
  }

  ul,
  ol {
    padding: 0;
    list-style: none;
  }

  h2 {
    font-size: 1.0625rem;
    line-height: 1.3;
  }

  h3 {
    font-size: 0.9375rem;
    line-height: 1.3;
  }

  a {
    color: var(--accent);
  }

  input,
  select,
  textarea,
  button {
    font: inherit;
    color: inherit;
  }

  label,
  legend,
  .label {
    font-size: 0.875rem;
    font-weight: 600;
  }

  .hint,
  .error {
    font-size: 0.8125rem;
  }

  .hint {
    color: var(--soft);
  }

  .error {
    color: var(--bad);
  }

  .error:empty {
    display: none;
  }

  .field {
    display: grid;
    gap: 0.3rem;
    align-content: start;
    min-width: 0;
  }

  .row {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
    align-items: center;
  }

  input:not([type="checkbox"], [type="radio"], [type="range"]),
  select,
  textarea {
    width: 100%;
    min-height: 2.5rem;
    padding: 0.4rem 0.65rem;
    border: 1px solid var(--field);
    border-radius: var(--radius);
    background: var(--surface);
  }

  textarea {
    display: block;
    resize: vertical;
  }

  input[type="checkbox"],
  input[type="radio"] {
    flex: none;
    width: 1.25rem;
    height: 1.25rem;
    margin: 0;
    accent-color: var(--accent);
  }

  input[role="switch"] {
    width: 2.25rem;
    border-radius: 1rem;
    background: var(--field);
    appearance: none;
    cursor: pointer;
    transition: background 0.15s;
  }

  input[role="switch"]::before {
    content: "";
    display: block;
    width: 0.95rem;
    margin: 0.15rem;
    border-radius: 50%;
    aspect-ratio: 1;
    background: var(--surface);
    transition: translate 0.15s;
  }

  input[role="switch"]:checked {
    background: var(--accent);
  }

  input[role="switch"]:checked::before {
    translate: 1rem 0;
  }

  @media (forced-colors: active) {
    input[role="switch"] {
      appearance: auto;
    }

    input[role="switch"]::before {
      content: none;
    }
  }

  input[type="range"] {
    width: 100%;
    min-height: 1.5rem;
    margin: 0;
    accent-color: var(--accent);
  }

  .check {
    display: inline-flex;
    gap: 0.5rem;
    align-items: center;
    min-height: 1.75rem;
    font-weight: 400;
  }

  [aria-invalid="true"] {
    border-color: var(--bad) !important;
  }

  button,
  .button {
    display: inline-flex;
    gap: 0.4rem;
    align-items: center;
    justify-content: center;
    min-height: 2.5rem;
    padding: 0.4rem 0.9rem;
    border: 1px solid var(--field);
    border-radius: var(--radius);
    background: var(--surface);
    color: inherit;
    font-size: 0.9375rem;
    text-decoration: none;
    cursor: pointer;
  }

  button:hover:enabled,
  .button:hover {
    border-color: var(--accent);
    background: var(--accent-ground);
  }

  button:disabled {
    opacity: 0.5;
    cursor: default;
  }

  button.primary {
    border-color: var(--accent);
    background: var(--accent);
    color: var(--on-accent);
    font-weight: 600;
  }

  button.primary:hover:enabled {
    background: color-mix(in oklab, var(--accent) 88%, var(--ink));
  }

  /* with an icon alone */
  button.icon,
  .button.icon {
    width: 2.25rem;
    min-height: 2.25rem;
    padding: 0;
  }

  button.quiet,
  .button.quiet {
    border-color: transparent;
    background: none;
  }

  button.small,
  .button.small {
    min-height: 2rem;
    padding: 0.2rem 0.6rem;
    font-size: 0.875rem;
  }

  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }

  /* what has the focus must not be under what sticks to the lower edge */
  a,
  button,
  input,
  select,
  summary,
  textarea {
    scroll-margin-bottom: var(--covered, 0);
  }

  summary {
    width: fit-content;
    min-height: 1.5rem;
    cursor: pointer;
    font-size: 0.875rem;
    font-weight: 600;
  }

  progress {
    display: block;
    width: 100%;
    height: 0.5rem;
    border: 0;
    border-radius: 0.25rem;
    background: var(--raised);
    appearance: none;
  }

  progress::-webkit-progress-bar {
    border-radius: 0.25rem;
    background: var(--raised);
  }

  progress::-webkit-progress-value {
    border-radius: 0.25rem;
    background: var(--accent);
  }

  progress::-moz-progress-bar {
    border-radius: 0.25rem;
    background: var(--accent);
  }

  /* how far it is nobody knows: a stripe goes through, or, where nothing is to move, the bar is hatched */
  progress:indeterminate {
    background: repeating-linear-gradient(120deg, var(--raised) 0 0.5rem, var(--line) 0.5rem 1rem);
  }

  progress:indeterminate::-webkit-progress-bar {
    background: none;
  }

  progress:indeterminate::-moz-progress-bar {
    background: none;
  }

  @media (prefers-reduced-motion: no-preference) {
    progress:indeterminate {
      background: linear-gradient(90deg, transparent, var(--accent), transparent) 150% 0 / 40% 100% no-repeat
        var(--raised);
      animation: passing 2s linear infinite;
    }
  }

  @keyframes passing {
    to {
      background-position-x: -50%;
    }
  }

  .card {
    padding: var(--gap);
    border: 1px solid var(--line);
    border-radius: calc(var(--radius) * 1.5);
    background: var(--surface);
  }

  .facts {
    display: grid;
    gap: 0.25rem;
    font-size: 0.875rem;
  }

  .facts > div {
    display: grid;
    grid-template-columns: minmax(7rem, 2fr) 3fr;
    gap: 0.75rem;
  }

  .facts dt {
    color: var(--soft);
  }

  .facts dd {
    overflow-wrap: anywhere;
    font-variant-numeric: tabular-nums;
  }

  .badge {
    display: inline-flex;
    gap: 0.35rem;
    align-items: center;
    width: fit-content;
    padding: 0.1rem 0.55rem;
    border-radius: 1rem;
    background: var(--accent-ground);
    color: var(--accent);
    font-size: 0.8125rem;
    font-weight: 600;
  }

  .notice {
    padding: 0.75rem var(--gap);
    border: 1px solid var(--bad);
    border-radius: var(--radius);
    background: var(--bad-ground);
    overflow-wrap: anywhere;
  }

  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  /* colours of grounds and borders are the system's there: what they say is said by its own ones */
  @media (forced-colors: active) {
    [aria-selected="true"],
    [aria-pressed="true"],
    [aria-current="true"] {
      border-color: Highlight !important;
      outline: 2px solid Highlight;
      outline-offset: -4px;
    }

    progress {
      border: 1px solid CanvasText;
      forced-color-adjust: none;
    }

    progress::-webkit-progress-bar {
      background: Canvas;
    }

    progress::-webkit-progress-value {
      background: Highlight;
    }

    progress::-moz-progress-bar {
      background: Highlight;
    }
  }

  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }
`;
