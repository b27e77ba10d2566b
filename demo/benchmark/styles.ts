import { css } from "lit";

export const STYLES = css`
  :host,
  section,
  form {
    display: grid;
    gap: var(--gap);
    align-content: start;
    min-width: 0;
  }

  :host > *,
  section > *,
  form > * {
    min-width: 0;
  }

  fieldset {
    min-width: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }

  legend {
    padding: 0 0 0.5rem;
  }

  .cases {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr));
    gap: 0.5rem var(--gap);
  }

  .case .check {
    font-weight: 600;
  }

  .case .hint {
    padding-inline-start: 1.75rem;
  }

  .fields {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(100%, 9rem), 1fr));
    gap: var(--gap);
  }

  .progress {
    display: grid;
    gap: 0.5rem;
  }

  .status {
    min-height: 1.5em;
    font-size: 0.875rem;
    overflow-wrap: anywhere;
  }

  /* its room is kept */
  .unused {
    visibility: hidden;
  }

  .list {
    padding-inline-start: 1.25rem;
    font-size: 0.8125rem;
    list-style: disc;
    overflow-wrap: anywhere;
  }
`;
