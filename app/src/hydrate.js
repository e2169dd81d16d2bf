const [script, wasm] = ARGUMENTS;
const module = await import(script);
await module.default({ module_or_path: wasm });
module.hydrate();
for (const island of document.querySelectorAll("leptos-island")) {
  island.closest("leptos-children")?.$$on_hydrate?.();
  const wake = module[island.dataset.component];
  if (wake) wake(island);
  else console.error(`The page and its script are of different builds: ${island.dataset.component}`);
}
document.documentElement.dataset.hydrated = "";
