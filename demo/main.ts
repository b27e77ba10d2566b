import { KLEIN_NANO_BASE } from "./klein-nano-base.ts";
import { Offline } from "./offline/offline.ts";
import { KleinbildOffline } from "./offline/state.ts";
import { KleinbildUpdate } from "./offline/update.ts";
import { KleinbildStudio } from "./studio.ts";

const studio = document.querySelector("kleinbild-studio");
if (!(studio instanceof KleinbildStudio)) throw new Error("The page has no <kleinbild-studio>.");
studio.choices = [{ id: "klein-nano-base", name: "klein-nano-base", options: { model: KLEIN_NANO_BASE } }];

const offline = new Offline();
for (const Element of [KleinbildOffline, KleinbildUpdate])
  studio.append(Object.assign(new Element(), { offline, slot: "state" }));
// what the model needs is fetched once: what is kept for later comes from the browser's cache then
if (import.meta.env.PROD)
  studio.addEventListener("kleinbild-started", () => void offline.start("./service-worker.js"), { once: true });
