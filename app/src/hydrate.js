const [script, wasm] = ARGUMENTS;
// "Show what I type": at once, since it needs no more than this.
document.addEventListener("change", ({ target }) => {
  if (target.dataset.reveal === undefined) return;
  for (const field of target.form.querySelectorAll("[autocomplete$=password]")) field.type = target.checked ? "text" : "password";
});
// What can be seen comes first: nothing of this is needed to read the page. A hidden page paints nothing to wait for.
await new Promise((painted) => {
  if (document.hidden) return painted();
  setTimeout(painted, 250);
  requestAnimationFrame(() => setTimeout(painted));
});
const binary = fetch(wasm);
const module = await import(script);
await module.default({ module_or_path: binary });
module.hydrate();
const waking = new Map();
for (const island of document.querySelectorAll("leptos-island")) {
  // One inside of another wakes after it.
  waking.set(island, wake(island, waking.get(island.parentElement.closest("leptos-island"))));
}
await Promise.all(waking.values());
document.documentElement.dataset.hydrated = "";

async function wake(island, around) {
  const { component } = island.dataset;
  try {
    await Promise.all([around, module.parts[component]?.()]);
  } catch (error) {
    // It stays as the server made it, which works without any script.
    console.error(`The script for ${component} could not be loaded: `, error);
    return;
  }
  island.closest("leptos-children")?.$$on_hydrate?.();
  if (module[component]) await module[component](island);
  else console.error(`The page and its script are of different builds: ${component}`);
}
