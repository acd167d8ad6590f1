"use strict";
// Everything works without this file. It checks a draft while somebody writes, and indents with Tab.
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

  text.addEventListener("input", later);
  form.addEventListener("submit", (event) => {
    const action = event.submitter && event.submitter.value;
    if (action !== "check" && action !== "simulate") return;
    event.preventDefault();
    window.clearTimeout(timer);
    ask(action);
  });
})();
