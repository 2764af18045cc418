"use strict";
for (const section of document.querySelectorAll("section.channel")) {
  const items = [...section.querySelectorAll("details.item")];
  const boxes = [...section.querySelectorAll("input[type=checkbox]")];
  const area = section.querySelector("select");
  const words = section.querySelector("input[type=search]");
  const shown = section.querySelector(".shown");
  const none = section.querySelector(".none");
  const filter = () => {
    const verdicts = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const wanted = words.value.trim().toLowerCase();
    let count = 0;
    for (const item of items) {
      const fits = verdicts.has(item.dataset.verdict)
        && (!area.value || item.dataset.area === area.value)
        && (!wanted || item.textContent.toLowerCase().includes(wanted));
      item.hidden = !fits;
      count += fits ? 1 : 0;
    }
    shown.textContent = `${count} of ${items.length}`;
    none.hidden = count > 0;
  };
  for (const control of [...boxes, area, words]) control.addEventListener("input", filter);
  filter();
}
const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
if (named) {
  named.setAttribute("open", "");
  named.scrollIntoView();
}
