"use strict";
// The page is complete without this: it only sorts the ranking, opens the script a link leads to, and tells
// assistive technology which view is shown.
function nameView() {
  for (const link of document.querySelectorAll(".views a")) {
    const shown = getComputedStyle(document.querySelector(link.hash)).display !== "none";
    link.ariaCurrent = shown ? "page" : "false";
  }
}

function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (target && target.matches("details")) {
    target.open = true;
    target.scrollIntoView();
  }
}

function key(row, column) {
  const cell = row.cells[column];
  const text = cell.dataset.v ?? cell.textContent.trim().replace("−", "-");
  const number = Number(text.replace(/[\s\u202f]/g, "").replace(",", "."));
  return text === "" || text === "–" ? null : Number.isNaN(number) ? text : number;
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

function sort(table, head, column) {
  const up = head.getAttribute("aria-sort") !== "ascending";
  const keyed = Array.from(table.tBodies[0].rows, (row) => [key(row, column), row]);
  keyed.sort(([a], [b]) => (a === null) - (b === null) || (a === null ? 0 : (up ? 1 : -1) * compare(a, b)));
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  table.tBodies[0].append(...keyed.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
    if ("fixed" in head.dataset) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.ariaLabel = head.textContent;
    head.append(button);
    head.classList.add("sortable");
    head.addEventListener("click", () => sort(table, head, column));
  });
}
addEventListener("hashchange", openTarget);
addEventListener("hashchange", nameView);
for (const link of document.querySelectorAll('a[href^="#script-"]')) link.addEventListener("click", () => setTimeout(openTarget));
openTarget();
addEventListener("pageshow", nameView);
