const [script, wasm] = ARGUMENTS;
// "Show what I type": at once, since it needs no more than this.
document.addEventListener("change", ({ target }) => {
  if (target.dataset.reveal === undefined) return;
  for (const field of target.form.querySelectorAll("[autocomplete$=password]")) field.type = target.checked ? "text" : "password";
});
// How wide the scroll bar is, for what lies above the page and is to cover its room as well.
const root = document.documentElement;
const measure = () => {
  if (document.querySelector("dialog:modal, .question:popover-open")) return;
  root.style.setProperty("--scrollbar", `${innerWidth - root.clientWidth}px`);
};
measure();
addEventListener("resize", measure);
// "Copy" puts a text on the clipboard: that of the element that it names, or of the one before it. Browsers keep the
// clipboard to HTTPS: elsewhere the text is selected, for the keys that copy. What became of it is said, and where the button
// has words, shown.
document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy) ?? button.previousElementSibling;
  const say = (short, long) => {
    const words = button.querySelector("span");
    const said = document.getElementById("said");
    if (words) {
      const usual = (words.dataset.usual ??= words.textContent);
      words.textContent = short;
      setTimeout(() => (words.textContent = usual), 2500);
    } else if (said) said.textContent = long;
  };
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.dataset.copied = "yes";
    say("Copied", "The ID is copied.");
  } catch {
    text.closest("details")?.setAttribute("open", "");
    getSelection().selectAllChildren(text);
    button.dataset.copied = "no";
    say("Selected", "The ID is selected: copy it now.");
  }
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
  if (island.parentElement.dataset.hydrate === "lazy") hydrateLazily(island);
  else {
    island.closest("leptos-children")?.$$on_hydrate?.();
    await hydrate(island);
  }
}
root.dataset.hydrated = "";

function hydrate(island) {
  const { component } = island.dataset;
  if (module[component]) return module[component](island);
  console.error(`The page and its script are of different builds: ${component}`);
}

// Not before a pointer or the focus comes to it. What is pressed while its part of the script is on the way, and means
// nothing without it, is pressed again.
async function hydrateLazily(island) {
  // HTML cannot say that a box is neither on nor off.
  for (const box of island.querySelectorAll("[data-mixed]")) box.indeterminate = true;
  let pressed;
  const press = ({ target }) => {
    pressed = target.closest("button[type=button], [type=checkbox]:not([name])") ?? pressed;
  };
  island.addEventListener("click", press);
  await new Promise((come) => {
    for (const event of ["pointerover", "focusin", "click"]) island.addEventListener(event, come, { once: true });
  });
  try {
    await module.parts[island.dataset.component]();
  } catch (error) {
    console.error(error);
    const note = document.createElement("p");
    note.className = "note";
    note.dataset.tone = "warn";
    note.setAttribute("role", "alert");
    note.textContent = "The search and the buttons of this list could not be loaded. Reload the page to try again. What is marked can be started without them.";
    island.before(note);
    return;
  }
  await hydrate(island);
  island.removeEventListener("click", press);
  pressed?.click();
}
