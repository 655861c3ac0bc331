"use strict";
// Keys, and what a text selection fills in. Every page works without this file.
(() => {
  const STORED = "lagesbild-keys";
  const keysOn = () => window.localStorage.getItem(STORED) !== "off";
  let lastTheme = null;

  const typing = (element) =>
    element.matches("textarea, select, input:not([type=checkbox]):not([type=radio]):not([type=hidden])");

  const press = (element) => {
    if (element.matches("summary")) {
      const details = element.parentElement;
      details.open = !details.open;
      if (details.open) {
        const field = details.querySelector("textarea");
        (field || element).focus();
      }
    } else {
      if (element.matches("input[type=checkbox]")) element.focus();
      element.click();
    }
  };

  const next = (name) => {
    const row = lastTheme || document.querySelector(".theme:has(input:checked)");
    const select = row && row.querySelector(`select[name=${name}]`);
    if (!select) return;
    select.selectedIndex = (select.selectedIndex + 1) % select.options.length;
    select.dispatchEvent(new Event("change", { bubbles: true }));
    select.closest(".theme").querySelector("input").focus();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keysOn()) return;
    if (event.key === "Escape" && document.activeElement) document.activeElement.blur();
    if (typing(event.target) || event.key.length !== 1 || event.key === "\"" || event.key === "\\") return;
    const focus = document.querySelector(`[data-focus="${event.key}"]`);
    if (focus) {
      event.preventDefault();
      const closed = focus.closest("details:not([open])");
      if (closed) closed.open = true;
      focus.focus();
      return;
    }
    if (event.key === "s") { event.preventDefault(); next("stance"); return; }
    if (event.key === "d") { event.preventDefault(); next("subtheme"); return; }
    const target = document.querySelector(`[data-key="${event.key}"]`);
    if (target) { event.preventDefault(); press(target); }
  });

  document.addEventListener("change", (event) => {
    const row = event.target.closest(".theme");
    if (row && event.target.matches("input[type=checkbox]")) lastTheme = row;
    if (event.target.matches("[data-keys-switch]")) {
      window.localStorage.setItem(STORED, event.target.checked ? "on" : "off");
    }
  });
  for (const box of document.querySelectorAll("[data-keys-switch]")) box.checked = keysOn();

  // What is marked in the text becomes the words to hide, when that form is opened.
  for (const field of document.querySelectorAll("[data-selection]")) {
    const details = field.closest("details");
    let marked = "";
    const remember = () => {
      const selection = document.getSelection();
      const text = document.getElementById(field.dataset.selection);
      if (selection && selection.rangeCount && text.contains(selection.anchorNode) && !selection.isCollapsed) {
        const piece = selection.getRangeAt(0).cloneContents();
        for (const sign of piece.querySelectorAll("sup")) sign.remove();
        marked = piece.textContent.trim();
      }
    };
    document.addEventListener("selectionchange", remember);
    // The browser tells a changed selection a moment later; a quick key comes before that.
    document.addEventListener("keydown", remember, { capture: true });
    details.addEventListener("toggle", () => { if (details.open && marked) field.value = marked; });
  }

  // A form is sent once, however impatient the click.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });
})();
