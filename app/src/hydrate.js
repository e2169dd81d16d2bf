const [script, wasm] = ARGUMENTS;
const module = await import(script);
await module.default({ module_or_path: wasm });
module.hydrate();
for (const island of document.querySelectorAll("leptos-island")) {
  island.closest("leptos-children")?.$$on_hydrate?.();
  module[island.dataset.component]?.(island);
}
document.documentElement.dataset.hydrated = "";
