// What pages do better with scripts. Each of them works without.
"use strict";
const $ = (css, root = document) => root.querySelector(css);
const $$ = (css, root = document) => [...root.querySelectorAll(css)];
const lang = document.documentElement.lang.replace(/^en$/, "en-GB"); // dates as the pages write them

// Times of day in the reader's own zone, when somebody points at them.
for (const t of $$("time[datetime]")) {
  const at = new Date(t.dateTime);
  if (!isNaN(at)) t.title = at.toLocaleString(lang, { dateStyle: "full", timeStyle: "short" });
}

// Links of the problems on top put the focus into the field.
$("#problems")?.focus();

// Passwords can be looked at.
for (const button of $$("[data-show]")) {
  const input = document.getElementById(button.getAttribute("aria-controls"));
  button.hidden = false;
  button.addEventListener("click", () => {
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    button.textContent = hidden ? button.dataset.hide : button.dataset.show;
    input.focus();
  });
  input.form.addEventListener("submit", () => { input.type = "password"; });
}

// Nothing is sent twice by a double click.
for (const form of $$("form[method=post]")) {
  form.addEventListener("submit", event => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 5000);
  });
}
addEventListener("pageshow", () => $$("form").forEach(form => delete form.dataset.sent));

// The challenge: listen on the spot, and another picture without losing what is typed.
const challenge = $(".challenge");
if (challenge) {
  const form = challenge.closest("form");
  const listen = $("[data-listen]", challenge);
  const answer = $("#answer", challenge);
  let sound;
  listen?.addEventListener("click", event => {
    event.preventDefault();
    sound?.pause();
    sound = new Audio(listen.href);
    sound.play().catch(() => open(listen.href, "_blank", "noopener"));
    answer.focus();
  });
  $("[data-another]", challenge)?.addEventListener("click", async event => {
    event.preventDefault();
    try {
      const reply = await fetch("/signup/challenge", { method: "POST", headers: { Accept: "application/json" } });
      if (!reply.ok) throw reply;
      const next = await reply.json();
      form.elements.challenge.value = next.challenge;
      $(".picture", challenge).src = next.picture;
      listen.href = next.audio;
      answer.value = "";
      answer.focus();
    } catch {
      for (const e of $$("[required]", form)) e.required = false;
      form.requestSubmit(event.target.closest("button"));
    }
  });

  // Work instead of an answer (the protocol of ALTCHA, version 2): the counter whose key begins as the task says.
  const box = $("[data-work]", challenge);
  if (box && globalThis.crypto?.subtle) {
    box.hidden = false;
    const say = $("[role=status]", box), button = $("button", box);
    const hex = buffer => Array.from(new Uint8Array(buffer), b => b.toString(16).padStart(2, "0")).join("");
    const bytes = text => text.match(/../g).map(b => parseInt(b, 16));
    const derive = async (task, counter) => {
      const password = new Uint8Array([...bytes(task.nonce), counter >>> 24, counter >>> 16, counter >>> 8, counter]);
      const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
      const salt = new Uint8Array(bytes(task.salt));
      return hex(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: task.cost }, key, 8 * task.keyLength));
    };
    const solve = async task => {
      if (task.algorithm !== "PBKDF2/SHA-256") throw new Error(task.algorithm);
      for (let from = 0; ; from += 4) {
        const keys = await Promise.all([0, 1, 2, 3].map(i => derive(task, from + i)));
        const i = keys.findIndex(key => key.startsWith(task.keyPrefix));
        if (i >= 0) return { counter: from + i, derivedKey: keys[i] };
      }
    };
    button.addEventListener("click", async () => {
      button.disabled = true;
      say.textContent = box.dataset.busy;
      try {
        const reply = await fetch(box.dataset.work, { method: "POST", headers: { Accept: "application/json" } });
        if (!reply.ok) throw reply;
        const task = await reply.json();
        form.elements.work.value = btoa(JSON.stringify({ challenge: task, solution: await solve(task.parameters) }));
        if (answer) answer.required = false;
        say.textContent = box.dataset.done;
        say.tabIndex = -1;
        say.focus();
        button.hidden = true;
      } catch {
        button.disabled = false;
        say.textContent = box.dataset.failed;
      }
    });
  }
}

// Sending again has to wait: count down.
const wait = $("[data-wait]");
if (wait && wait.dataset.wait > 0) {
  const button = $("button", wait.parentElement);
  let left = +wait.dataset.wait;
  const tick = () => {
    wait.hidden = button.disabled = left > 0;
    wait.hidden = left <= 0;
    wait.textContent = wait.dataset.text.replace("{n}", left);
    if (left-- > 0) setTimeout(tick, 1000);
  };
  tick();
}

// A file may be dropped.
for (const input of $$("input[type=file]")) {
  for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    input.addEventListener(name, () => input.classList.toggle("over", over));
  }
}

// The bar above a course says when something was last saved.
const saved = $("[data-saved]");
if (saved) {
  const show = at => {
    if (at) saved.textContent = saved.dataset.text.replace("{time}", new Date(at).toLocaleTimeString(lang, { timeStyle: "short" }));
  };
  show(saved.dataset.at);
  const ask = async () => {
    if (!document.hidden) {
      const reply = await fetch(saved.dataset.saved, { headers: { Accept: "application/json" } }).catch(() => null);
      if (reply?.ok) show((await reply.json()).saved);
      else if (!reply) saved.textContent = saved.dataset.offline;
      else if (reply.status === 401) saved.textContent = saved.dataset.out;
    }
    setTimeout(ask, 4000);
  };
  setTimeout(ask, 2000);

  // Before it begins: whether its site answers, and may keep things in this browser. It loads meanwhile.
  const course = $("iframe"), probe = document.createElement("iframe");
  const trouble = code => {
    course.hidden = !!code;
    for (const box of $$("[data-trouble]")) {
      box.hidden = box.dataset.trouble !== code;
      if (box.hidden) continue;
      const time = $("time", box), now = new Date();
      time.dateTime = now.toISOString();
      time.textContent = now.toLocaleDateString(lang, { dateStyle: "long", timeZone: "UTC" }) + ", " + time.dateTime.slice(11, 16) + " UTC";
      box.focus();
    }
  };
  $("[data-anyway]").addEventListener("click", () => trouble());
  const late = setTimeout(() => trouble(navigator.onLine ? "unreachable" : "offline"), navigator.onLine ? 8000 : 0);
  addEventListener("message", event => {
    if (event.source !== probe.contentWindow) return;
    clearTimeout(late);
    trouble(event.data === "blocked" && "storage");
    probe.remove();
  });
  probe.hidden = true;
  probe.src = course.dataset.check;
  document.body.append(probe);
}
