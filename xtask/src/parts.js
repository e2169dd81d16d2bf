// Loads the parts of the program that are not needed at once. The build adds which part lies in which files.
import { initSync } from "./tenantatlas.js";

const loading = new Map();

// Each file once. A failure is not kept: whoever needs the part next asks for it again.
function load(files) {
  return Promise.all(files.map((file) => {
    if (!loading.has(file)) {
      const part = WebAssembly.instantiateStreaming(fetch(new URL(file, import.meta.url)), { __wasm_split: initSync() });
      loading.set(file, part);
      part.catch(() => loading.delete(file));
    }
    return loading.get(file);
  }));
}

// The program asks for a part with a function of its table and a value, and is answered by a call of the one with the other.
const loader = (files) => async (callback, value) => {
  let loaded = true;
  try {
    await load(files);
  } catch (error) {
    console.error(error);
    loaded = false;
  }
  initSync().__indirect_function_table.get(callback)(value, loaded);
};
