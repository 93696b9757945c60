// The page's behaviour: no library, no build, nothing from another server.
"use strict";

const SHOWN = 5; // answers listed per image
const UNKNOWN = "–"; // a share of no answers at all
const NAMED = 3; // classes named in a warning
const WEAK = 0.5; // recall or precision below which the page warns
const UNREADABLE = "The browser cannot read this file. Of a folder, pick the images in it.";
const SILENT = "The server does not answer. Is `tessera serve` still running?";
const BUSY = "The server is too busy to answer. Try again in a moment.";
const byId = (id) => document.getElementById(id);
const percent = (value) => `${(100 * value).toFixed(1)} %`;
const between = ([low, high]) => `${(100 * low).toFixed(0)}–${(100 * high).toFixed(0)} %`;

function element(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text; // never HTML: names of files and classes are only text
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// Views --------------------------------------------------------------------------------

function show() {
  const sections = [...document.querySelectorAll("main > section")];
  const named = sections.find(({ id }) => `#${id}` === location.hash);
  // An address that names no view is the skip link's: it leads into the one shown.
  const shown = sections.find(({ hidden }) => !hidden);
  const wanted = named ?? (location.hash ? shown : sections[0]);
  for (const section of sections) section.hidden = section !== wanted;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${wanted.id}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const frame = byId("report-frame");
  if (wanted.id === "report" && !frame.getAttribute("src")) frame.src = "report";
  if (!named) return;
  wanted.querySelector("h2").focus(); // so that a screen reader says what is shown
  window.scrollTo(0, 0);
}

// The model's card ---------------------------------------------------------------------

function describe(model) {
  document.title = model.title;
  byId("title").textContent = model.title;
  byId("report-link").hidden = !model.report;
  byId("facts").textContent =
    `${percent(model.accuracy)} of the test images are answered right ` +
    `(95 % interval ${between(model.accuracy_interval)}); on average over the classes it ` +
    `finds ${percent(model.balanced_accuracy)}. It sees ${model.image_size} x ` +
    `${model.image_size} pixels. ${model.calibration}`;
  byId("limits").replaceChildren(...model.limits.map((limit) => element("li", limit)));
  byId("classes").replaceChildren(...model.classes.map(row));
  byId("examples").replaceChildren(...model.classes.map(examples));
}

function row(facts) {
  const made = element("tr");
  made.append(element("th", facts.name + (facts.rare ? " (rare)" : ""), { scope: "row" }));
  for (const [value, interval] of [
    [facts.recall, facts.recall_interval],
    [facts.precision, facts.precision_interval],
  ]) {
    const cell = element("td", value === null ? UNKNOWN : `${percent(value)} `);
    if (interval) {
      cell.append(element("span", `(${between(interval)})`, { class: "interval" }));
    }
    if (value !== null && value < WEAK) cell.className = "weak";
    made.append(cell);
  }
  made.append(element("td", facts.trained_on.toLocaleString("en")));
  return made;
}

function examples(facts, label) {
  const item = element("li");
  const pictures = element("div");
  for (let number = 0; number < facts.examples; number++) {
    const source = `api/examples/${label}/${number}`;
    pictures.append(
      element("img", "", { src: source, alt: `Example of ${facts.name}`, loading: "lazy" }),
    );
  }
  item.append(element("h3", facts.name), pictures);
  return item;
}

// Images -------------------------------------------------------------------------------

async function ask(file, method, target) {
  const parameters = new URLSearchParams();
  if (method) parameters.set("method", method);
  if (target) parameters.set("target", target);
  const sent = { method: "POST", body: file, headers: { "Content-Type": file.type } };
  if (!file.type.startsWith("image/")) {
    sent.headers["Content-Type"] = "application/octet-stream";
  }
  await file.slice(0, 1).arrayBuffer().catch(() => { throw new Error(UNREADABLE); });
  for (let tries = 0; ; tries++) {
    const response = await fetch(`api/predict?${parameters}`, sent).catch(() => {
      throw new Error(SILENT);
    });
    if (response.status === 503 && tries < 5) {
      const wait = Number(response.headers.get("Retry-After") ?? 1);
      await new Promise((done) => setTimeout(done, 1000 * wait));
      continue;
    }
    const content = await response.json().catch(() => ({ detail: BUSY }));
    if (!response.ok) throw new Error(content.detail);
    return content;
  }
}

async function take(model, files) {
  const status = byId("status");
  for (const [index, file] of [...files].entries()) {
    status.textContent = `Looking at ${file.name} (${index + 1} of ${files.length}) …`;
    const name = file.name || "pasted image";
    try {
      const answer = await ask(file, model.methods[0]?.key);
      byId("results").prepend(result(model, file, name, answer));
      const best = answer.answers[0];
      status.textContent = `${name}: ${best.name}, ${percent(best.probability)}.`;
    } catch (error) {
      byId("results").prepend(refused(name, error));
      status.textContent = `${name}: ${error.message}`;
    }
  }
}

function refused(name, error) {
  const made = element("article", "", { class: "result error", tabindex: "-1" });
  made.append(element("h3", name), element("p", error.message));
  return made;
}

function result(model, file, name, answer) {
  const made = byId("result").content.cloneNode(true).firstElementChild;
  const find = (selector) => made.querySelector(selector);
  find("h3").textContent = `${name}: ${answer.answers[0].name}`;
  find(".seen").src = answer.seen;
  find(".seen").alt = `${name} as the model sees it`;
  find("figcaption").textContent =
    `${answer.width} x ${answer.height} pixels, seen as ` +
    `${model.image_size} x ${model.image_size}`;
  find(".answers").replaceChildren(...answer.answers.slice(0, SHOWN).map(share));
  trust(model, answer, find(".trust"));
  if (model.methods.length) controls(model, file, answer, find);
  else find(".controls").hidden = true;
  explain(answer, find);
  return made;
}

function share({ name, probability }) {
  const item = element("li");
  const label = `Probability of ${name}`;
  const bar = element("progress", "", { max: 1, value: probability, "aria-label": label });
  const value = element("span", percent(probability), { class: "value" });
  item.append(element("span", name), bar, value);
  return item;
}

function trust(model, answer, paragraph) {
  const best = answer.answers[0];
  const facts = model.classes.find((one) => one.name === best.name);
  const never = facts.precision === null;
  const answers = never
    ? `it never answered “${facts.name}”`
    : `${percent(facts.precision)} of its answers “${facts.name}” were right`;
  const words =
    `On the test set ${answers}, and it found ${percent(facts.recall)} of this class.`;
  const doubts = [];
  if (best.probability < WEAK) doubts.push("it is unsure here");
  if (never) doubts.push("how often such an answer is right is not known");
  else if (facts.precision < WEAK) doubts.push("most of these answers are wrong");
  const missed = model.classes.filter((one) => one !== facts && one.recall < WEAK);
  if (missed.length) doubts.push(`it misses most images of ${listed(missed)}`);
  paragraph.textContent = doubts.length ? `${words} Careful: ${doubts.join(", and ")}.` : words;
  paragraph.classList.toggle("warning", doubts.length > 0);
}

// In quotes where its own comma would part it.
function inList(name) {
  return name.includes(",") ? `"${name}"` : name;
}

function listed(classes) {
  const names = classes.slice(0, NAMED).map((one) => inList(one.name));
  const more = classes.length - names.length;
  return more ? `${names.join(", ")} and ${more} more classes` : names.join(", ");
}

function controls(model, file, answer, find) {
  const [strength, method, target] = [".strength", ".method", ".target"].map(find);
  method.append(...model.methods.map((one) => element("option", one.name, { value: one.key })));
  target.append(...model.classes.map((one) => element("option", one.name)));
  target.value = answer.answers[0].name;
  const fade = () => { find(".map").style.opacity = strength.value / 100; };
  let asking = false;
  let changed = false;
  const again = async () => {
    changed = true;
    if (asking) return; // a choice made meanwhile is asked for next, the last one only
    asking = true;
    while (changed) {
      changed = false;
      try {
        explain(await ask(file, method.value, target.value), find);
      } catch (error) {
        find(".note").textContent = error.message;
      }
    }
    asking = false;
  };
  strength.addEventListener("input", fade);
  method.addEventListener("change", again);
  target.addEventListener("change", again);
  fade();
}

function explain({ heatmap, branches }, find) {
  if (heatmap) {
    find(".map").src = heatmap.overlay;
    find(".map").alt = `Evidence for ${heatmap.target}, ${heatmap.method}`;
    const grid = `${heatmap.values.length} x ${heatmap.values[0].length} cells`;
    const blank = heatmap.blank_because ? ` Blank: ${heatmap.blank_because}.` : "";
    find(".note").textContent =
      `${heatmap.method} at ${heatmap.layer}, ${grid}: where evidence for ` +
      `${heatmap.target} lies; it proves no cause.${blank} ` +
      heatmap.cautions.join(" ");
  }
  find(".branches").replaceChildren(...(branches ? split(branches) : []));
}

function split({ target, names, parts, base }) {
  const says = `What each branch adds to the logit of ${target}, against the average example image:`;
  const table = element("table", "", { "aria-label": says });
  const body = element("tbody");
  const rows = [...names.map((name, i) => [name, parts[i]]), ["average example image", base]];
  for (const [name, value] of rows) {
    const line = element("tr");
    const signed = (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);
    line.append(element("th", name, { scope: "row" }), element("td", signed));
    body.append(line);
  }
  table.append(body);
  return [element("p", says, { class: "quiet" }), table];
}

// Start --------------------------------------------------------------------------------

function listen(model) {
  const input = byId("files");
  input.addEventListener("change", async () => {
    await take(model, input.files);
    input.value = "";
  });
  const drop = byId("drop");
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop") take(model, event.dataTransfer.files);
    });
  }
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) take(model, event.clipboardData.files);
  });
}

async function start() {
  window.addEventListener("hashchange", show);
  show();
  const model = await (await fetch("api/model")).json();
  describe(model);
  listen(model);
  document.documentElement.dataset.ready = "yes";
}

start();
