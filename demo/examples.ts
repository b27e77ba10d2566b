import { create } from "./dom.ts";

interface ExampleGroup {
  readonly title: string;
  /** References that its prompts speak of. */
  readonly references: number;
  readonly prompts: readonly string[];
}

const GROUPS: readonly ExampleGroup[] = [
  {
    title: "From words",
    references: 0,
    prompts: [
      "a fox on a teal background",
      "a big apple, red background",
      "a small car on a white background with blue dots",
      "a cat and a dog on a gray background",
    ],
  },
  {
    title: "With a reference",
    references: 1,
    prompts: [
      "make the background green with white stripes",
      "turn it into a rocket",
      "add a balloon next to it",
      "make it small",
    ],
  },
  {
    title: "With two",
    references: 2,
    prompts: ["put image 1 on the background of image 2", "image 1 and image 2 side by side"],
  },
];

/** Example prompts as buttons. Returns what enables those for which there are enough references. */
export function showExamples(area: HTMLElement, onChoose: (prompt: string) => void): (references: number) => void {
  const buttons: { readonly button: HTMLButtonElement; readonly references: number }[] = [];
  for (const { title, references, prompts } of GROUPS) {
    const row = create("div", { className: "examples", role: "group", ariaLabel: title });
    const list = create("div", { className: "row" });
    row.append(create("span", { ariaHidden: "true" }, title), list);
    for (const prompt of prompts) {
      const button = create("button", { type: "button" }, prompt);
      button.addEventListener("click", () => onChoose(prompt));
      buttons.push({ button, references });
      list.append(button);
    }
    area.append(row);
  }
  return (available) => {
    for (const { button, references } of buttons) button.disabled = references > available;
  };
}
