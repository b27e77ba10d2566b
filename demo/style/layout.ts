import { css } from "lit";

/** Where the parts of the studio stand, by the width that it is given: it may be one of several things on a page. */
export const layout = css`
  :host {
    min-height: 30rem;
  }

  .frame {
    container: studio / inline-size;
    max-width: 96rem;
    margin: 0 auto;
    padding: 0 var(--gap) 3rem;
  }

  /* room for what the notices would cover */
  .noticed {
    --covered: 6rem;
    padding-bottom: 7rem;
  }

  header {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem 1.5rem;
    align-items: center;
    margin-bottom: 1.25rem;
    padding-block: 0.6rem;
    border-bottom: 1px solid var(--line);
  }

  h1 {
    display: flex;
    gap: 0.5rem;
    align-items: center;
    margin: 0;
    font-size: 1.125rem;
    letter-spacing: -0.01em;
  }

  h1 svg {
    color: var(--accent);
  }

  [role="tablist"] {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem;
  }

  [role="tab"] {
    border-color: transparent;
    background: none;
    color: var(--soft);
    font-weight: 600;
  }

  [role="tab"][aria-selected="true"] {
    background: var(--accent-ground);
    color: var(--accent);
  }

  .state {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem 0.9rem;
    align-items: center;
    margin-left: auto;
    color: var(--soft);
    font-size: 0.8125rem;
  }

  .make {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 1.75rem;
    align-items: start;
  }

  @container studio (max-width: 43.99rem) {
    .noticed .make {
      --notices: 6rem;
    }
  }

  @container studio (min-width: 44rem) {
    .make {
      grid-template-columns: minmax(17rem, 22rem) minmax(0, 1fr);
    }

    kleinbild-gallery,
    kleinbild-engine,
    kleinbild-unsupported {
      grid-column: 1 / -1;
    }
  }

  @container studio (min-width: 76rem) {
    .make {
      grid-template-columns: 22rem minmax(0, 1fr) 20rem;
    }

    .make > kleinbild-gallery {
      grid-column: auto;
    }
  }

  :host([dragging]) .frame {
    outline: 2px dashed var(--accent);
    outline-offset: -0.5rem;
  }
`;
