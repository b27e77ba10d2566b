/** Prompts to begin with, by how many references they speak of. */
export interface ExampleGroup {
  readonly title: string;
  readonly references: number;
  readonly prompts: readonly string[];
}

const NANO: readonly ExampleGroup[] = [
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

const KLEIN: readonly ExampleGroup[] = [
  {
    title: "From words",
    references: 0,
    prompts: [
      "a red fox in fresh snow at dawn, 85mm photograph, soft light",
      "a ceramic teapot shaped like a whale on a linen tablecloth",
      "isometric cutaway of a tiny bookshop, watercolour",
    ],
  },
  {
    title: "With a reference",
    references: 1,
    prompts: ["make it night, with lamps lit in the windows", "the same scene as a pencil drawing"],
  },
  {
    title: "With two",
    references: 2,
    prompts: ["the person of image 1 wears the jacket of image 2", "image 1 in the style of image 2"],
  },
];

export function examplesOf(model: string | undefined): readonly ExampleGroup[] {
  return isNano(model) ? NANO : KLEIN;
}

export function isNano(model: string | undefined): boolean {
  return model === undefined || model.startsWith("klein-nano");
}

export const NANO_THINGS =
  "airplane, alien, angry face, apple, avocado, ball, balloon, banana, basketball, bear, bee, bicycle, book, bread, broccoli, bus, butterfly, cactus, cake, camera, car, carrot, castle, cat, cheese, cherries, chick, clock, cloud, coconut, coffee, computer, cookie, cool face, corn, cow, crab, crown, crying face, diamond, dog, dolphin, donut, dress, drum, egg, eggplant, envelope, fire, fish, fox, frog, ghost, gift, glasses, grapes, guitar, hamburger, hammer, hat, heart, helicopter, house, ice cream, key, koala, ladybug, lemon, light bulb, lion, lock, monkey, moon, mouse, mushroom, octopus, orange fruit, owl, palm tree, panda, peach, pear, pencil, penguin, pig, pine tree, pineapple, pizza, pumpkin, rabbit, rainbow, robot, rocket, rose, sailboat, scissors, shirt, shoe, skull, sleeping face, smiling face, snail, snake, snowman, spider, star, strawberry, sun, sunflower, sushi, teddy bear, telephone, television, tent, tiger, tomato, tractor, train, tree, trophy, truck, trumpet, tulip, turtle, umbrella, unicorn, violin, watermelon, whale";
export const NANO_COLOURS = "red, orange, yellow, green, teal, blue, purple, pink, white, black, gray, brown";
