// Keeps an open page as new as the ledger, and says what htmx leaves unsaid: that a server was not reached, where the focus is.
//
// A stream is held only while the page is seen: browsers allow a host few connections at a time. What is recorded has the page
// fetched anew and its main part replaced, with whatever is being written, folded out or looked at left as it is.
(() => {
  "use strict";
  const NEWS = ["run.finished", "run.failed", "plan", "change.applied", "change.failed", "change.superseded", "approval",
    "rejection", "hold", "unhold", "drift", "readopt", "restore", "left_changed", "rules.loaded", "rules.rejected"];
  const FIELDS = "input:not([type=hidden]), select, textarea";
  let source, timer, last = 0;

  const by = (id) => document.getElementById(id);
  const main = () => by("main");
  const say = (text) => { by("live").textContent = text; };
  const trouble = (text) => {
    by("trouble").textContent = text;
    by("trouble").hidden = !text;
  };

  // --- what somebody has done to the page ---------------------------------------------------------------------------------

  const named = (field) => `${field.form?.getAttribute("action")} ${field.form?.querySelector("[name=campaign]")?.value} ${field.name}`;
  const changed = (field) => field.tagName === "SELECT"
    ? [...field.options].some((each) => each.selected !== each.defaultSelected && (each.selected || field.querySelector("[selected]")))
    : field.value !== field.defaultValue;
  const writing = () => main().contains(document.activeElement) && document.activeElement.matches(FIELDS);
  const place = (element) => {
    const around = element?.closest("#main [id]");
    return around && [around.id, element.tagName, [...around.querySelectorAll(element.tagName)].indexOf(element)];
  };
  const at = ([id, tag, n]) => (n < 0 ? by(id) : by(id)?.querySelectorAll(tag)[n]);

  const replace = (fresh) => {
    const open = [...main().querySelectorAll("details[open][id]")].map((each) => each.id);
    const written = new Map([...main().querySelectorAll(FIELDS)].filter(changed).map((each) => [named(each), each.value]));
    const focused = main().contains(document.activeElement) && place(document.activeElement);
    const [x, y] = [scrollX, scrollY];
    main().replaceChildren(...fresh.childNodes);
    htmx.process(main());
    open.forEach((id) => by(id)?.setAttribute("open", ""));
    for (const each of main().querySelectorAll(FIELDS)) {
      if (written.has(named(each))) each.value = written.get(named(each));
    }
    if (focused) at(focused)?.focus({ preventScroll: true });
    scrollTo(x, y);
  };

  // --- what is new --------------------------------------------------------------------------------------------------------

  const refresh = async (asked) => {
    if (!asked && writing()) {
      by("news").hidden = false;
      return;
    }
    last = Date.now();
    let answer;
    try {
      answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
    } catch {
      trouble("The service cannot be reached: what is shown may be old.");
      return;
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
    if (answer.redirected || !answer.ok || !fresh) {
      trouble(answer.redirected ? "You are signed out: load the page again to sign in." : "The page could not be read anew: what is shown may be old.");
      return;
    }
    if (!asked && writing()) {
      by("news").hidden = false;
      return;
    }
    trouble("");
    by("news").hidden = true;
    replace(fresh);
    say(`Updated at ${new Date().toLocaleTimeString()}`);
  };

  const soon = () => {
    const every = Number(main().querySelector("[data-every]")?.dataset.every ?? 1000); // milliseconds between two refreshes
    clearTimeout(timer);
    timer = setTimeout(refresh, Math.max(400, last + every - Date.now()));
  };

  const listen = () => {
    source?.close();
    source = undefined;
    const address = document.querySelector("[data-events]")?.dataset.events;
    if (!address || document.hidden) return;
    source = new EventSource(address); // it says up to which record the page tells, and so misses none
    NEWS.forEach((kind) => source.addEventListener(kind, soon));
    source.addEventListener("error", (event) => {
      if (event.target.readyState === EventSource.CLOSED) trouble("This page is no longer kept up to date: load it again.");
    });
  };

  document.addEventListener("DOMContentLoaded", listen);
  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && listen());
  document.addEventListener("click", (event) => event.target.id === "news" && refresh(true));

  // --- what htmx does -----------------------------------------------------------------------------------------------------

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target !== document.body) return;
    listen();
    const first = by("said") ?? main();
    first.focus({ preventScroll: !by("said") });
  });
  const enable = (form, yes) => form.matches("form") && form.querySelectorAll("button").forEach((each) => { each.disabled = !yes; });
  document.addEventListener("htmx:beforeRequest", (event) => enable(event.detail.elt, false)); // once is enough
  document.addEventListener("htmx:afterRequest", (event) => enable(event.detail.elt, true));
  for (const kind of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(kind, () => trouble("The service could not be reached: it is not known whether that was done. Load the page again and look."));
  }
})();
