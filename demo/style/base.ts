import { css, type CSSResultGroup } from "lit";
import { controls } from "./controls.ts";

const text = css`
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

  summary {
    width: fit-content;
    min-height: 1.5rem;
    cursor: pointer;
    font-size: 0.875rem;
    font-weight: 600;
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

/** What every component of the studio starts from. */
export const base: CSSResultGroup = [controls, text];
