// Keeps a page as new as the ledger: when something is recorded, its main part is fetched anew, unless somebody is in the
// middle of writing there; then a button offers it.
(() => {
  "use strict";
  const WAIT = 400; // milliseconds: a run records many things at once
  const NEWS = ["run.finished", "run.failed", "plan", "change.applied", "change.failed", "approval", "rejection",
    "hold", "unhold", "drift", "readopt", "restore", "rules.loaded", "rules.rejected"];
  let source, timer;

  const main = () => document.getElementById("main");
  const busy = () => {
    const at = document.activeElement;
    return (at && at.matches("input, select, textarea")) || main().querySelector("details.ask[open]");
  };

  const refresh = () => {
    const button = document.getElementById("news");
    if (busy()) {
      button.hidden = false;
      return;
    }
    button.hidden = true;
    const open = [...main().querySelectorAll("details[open][id]")].map((each) => each.id);
    htmx.ajax("GET", location.pathname + location.search, { target: "#main", select: "#main", swap: "outerHTML" }).then(() => {
      open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
      document.getElementById("live").textContent = `Updated at ${new Date().toLocaleTimeString()}`;
    });
  };

  const listen = () => {
    source?.close();
    const address = document.body.querySelector("[data-events]")?.dataset.events;
    if (!address) return;
    source = new EventSource(address);
    for (const kind of NEWS) {
      source.addEventListener(kind, () => {
        clearTimeout(timer);
        timer = setTimeout(refresh, WAIT);
      });
    }
  };

  document.addEventListener("DOMContentLoaded", listen);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target === document.body) listen();
  });
  document.addEventListener("click", (event) => {
    if (event.target.id !== "news") return;
    main().querySelectorAll("details.ask[open]").forEach((each) => each.removeAttribute("open"));
    event.target.blur();
    refresh();
  });
  addEventListener("pagehide", () => source?.close());
})();
