//! Pages, components and server functions: rendered on the server, hydrated in the browser.
