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

// The explanation of the search opens when a link leads to it.
const unfold = () => {
  if (location.hash === "#syntax") document.querySelector("details#syntax")?.setAttribute("open", "");
};
window.addEventListener("hashchange", unfold);
unfold();

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

// Drag over the bars to choose a stretch of time; with the keyboard, Shift and the arrows, then Enter.
document.querySelectorAll("svg.plot").forEach((plot) => {
  const bars = [...plot.querySelectorAll("a[href]")];
  let first = -1;
  let last = -1;
  const paint = () => {
    const [low, high] = [Math.min(first, last), Math.max(first, last)];
    bars.forEach((bar, place) => bar.classList.toggle("picked", first >= 0 && place >= low && place <= high));
  };
  const clear = () => {
    first = last = -1;
    paint();
  };
  const show = () => {
    const [low, high] = [Math.min(first, last), Math.max(first, last)];
    const target = new URL(bars[low].getAttribute("href"), location.href);
    const end = new URL(bars[high].getAttribute("href"), location.href).searchParams.get("to");
    if (!end) return;
    target.searchParams.set("to", end);
    location.assign(target);
  };
  const placeOf = (event) => {
    const box = plot.getBoundingClientRect();
    const place = Math.floor(((event.clientX - box.left) / box.width) * bars.length);
    return Math.max(0, Math.min(bars.length - 1, place));
  };
  plot.addEventListener("dragstart", (event) => event.preventDefault());
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch" || bars.length === 0) return;
    first = last = placeOf(event);
  });
  window.addEventListener("pointermove", (event) => {
    if (first < 0 || event.buttons !== 1) return;
    last = placeOf(event);
    if (last !== first) paint();
  });
  window.addEventListener("pointerup", () => {
    if (first >= 0 && last !== first) show();
    else clear();
  });
  // A drag that ends on its bar again is no click.
  plot.addEventListener("click", (event) => {
    if (first >= 0 && last !== first) event.preventDefault();
  });
  plot.addEventListener("keydown", (event) => {
    const place = bars.indexOf(event.target.closest("a"));
    if (place < 0) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      event.preventDefault();
      const next = Math.max(0, Math.min(bars.length - 1, place + step));
      if (event.shiftKey) {
        if (first < 0) first = place;
        last = next;
        paint();
      } else {
        clear();
      }
      bars[next].focus();
    } else if (event.key === "Enter" && first >= 0 && first !== last) {
      event.preventDefault();
      show();
    } else if (event.key === "Escape") {
      clear();
    }
  });
});
