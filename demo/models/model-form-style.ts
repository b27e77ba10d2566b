import { css } from "lit";

export const modelFormStyle = css`
  :host {
    display: grid;
    gap: var(--gap);
  }
  .drop {
    display: grid;
    gap: var(--gap);
  }
  :host([dragging]) .drop {
    outline: 2px dashed var(--accent);
    outline-offset: -2px;
  }
  fieldset {
    display: grid;
    gap: var(--gap);
    min-width: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }
  textarea {
    font-family: var(--mono);
    font-size: 0.875rem;
    overflow-wrap: anywhere;
  }
  .options {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(100%, 13rem), 1fr));
    gap: var(--gap);
    align-items: end;
  }
  details .field {
    max-width: 16rem;
    margin-top: 0.5rem;
  }
  .result {
    display: grid;
    gap: 0.6rem;
    min-height: 2.5rem;
  }
  .against {
    display: grid;
    gap: 0.35rem;
    padding-left: 1.1rem;
    list-style: disc;
    overflow-wrap: anywhere;
  }
`;
