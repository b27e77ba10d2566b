/** The request examples of the page of FLUX.2 [klein] 9B Base, unchanged. */
export const EXAMPLES = [
  {
    taskType: "imageInference",
    taskUUID: "ecc037b1-34ac-456b-a00e-9f2493600cfe",
    model: "runware:400@3",
    positivePrompt:
      "A vast seasonal salt pan transformed into a surreal kite gathering, mirror-like shallow water reflecting the sky, dozens of gigantic handcrafted kites shaped like moths, seed vessels, and translucent marine forms drifting above small festival tents and scattered visitors, wind ripples across the wet ground, dramatic weather with sunbeams piercing heavy clouds, earthy pigments and chalk white tones, grand scale, crisp atmospheric depth, richly detailed textures, poetic realism, dynamic composition, high-fidelity environmental storytelling",
    negativePrompt:
      "text, watermark, logo, frame, low detail, blurry, oversaturated, malformed anatomy, duplicated people, distorted horizon, cropped kites, flat lighting, cartoonish rendering",
    width: 1344,
    height: 768,
    seed: 86189,
    steps: 32,
    CFGScale: 3.5,
    settings: {
      trueCFGScale: 4,
    },
    inputs: {
      referenceImages: [
        "https://assets.runware.ai/assets/inputs/7fb2dd53-bfdc-4bd9-b91a-82bdd6753783.jpg",
        "https://assets.runware.ai/assets/inputs/4b80e79e-ddef-4e64-a2b5-8e29029b5207.jpg",
        "https://assets.runware.ai/assets/inputs/eeae0114-3753-4427-befb-ef5bffcb7e74.jpg",
      ],
    },
  },
  {
    taskType: "imageInference",
    taskUUID: "32a8c2e1-f005-47cd-a47b-7c68c0ce015f",
    model: "runware:400@3",
    positivePrompt:
      "A vast abandoned reading hall partially submerged in clear floodwater, concentric book stacks rising toward a cracked domed ceiling, floating books and loose parchment drifting between long communal tables, tarnished brass lamps, carved walnut shelves, creeping moss and fern growth reclaiming the architecture, pale early sunlight pouring through broken upper windows and reflecting across rippled water, cinematic environmental storytelling, intricate textures, realistic materials, atmospheric depth, elegant composition, high detail",
    negativePrompt:
      "people, crowds, vehicles, futuristic technology, glowing signage, low detail, blurry, distorted anatomy, duplicate objects, oversaturated colors, flat lighting, text, watermark, frame",
    width: 1024,
    height: 768,
    seed: 97409,
    steps: 28,
    CFGScale: 3.5,
    settings: {
      trueCFGScale: 4,
    },
    inputs: {
      referenceImages: [
        "https://assets.runware.ai/assets/inputs/0d494d30-5fbb-4910-87ae-6ab8901c081d.jpg",
        "https://assets.runware.ai/assets/inputs/7b06a8d8-4dd5-4617-88fe-751265fbcba3.jpg",
        "https://assets.runware.ai/assets/inputs/b3399cae-35c1-4702-b6b4-32871035c7d8.jpg",
      ],
    },
  },
  {
    taskType: "imageInference",
    taskUUID: "bc817404-5c74-4ea6-930e-0321c70aa09a",
    model: "runware:400@3",
    positivePrompt:
      "A vast Victorian glasshouse transformed into a mechanical animal sanctuary, filled with brass-and-porcelain windup creatures roaming among enormous ferns and tangled flowering vines. A clockwork giraffe bends its segmented neck toward a suspended feeder of crystal fruit, while tiny silver foxes with key-wound tails dart across mosaic tiles. Sunbeams pour through fogged panes and cast prismatic reflections over damp stone paths, hanging irrigation chains, riveted arches, and scattered maintenance tools. In the distance, a caretaker in a weathered canvas apron stands beside a wheeled cart of springs and polished gears, adding human scale without dominating the scene. Highly detailed materials, believable depth, elegant eccentricity, cinematic framing, atmospheric haze, tactile surfaces, natural color harmony, imaginative worldbuilding, sharp focal detail with gentle falloff.",
    negativePrompt:
      "text, watermark, logo, low detail, blurry, oversaturated, malformed anatomy, duplicate animals, floating objects, cropped subject, empty background, harsh digital artifacts",
    width: 1536,
    height: 1024,
    seed: 25079,
    steps: 32,
    CFGScale: 3.5,
    settings: {
      trueCFGScale: 4,
    },
  },
  {
    taskType: "imageInference",
    taskUUID: "02af6713-ae9c-4939-889c-58a3af838d8e",
    model: "runware:400@3",
    positivePrompt:
      "A colossal underground seed vault designed like a sacred cathedral, terraced stone aisles descending into a luminous central archive, thousands of labeled glass capsules filled with grains, pods, and rare kernels, root-like bronze conduits branching across vaulted ceilings, suspended pollen-shaped lanterns, robed botanists with field satchels examining ancient drawers, carved murals of extinct crops and seasonal cycles, misty cool air, mineral walls with salt crystals, monumental scale, layered depth, highly detailed textures, quiet reverence, cinematic composition, soft volumetric light, earthy color palette with amber highlights, imaginative speculative archaeology, ultra-detailed environment concept illustration",
    negativePrompt:
      "low detail, blurry, oversaturated, text, watermark, logo, duplicate figures, malformed hands, distorted anatomy, cropped composition, flat lighting, cartoonish, generic sci-fi city, modern office, vehicles",
    width: 1024,
    height: 1280,
    seed: 69202,
    steps: 32,
    CFGScale: 3.5,
    settings: {
      trueCFGScale: 4,
    },
  },
] as const;
