// What the theme leaves out for those who hear a page, tap it or print it.
// Written for pydata-sphinx-theme 0.17.
addEventListener("load", () => {
  const root = document.documentElement.dataset;
  const button = document.querySelector(".theme-switch-button");
  const name = () => { button.ariaLabel = `Color mode: ${root.mode || "auto"}`; };
  name();
  button.addEventListener("click", () => setTimeout(() => { name(); button.focus(); }));
  for (const drawer of document.querySelectorAll("dialog")) {
    drawer.addEventListener("click", ({ target }) => target.closest("a") && drawer.close());
  }
  let theme = root.theme;
  addEventListener("beforeprint", () => { theme = root.theme; root.theme = "light"; });
  addEventListener("afterprint", () => { root.theme = theme; });
});
