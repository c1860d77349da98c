"use strict";

// Tables: a button in each heading sorts by its column; a second press turns the order round.
for (const button of document.querySelectorAll("th button.sort")) {
  button.addEventListener("click", () => {
    const heading = button.closest("th");
    const table = heading.closest("table");
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.tBodies[0];
    const keyed = Array.from(body.rows, (row) => {
      const cell = row.cells[heading.cellIndex];
      return [cell.dataset.sort ?? cell.textContent.trim(), row];
    });
    const order = new Intl.Collator("en", { numeric: true });
    keyed.sort(([a], [b]) => {
      const [x, y] = [Number(a), Number(b)];
      const both = a !== "" && b !== "" && !Number.isNaN(x) && !Number.isNaN(y);
      return (both ? x - y : order.compare(a, b)) * (down ? -1 : 1);
    });
    body.append(...keyed.map(([, row]) => row));
  });
}

// On paper nothing can be unfolded, and what a trace holds anyway stays away. Afterwards all is as it was.
let unfolded = [];
addEventListener("beforeprint", () => {
  unfolded = Array.from(document.querySelectorAll("details:not([open], .screen)"));
  for (const details of unfolded) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of unfolded) details.open = false;
});

// A link to something folded unfolds it.
const unfold = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  target.scrollIntoView();
};
addEventListener("hashchange", unfold);
unfold();

// On a narrow screen the contents stand above the text, folded.
const contents = document.querySelector("nav.contents details");
if (matchMedia("(max-width: 70rem)").matches) contents.open = false;
