// Follows the news: a page that shows what changes says so in data-live, and is fetched again when the ledger grew. What somebody types into, what is open and
// where the focus is stay as they are. Without this script a page is as it was when it was loaded.
"use strict";
(() => {
  const main = document.getElementById("main");
  const live = main && main.dataset.live;
  if (!live || !window.EventSource) return;

  // Milliseconds between two looks: the overview costs the gateway more than a change does.
  const gap = live === "all" ? 10000 : 2000;
  let source = null, wanted = false, looked = 0;

  const isMeant = (news) => {
    const [kind, ...name] = live.split(":");
    if (kind === "device") return news.devices.includes(name.join(":"));
    if (kind === "change") return news.changes.includes(name.join(":"));
    return true;
  };

  const isTypedInto = (part) => [...part.querySelectorAll("input, select, textarea")].some((field) => {
    if (field === document.activeElement) return true;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected && option.defaultSelected);
    return field.type !== "hidden" && field.value !== field.defaultValue;
  });

  // Takes over what somebody did to the part that goes.
  const keep = (old, fresh) => {
    const summary = (one) => one.querySelector("summary")?.textContent;
    const open = new Set([...old.querySelectorAll("details[open]")].map(summary));
    for (const one of fresh.querySelectorAll("details")) one.open = one.open || open.has(summary(one));
  };

  const put = (next) => {
    const parts = [...main.children], fresh = [...next.children];
    if (parts.some(isTypedInto) && parts.length !== fresh.length) return;
    const focused = main.contains(document.activeElement) ? document.activeElement : null;
    const boxes = [...main.querySelectorAll(".box")].map((box) => [box.scrollLeft, box.scrollTop]);
    if (parts.length !== fresh.length) {
      keep(main, next);
      main.replaceChildren(...fresh);
    } else {
      parts.forEach((old, at) => {
        keep(old, fresh[at]);
        if (!old.isEqualNode(fresh[at]) && !isTypedInto(old)) old.replaceWith(fresh[at]);
      });
    }
    main.querySelectorAll(".box").forEach((box, at) => { if (boxes[at]) [box.scrollLeft, box.scrollTop] = boxes[at]; });
    if (focused && !focused.isConnected) {
      const same = [...main.querySelectorAll(focused.localName)].find((one) => one.textContent === focused.textContent);
      if (same) same.focus({ preventScroll: true });
    }
  };

  const look = async () => {
    const waits = looked + gap - Date.now();
    if (wanted) return;
    wanted = true;
    if (waits > 0) await new Promise((done) => setTimeout(done, waits));
    wanted = false;
    looked = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { "nameplate-live": "1" }, redirect: "error" });
      const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
      if (answer.ok && next) put(next);
    } catch (error) {
      // It is not there, or wants a login: the page stays as it is, and the stream says so.
    }
  };

  const told = document.createElement("p");
  told.setAttribute("role", "status");
  const say = (words) => { told.textContent = words; if (!told.isConnected) main.before(told); };

  const follow = (isAgain) => {
    source = new EventSource("/api/v1/stream");
    source.addEventListener("open", () => { told.remove(); if (isAgain) look(); isAgain = true; });
    source.addEventListener("news", (event) => { if (isMeant(JSON.parse(event.data))) look(); });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) say("This page is not kept up to date any more. Load it again.");
    });
  };
  follow(false);
  // A page that nobody sees follows nothing.
  document.addEventListener("visibilitychange", () => {
    source.close();
    if (!document.hidden) follow(true);
  });
})();
