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
for (const island of document.querySelectorAll("leptos-island")) {
  island.closest("leptos-children")?.$$on_hydrate?.();
  const wake = module[island.dataset.component];
  if (wake) wake(island);
  else console.error(`The page and its script are of different builds: ${island.dataset.component}`);
}
document.documentElement.dataset.hydrated = "";
