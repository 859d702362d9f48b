// Comfort only: every page works without this file.
"use strict";

// `/` puts the cursor into the search box; Escape closes an open menu.
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(input|select|textarea)$/i.test(document.activeElement.tagName)) {
    const box = document.querySelector("input[type=search]");
    if (box) {
      event.preventDefault();
      box.focus();
      box.select();
    }
  } else if (event.key === "Escape") {
    document.querySelectorAll("details.menu[open]").forEach((menu) => menu.removeAttribute("open"));
  }
});
document.addEventListener("click", (event) => {
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.removeAttribute("open");
  });
});

// The bar under the pointer is read out in the line below its chart, at once.
document.querySelectorAll("section.time").forEach((panel) => {
  const line = panel.querySelector(".readout");
  if (!line) return;
  const rest = line.textContent;
  const read = (event) => {
    const bar = event.target.closest("[data-tip]");
    line.textContent = bar ? bar.getAttribute("data-tip") : rest;
  };
  panel.addEventListener("pointerover", read);
  panel.addEventListener("focusin", read);
  panel.addEventListener("pointerleave", () => (line.textContent = rest));
});
