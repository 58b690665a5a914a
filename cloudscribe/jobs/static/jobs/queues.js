// The box above a list of bells ticks all of them.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const all = document.getElementById("action-toggle");
  if (!all) return;
  all.setAttribute("aria-label", "Choose all");
  all.addEventListener("click", () => {
    for (const box of document.querySelectorAll("input.action-select")) box.checked = all.checked;
  });
});
