"use strict";
// Everything works without this file. It checks a draft while somebody writes, and leads from a finding to its line.
(() => {
  const form = document.getElementById("draft");
  if (!form || !window.fetch || !window.DOMParser) return;
  const text = form.querySelector("textarea");
  const findings = document.getElementById("findings");
  let timer = 0;
  let flight = null;
  let last = null;

  async function ask(action) {
    const body = new URLSearchParams({ text: text.value, action });
    if (flight) flight.abort();
    flight = new AbortController();
    findings.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.dataset.check, { method: "POST", body, signal: flight.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      findings.replaceChildren(...page.body.childNodes);
      findings.removeAttribute("aria-busy");
    } catch (error) {
      if (error.name === "AbortError") return;
      findings.removeAttribute("aria-busy");
      const said = document.createElement("p");
      said.textContent = "The server does not answer right now. Your text is safe in this page.";
      findings.replaceChildren(said);
    }
  }

  function later() {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      if (text.value !== last) {
        last = text.value;
        ask("check");
      }
    }, 700);
  }

  function show(number) {
    const lines = text.value.split("\n");
    const start = lines.slice(0, number - 1).reduce((sum, line) => sum + line.length + 1, 0);
    text.focus();
    text.setSelectionRange(start, start + (lines[number - 1] || "").length);
    text.scrollTop = (text.scrollHeight / lines.length) * Math.max(0, number - 6);
    text.scrollLeft = 0;
  }

  findings.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-line]");
    if (!link) return;
    event.preventDefault();
    show(Number(link.dataset.line));
  });

  text.addEventListener("input", later);
  form.addEventListener("submit", (event) => {
    const action = event.submitter && event.submitter.value;
    if (action !== "check" && action !== "simulate") return;
    event.preventDefault();
    window.clearTimeout(timer);
    ask(action);
  });
})();
