// Follows the page: fetches it anew while it is looked at, and swaps what it shows if that has changed.
"use strict";
const main = () => document.querySelector("main");
setInterval(async () => {
  if (document.hidden || !main() || String(getSelection()) !== "") return;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (!answer.ok) return;
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    if (next && next.innerHTML !== main().innerHTML) main().replaceWith(next);
  } catch {
    // The process was stopped; the page follows again when it is back.
  }
}, 1000);
