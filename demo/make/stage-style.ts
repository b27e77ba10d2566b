import { css } from "lit";

/** Of `<kleinbild-stage>`. What stands below the picture has its room before it is there, so that nothing moves. */
export const stageStyle = css`
  :host {
    container-type: inline-size;
  }

  section {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.75rem;
  }

  kleinbild-frame > img {
    object-fit: contain;
  }

  .past {
    opacity: 0.4;
  }

  .empty {
    display: grid;
    gap: 0.5rem;
    place-content: center;
    justify-items: center;
    padding: var(--gap);
    color: var(--soft);
    text-align: center;
  }

  .below {
    display: grid;
    gap: 0.5rem;
    align-content: start;
    min-height: 2.75rem;
  }

  .soft {
    color: var(--soft);
    font-size: 0.9375rem;
    font-variant-numeric: tabular-nums;
    overflow-wrap: anywhere;
  }

  .progress {
    display: flex;
    gap: 0.75rem;
    align-items: center;
    min-height: 2.75rem;
  }

  .progress kleinbild-run-progress {
    flex: 1;
  }

  .progress kleinbild-preview {
    flex: none;
    width: 2.75rem;
    height: 2.75rem;
    border-radius: var(--radius);
    overflow: hidden;
  }

  .caption {
    display: flex;
    gap: 0.75rem;
    align-items: center;
    justify-content: space-between;
    min-height: 2.75rem;
  }

  .caption p {
    display: flex;
    flex-wrap: wrap;
    gap: 0 1rem;
  }

  .caption button {
    flex: none;
  }

  button[aria-pressed="true"] {
    border-color: var(--accent);
    background: var(--accent-ground);
    color: var(--accent);
  }

  .reused {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem 0.6rem;
    align-items: center;
  }

  div.notice {
    display: grid;
    gap: 0.6rem;
    justify-items: start;
  }

  .results {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
  }

  .results button {
    width: 4rem;
    height: 4rem;
    padding: 0;
    border: 2px solid transparent;
    background: var(--raised);
    overflow: hidden;
  }

  .results button[aria-current] {
    border-color: var(--accent);
  }

  .results img {
    width: 100%;
    height: 100%;
    object-fit: contain;
  }

  .queue {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.25rem;
  }

  .queue h2 {
    font-size: 0.9375rem;
  }

  .queue li {
    display: flex;
    gap: 0.75rem;
    align-items: center;
    justify-content: space-between;
    padding: 0.15rem 0;
    border-top: 1px solid var(--line);
  }

  .queue li span {
    overflow: hidden;
    font-size: 0.9375rem;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .queue button {
    flex: none;
  }

  /* as many rows of buttons as there will be, and the line of the details */
  .panel {
    min-height: 11.75rem;
  }

  @container (min-width: 20rem) {
    .panel {
      min-height: 9.25rem;
    }
  }

  @container (min-width: 30rem) {
    .panel {
      min-height: 6.75rem;
    }
  }
`;
