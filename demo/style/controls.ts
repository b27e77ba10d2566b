import { css } from "lit";

/** Fields, buttons, switches and progress, and what shows the focus. */
export const controls = css`
  input,
  select,
  textarea,
  button {
    font: inherit;
    color: inherit;
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
`;
